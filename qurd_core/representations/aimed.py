"""How probable each model finds the class that the victim gave: a soft reading of labels."""

from torch import Tensor

from qurd_core.access import Access
from qurd_core.registry import representations
from qurd_core.types import Answers


@representations.register(access=Access.PROBITS, needs={"aim"}, provides={"vectors"}, whole=True, swept=False)
def aimed(answers: Answers) -> Tensor:
    """The probability of the class that the victim gave: (M,s)."""
    aim = answers.queries.aux["aim"]
    return answers.probits.gather(2, aim.expand(len(answers.outputs), -1)[:, :, None]).squeeze(2)
