"""Answers that say less: the best classes only, or fewer digits."""

from typing import Annotated

from torch import Tensor
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.registry import Range, obfuscations


@obfuscations.register(
    changes="answers",
    access=Access.PROBITS,
    source="common; as the QuRD paper lists it",
    keeps_label=True,
    sums_to_one=False,
    counts_classes="k",
    said="top-{k} probits",
)
def topk(probits: Tensor, *, k: Annotated[int, Range(1, 1000)] = 3) -> Tensor:
    """Send the k largest probits as they are, and 0 for all other classes."""
    best = probits.argsort(dim=-1, descending=True, stable=True)[:, :k]
    return probits * F.one_hot(best, probits.shape[-1]).sum(1)


@obfuscations.register(
    changes="answers", access=Access.LABELS, source="common; as the QuRD paper lists it", keeps_label=True, said="label only"
)
def argmax(probits: Tensor) -> Tensor:
    """Send the label only: 1 for the most probable class, and 0 for all others."""
    return _label(probits)


@obfuscations.register(
    changes="answers",
    access=Access.PROBITS,
    source="common; as Tang et al. 2024 compare with it",
    sums_to_one=False,
    null={"decimals": 12},
    said="rounded probits, decimals {decimals}",
)
def rounding(probits: Tensor, *, decimals: Annotated[int, Range(1, 12)] = 1) -> Tensor:
    """Round every probit; the label alone where all of them become 0, as they may with many classes."""
    rounded = (probits * 10**decimals).round() / 10**decimals
    return rounded.where(rounded.sum(-1, keepdim=True) > 0, _label(probits))


def _label(probits: Tensor) -> Tensor:
    return F.one_hot(probits.argmax(-1), probits.shape[-1]).to(probits)
