"""Statistical dependence of two sequences of symbols: FBI (Maho, Furon, Le Merrer 2023)."""

import torch
from torch import Tensor

from qurd_core.errors import QurdError
from qurd_core.registry import detectors
from qurd_core.types import Prefixes


@detectors.register(needs={"symbols", "sequence"})
def mutual_information(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """1 - I/min(H,H'), where I is the information that the suspect's symbols give about the victim's.

    It is 1 where either sequence is constant, even if both are equal: a constant says nothing. Blind to relabelling.
    """
    if victim.is_floating_point() or suspects.is_floating_point():
        raise QurdError(f"Expected integer symbols. Got {victim.dtype} and {suspects.dtype}. Compare labels or ranks.")
    ours, theirs = same(victim[None]), same(suspects)
    alone, other, joint = (entropies(equal, budgets) for equal in (ours, theirs, ours & theirs))
    least = torch.minimum(alone, other)
    information = alone + other - joint
    return torch.where(least > 0, 1 - information / least, 1.0).clamp(0, 1)


def same(symbols: Tensor) -> Tensor:
    """(M,s,s) which two positions of each sequence (M,s) hold the same symbol."""
    return symbols[:, :, None] == symbols[:, None]


def entropies(equal: Tensor, budgets: Prefixes) -> Tensor:
    """(M,len(rows)) entropy in nats of the leading symbols, from `same`.

    A symbol that occurs n times among r contributes n/r log(r/n), so each of its positions contributes log(r/n)/r: no
    table over the alphabet is needed, whatever its size. A constant sequence has exactly 0.
    """
    counts = equal.cumsum(1, dtype=torch.int32)
    return torch.stack([(rows / counts[:, rows - 1, :rows].double()).log().mean(1) for rows in budgets.rows], 1)
