"""ModelGuard (Tang et al. 2024): answers within an L1 distance of the right ones that tell a student as little as can be."""

from typing import Annotated

import torch
from torch import Tensor

from qurd_core.access import Access
from qurd_core.registry import Range, obfuscations

MARGIN = 1e-4  # by which the label stays ahead
OFFSET = 1e-6  # in the logarithm
TRIED, ROUNDS = 33, 5  # values of the largest share at a time, and how often they are drawn closer
ROWS = 1024  # answers at a time
SLACK = 1e-9

Distance = Annotated[float, Range(0, 2)]
SOURCE = "Tang, Dai, DeVries, Wong, Zhu 2024"


@obfuscations.register(
    changes="answers",
    access=Access.PROBITS,
    source=SOURCE,
    keeps_label=True,
    null={"eps": 0.0},
    said="ModelGuard-W, distance {eps:g}",
)
def modelguard_w(probits: Tensor, *, eps: Distance = 1.0) -> Tensor:
    """The answer y' within eps (L1) that minimises the sum of y' log(y + 1e-6) with the label 1e-4 ahead (ModelGuard-W).

    That is a linear program. For a fixed largest share its solution moves probability from the likeliest other classes to
    the least likely; its value is convex in that share, which is sought on a grid that is drawn closer. An answer whose
    label is not 1e-4 ahead and cannot be within eps stays as it is.
    """
    return torch.cat([_least(rows, eps / 2) for rows in probits.split(ROWS)])


@obfuscations.register(
    changes="answers",
    access=Access.PROBITS,
    source=SOURCE,
    keeps_label=True,
    null={"eps": 0.0},
    recalls=True,
    reconstruction="The list is filled with the answers to the test images in their order and then left as it is, so that"
    " replies do not depend on the order of queries; an answer with none within eps gets the nearest, which may be farther.",
    said="ModelGuard-S, distance {eps:g}",
)
def modelguard_s(probits: Tensor, seen: Tensor, *, eps: Distance = 1.0) -> Tensor:
    """The first answer of a list with this label within eps (L1); those with none made the list (ModelGuard-S)."""
    if not eps:
        return probits
    labels, known = probits.argmax(-1), seen.argmax(-1)
    sent = probits.clone()
    for label in set(labels.tolist()) & set(known.tolist()):
        listed = _listed(seen[known == label], eps)
        asked = probits[labels == label]
        far = torch.cdist(asked, listed, p=1)
        within = far <= eps
        sent[labels == label] = listed[torch.where(within.any(-1), within.int().argmax(-1), far.argmin(-1))]
    return sent


def _listed(answers: Tensor, eps: float) -> Tensor:
    """The answers (n,C) that are farther than eps from all that were listed before, in order."""
    listed = []
    while len(answers):
        listed.append(answers[0])
        answers = answers[(answers - answers[0]).abs().sum(-1) > eps]
    return torch.stack(listed)


def _least(probits: Tensor, mass: float) -> Tensor:
    """The best answers (n,C), each with at most `mass` of its probability moved to other classes."""
    order = probits.argsort(dim=-1, stable=True)
    label = probits.argmax(-1, keepdim=True)
    order = torch.cat([order[order != label].view(len(order), -1), label], -1)  # from the least likely to the label
    ordered = probits.gather(-1, order)
    top = ordered[:, -1:]
    low, high = (top - mass).clamp_min(0), (top + mass).clamp_max(1)
    for _ in range(ROUNDS):
        shares = low + (high - low) * torch.linspace(0, 1, TRIED, dtype=probits.dtype)
        value = _value(_moved(ordered, shares, mass), ordered)
        best = value.argmin(-1, keepdim=True)
        low, high = (shares.gather(-1, (best + step).clamp(0, TRIED - 1)) for step in (-1, 1))
    found = _moved(ordered, torch.cat([shares.gather(-1, best), top], -1), mass)
    value = _value(found, ordered)
    chosen = found[torch.arange(len(found)), value.argmin(-1)].where(value.isfinite().any(-1, keepdim=True), ordered)
    return torch.zeros_like(probits).scatter(-1, order, chosen)


def _moved(ordered: Tensor, shares: Tensor, mass: float) -> Tensor:
    """(n,T,C) the best answers with each of some largest shares (n,T); NaN where there is none.

    Args:
        ordered: (n,C) answers, rising but for the label, which is last.
    """
    others, top = ordered[:, None, :-1], shares[..., None]
    cap = top - MARGIN
    # Without a limit on what is moved the least likely classes are filled to the cap, one after another.
    filled = (1 - top - cap * torch.arange(others.shape[-1])).clamp(min=0).minimum(cap)
    gains, losses = (filled - others).clamp_min(0), (others - filled).clamp_min(0)
    raised = top - ordered[:, None, -1:]
    most = (gains.sum(-1, keepdim=True) + raised.clamp_min(0)).clamp_max(mass)
    above = (others - cap).clamp_min(0)  # what has to go before anything else may
    given, taken = most - raised.clamp_min(0), most + raised.clamp_max(0) - above.sum(-1, keepdim=True)
    found = others + _first(gains, given) - above - _first((losses - above).flip(-1), taken).flip(-1)
    whole = (filled.sum(-1, keepdim=True) + top - 1).abs() <= SLACK
    fits = whole & (given >= -SLACK) & (taken >= -SLACK)
    return torch.cat([found, top], -1).where(fits, torch.nan)


def _first(room: Tensor, amount: Tensor) -> Tensor:
    """How much of an amount (n,T,1) goes into each of some rooms (n,T,C), if the first are filled first."""
    before = room.cumsum(-1) - room
    return (amount - before).clamp_min(0).minimum(room)


def _value(found: Tensor, ordered: Tensor) -> Tensor:
    """(n,T) what is minimised; infinite where there is no answer."""
    return (found * (ordered + OFFSET).log()[:, None]).sum(-1).nan_to_num(torch.inf)
