"""Seeds by how sure the victim is of them: Meta-Fingerprint (Xu, Zhong, Zhang, Liu 2024), DeepJudge (Chen et al. 2022)."""

from typing import Annotated, Literal

import torch
from torch import Tensor

from qurd_core.errors import QurdError
from qurd_core.registry import Range, seed_rules
from qurd_core.types import Draw, Pool

On = Literal["right", "wrong"]
By = Literal["loss", "gini"]
Split = Literal["train", "test"]
Width = Annotated[float, Range(0, 1)]

WIDTH = 0.2  # noise in the order, as a share of it: the authors' order is one and the same for every query seed

FEATURES = {"provides": {"photo", "truth", "scarce", "aim"}, "needs": {"victim labels", "victim probits"}, "swept": False}


@seed_rules.register(**FEATURES)
def certain(
    pool: Pool, rng: torch.Generator, n: int, *, on: On, by: By = "loss", split: Split = "test", width: Width = WIDTH
) -> Draw:
    """Photographs that the victim gets right (or wrong) and is most certain of, in a noisy order.

    Args:
        on: what the victim gets right, or what it gets wrong.
        by: its cross-entropy on the truth (a wrong answer is certain where that is large), or the sum of squared
            probabilities, large first, as DeepJudge ranks.
        width: of the uniform noise that is added to the relative rank; 0 is the authors' order.
    """
    return drawn(pool, rng, n, on, doubt(pool, on, by), width)


@seed_rules.register(**FEATURES)
def uncertain(
    pool: Pool, rng: torch.Generator, n: int, *, on: On, by: By = "loss", split: Split = "test", width: Width = WIDTH
) -> Draw:
    """Photographs that the victim gets right (or wrong) and is least certain of, in a noisy order."""
    return drawn(pool, rng, n, on, -doubt(pool, on, by), width)


def doubt(pool: Pool, on: On, by: By) -> Tensor:
    """(n,) float64, small where the victim is certain of its answer.

    The loss is the victim's cross-entropy on the truth; on wrong answers its sign is turned, because it grows with
    certainty there.
    """
    if pool.truth is None or pool.victim_probits is None:
        raise QurdError("Expected a pool with the truth and the victim's probits. Use a seed rule that needs neither.")
    if by == "gini":
        return -pool.victim_probits.square().sum(1)
    loss = -pool.victim_probits.gather(1, pool.truth[:, None]).squeeze(1).log()
    return loss if on == "right" else -loss


def drawn(pool: Pool, rng: torch.Generator, n: int, on: On, key: Tensor, width: float) -> Draw:
    """The first n of a stratum by a key, small first, ties by place; noise of `width` is added to ranks between 0 and 1."""
    members = ((pool.victim_labels == pool.truth) == (on == "right")).nonzero().squeeze(1)
    rank = torch.empty(len(members), dtype=torch.float64)
    rank[key[members].argsort(stable=True)] = torch.arange(len(members), dtype=torch.float64)
    noise = torch.rand(len(members), generator=rng, dtype=torch.float64)
    order = (rank / max(len(members), 1) + width * noise).argsort(stable=True)
    indices = members[order[:n]]
    return Draw(indices, torch.full_like(indices, len(pool)))  # the truth of all was looked at
