"""How the outputs bend at a point: what the hinge probe compares."""

from typing import Literal

from torch import Tensor

from qurd_core.registry import representations
from qurd_core.representations.pairwise import pairs
from qurd_core.types import Answers


@representations.register(provides={"vectors"}, needs={"triplets"}, vary=("of",), rows=pairs, swept=False)
def bend(answers: Answers, *, of: Literal["probits", "logits"] = "probits") -> Tensor:
    """The second difference o(x-d) - 2 o(x) + o(x+d) of the outputs at every triplet: (M,s/3,C).

    Of logits it is zero wherever a network of linear pieces has no hinge between the three images.
    """
    before, at, after = getattr(answers, of).double().unflatten(1, (-1, 3)).unbind(2)
    return before - 2 * at + after
