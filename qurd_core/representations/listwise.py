"""How answers to different queries resemble one another: SAC (Guan, Liang, He 2022), equation (9) of the QuRD paper."""

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.registry import representations
from qurd_core.types import Answers


@representations.register(provides={"vectors"}, vary=("of",), square=True, whole=True)
def listwise(answers: Answers, *, of: Literal["probits", "logits"] = "probits") -> Tensor:
    """The matrix (1 - cos(o(x_i), o(x_j))) / 2 over all queries: (M,s,s).

    Blind to the scale of the outputs and to the order of the classes, but not to a constant added to all logits. The cosine
    of an answer of all zeros with another is 0.
    """
    units = F.normalize(getattr(answers, of), dim=-1)
    matrix = (units @ units.mT).neg_().add_(1).clamp_(min=0).div_(2)
    matrix.diagonal(dim1=1, dim2=2).zero_()
    return matrix


@representations.register(provides={"vectors", "two-valued"}, access=Access.LABELS, square=True, whole=True)
def hard_listwise(answers: Answers) -> Tensor:
    """Whether each two queries get different labels, 1 or 0: (M,s,s).

    The authors put a softmax of the label in place of the outputs, which gives the same two values up to a factor.
    """
    found = answers.labels
    return (found[:, :, None] != found[:, None]).float()
