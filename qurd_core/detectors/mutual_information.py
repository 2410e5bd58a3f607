"""Statistical dependence of two sequences of symbols: FBI (Maho, Furon, Le Merrer 2023)."""

import torch
from torch import Tensor

from qurd_core.errors import QurdError
from qurd_core.registry import detectors
from qurd_core.types import Prefixes


@detectors.register(needs={"symbols", "sequence"}, end_at_one=True, least_rows=2)
def mutual_information(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """1 - I/min(H,H'), where I is the information that the suspect's symbols give about the victim's.

    It is 1 where either sequence is constant, even if both are equal: a constant says nothing. Blind to relabelling.
    """
    if victim.is_floating_point() or suspects.is_floating_point():
        raise QurdError(f"Expected integer symbols. Got {victim.dtype} and {suspects.dtype}. Compare labels or ranks.")
    ours, theirs = numbered(victim[None]), numbered(suspects)
    both = numbered(ours * theirs.shape[1] + theirs)
    alone, other, joint = (entropies(symbols, budgets) for symbols in (ours, theirs, both))
    least = torch.minimum(alone, other)
    information = alone + other - joint
    return torch.where(least > 0, 1 - information / least, 1.0).clamp(0, 1)


def numbered(symbols: Tensor) -> Tensor:
    """The symbols of each sequence (M,s) as numbers from 0 to s-1, equal where they are equal."""
    return torch.stack([sequence.unique(return_inverse=True)[1] for sequence in symbols])


def entropies(symbols: Tensor, budgets: Prefixes) -> Tensor:
    """(M,len(rows)) entropy in nats of the leading symbols of each sequence, from `numbered`.

    A symbol that occurs n times among r contributes n/r log(r/n), so each of its positions contributes log(r/n)/r: no
    table over the alphabet is needed, whatever its size. A constant sequence has exactly 0.
    """
    found = []
    for rows in budgets.rows:
        leading = symbols[:, :rows]
        times = torch.zeros_like(symbols).scatter_add_(1, leading, torch.ones_like(leading)).gather(1, leading)
        found.append((rows / times.double()).log().mean(1))
    return torch.stack(found, 1)
