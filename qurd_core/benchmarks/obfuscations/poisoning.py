"""Prediction poisoning: answers from which a student learns in a direction as far as can be from the right one."""

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.randomness import stream
from qurd_core.registry import Range, obfuscations

ALL = 10  # classes up to which every vertex is tried
NEAR = 0.1  # standard deviation of an untrained student's logits
ROWS = 1024  # answers at a time


@obfuscations.register(
    changes="answers",
    access=Access.PROBITS,
    source="Orekondy, Schiele, Fritz 2020",
    keeps_label=True,
    null={"eps": 0.0},
    reconstruction="The untrained student whose gradient is turned gives one fixed answer near equal shares to every image;"
    " above 10 classes the vertex is sought among those that are first by a sort.",
    said="MAD poisoning, distance {eps:g}",
)
def mad(probits: Tensor, *, eps: Annotated[float, Range(0, 2)] = 1.0) -> Tensor:
    """Move up to eps (L1) towards the vertex that turns the student's gradient most and keeps the label (MAD-argmax).

    With q the student's answer the gradient of its last layer is (q - y) times its features, so the angle between the
    gradients by y' and by y is that between q - y' and q - y.
    """
    return torch.cat([_moved(rows, eps) for rows in probits.split(ROWS)])


def student(classes: int) -> Tensor:
    """(C,) probits of the untrained student."""
    rng = stream(0, "untrained student", classes)
    return (NEAR * torch.randn(classes, generator=rng, dtype=torch.float64)).softmax(0)


def _moved(probits: Tensor, eps: float) -> Tensor:
    """Answers (n,C) as far as eps on their way to the best vertices."""
    toward = _best_vertex(probits, student(probits.shape[-1])) - probits
    length = toward.abs().sum(-1, keepdim=True)
    return probits + toward * (eps / length.clamp_min(1e-12)).clamp_max(1)


def _best_vertex(probits: Tensor, untrained: Tensor) -> Tensor:
    """(n,C) equal shares of some classes, the label among them, at the largest angle from the answers."""
    seen = untrained - probits
    label = F.one_hot(probits.argmax(-1), probits.shape[-1]).bool()
    order = seen.masked_fill(label, torch.inf).argsort(dim=-1, descending=True, stable=True)  # the label first
    sets = _sets(probits.shape[-1])
    ordered, answer = seen.gather(-1, order), untrained[order]
    turned = (answer * ordered).sum(-1, keepdim=True) - ordered @ sets.T
    length = (answer.square().sum(-1, keepdim=True) - 2 * answer @ sets.T + sets.square().sum(-1)).clamp_min(1e-24).sqrt()
    return torch.zeros_like(probits).scatter(-1, order, sets[(turned / length).argmin(-1)])


def _sets(classes: int) -> Tensor:
    """(S,C) equal shares of every set of classes with the first in it, or of the leading ones where there are many."""
    if classes > ALL:
        sets = torch.ones(classes, classes).tril()
    else:
        sets = torch.cartesian_prod(torch.ones(1), *[torch.tensor([0.0, 1.0])] * (classes - 1))
    return F.normalize(sets.double(), p=1, dim=-1)
