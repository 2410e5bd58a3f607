"""Whether each answer is right, for schemes that look at nothing else."""

import torch
from torch import Tensor

from qurd_core.access import Access
from qurd_core.registry import representations
from qurd_core.types import Answers


@representations.register(access=Access.LABELS, needs={"truth"}, provides={"correctness"})
def correct(answers: Answers) -> Tensor:
    """1 where the label is the true class, 0 elsewhere: (M,s)."""
    return (answers.labels == answers.queries.truth).to(torch.float32)
