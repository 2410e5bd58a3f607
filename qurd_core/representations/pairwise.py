"""How far the answer moves between the two images of a pair: ModelDiff (Li et al. 2021), equation (8) of the QuRD paper."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.registry import representations
from qurd_core.types import Answers, Queries


def pairs(queries: Queries) -> Tensor:
    """(n,) one row per pair."""
    return torch.ones_like(queries.group_ends)


@representations.register(provides={"vectors"}, needs={"pairs"}, vary=("of",), rows=pairs, whole=True)
def pairwise(answers: Answers, *, of: Literal["probits", "logits"] = "probits") -> Tensor:
    """The decision distance vector, 1 - cos(o(x), o(x')) for every pair: (M,s/2)."""
    units = F.normalize(getattr(answers, of).double(), dim=-1).unflatten(1, (-1, 2))
    # 1 - cos of unit vectors is half their squared distance, which is exactly zero where the answers are equal.
    return (units[:, :, 0] - units[:, :, 1]).square().sum(-1) / 2


@representations.register(provides={"symbols", "sequence"}, needs={"pairs"}, access=Access.LABELS, rows=pairs)
def hard_pairwise(answers: Answers) -> Tensor:
    """How many classes the label moves within every pair, (h(x') - h(x)) mod C: (M,s/2)."""
    seed, partner = answers.labels.unflatten(1, (-1, 2)).unbind(-1)
    return (partner - seed) % answers.outputs.shape[-1]
