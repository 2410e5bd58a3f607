"""Test patches of Patchwork that nearly occur among the patches that some model was trained on, and what they change.

    python -m tests.benchmarks.near_duplicates

Regions share no pixel, but flat sky and black space look alike everywhere. A test patch is a near-duplicate if a patch of
the victim or attacker region, turned or mirrored in any of eight ways, lies within a root mean square of 2 of 255. AKH and
Random are computed from the shipped labels with and without them, at 100 queries: every rate, and delta_C of every pair.
"""

import sys

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from qurd_core.benchmarks.patchwork.patches import patches
from qurd_core.records import rate_records
from qurd_core.records.bank import Bank
from qurd_core.statistics.metrics import aggregate
from qurd_core.statistics.sides import NEGATIVE_KINDS
from tests.score_tables import cells

OF_PATCHES = ("patchwork-sac", "patchwork-reuse")
NEAR = 2.0  # of 255
REGIONS = ("victim", "attacker")
BUDGET, SEEDS = 100, 20


def near_duplicates() -> Tensor:
    """(4000,) whether each test patch is one."""
    test = patches("test").pixels.float()
    found = torch.zeros(len(test), dtype=torch.bool)
    for region in REGIONS:
        seen = patches(region).pixels.float()
        for turn in range(4):
            turned = torch.rot90(seen, turn, (2, 3))
            for image in (turned, turned.flip(3)):
                # Means over squares are never further apart than the patches, and are compared much faster.
                close = _near(*(avg_pool2d(each, 8) for each in (test, image)), NEAR + 1e-3)
                ours, theirs = close.any(1), close.any(0)
                found[ours] |= _near(test[ours], image[theirs], NEAR).any(1)
    return found


def _near(some: Tensor, others: Tensor, most: float) -> Tensor:
    """Whether the root mean square between any two images is at most so large."""
    one, other = some.flatten(1), others.flatten(1)
    return torch.cdist(one, other) <= most * one.shape[1] ** 0.5


def rates(benchmark: str, near: np.ndarray, negatives: str) -> pd.DataFrame:
    """TPR of AKH and Random by task: with and without near-duplicates, by both rules."""
    bank, pairs, parts = Bank.read(rate_records.bank_path(benchmark)), rate_records.pairs(benchmark), []
    for number, victim in enumerate(bank.victims):
        own, ours = pairs[pairs["victim"] == victim], bank.of(victim)
        theirs = bank.rows(own["suspect"].tolist())
        about = own[["victim", "suspect", "kind", "tasks"]].assign(lineage=own["root"], budget=BUDGET, used=BUDGET)
        for seed in range(SEEDS):
            order = np.random.default_rng([seed, number]).permutation(len(ours))
            for kept, images in (("all", order), ("without", order[~near[order]])):
                for scheme, drawn in (("AKH", images[ours[images] != bank.truth[images]]), ("Random", images)):
                    apart = (theirs[:, drawn[:BUDGET]] != ours[drawn[:BUDGET]]).mean(axis=1)
                    parts.append(about.assign(benchmark=kept, scheme=scheme, query_seed=seed, value=apart))
    found = aggregate(cells(pd.concat(parts, ignore_index=True), negatives=negatives))
    return found.pivot(index=["scheme", "task"], columns="benchmark", values=["tpr", "tpr_conformal"])


def delta_c(benchmark: str, near: np.ndarray) -> pd.DataFrame:
    """delta_C of every pair with and without near-duplicates."""
    bank, pairs = Bank.read(rate_records.bank_path(benchmark)), rate_records.pairs(benchmark)
    rows = []
    for pair in pairs.itertuples():
        ours, theirs = bank.rows([pair.victim, pair.suspect])
        wrong = ours != bank.truth
        rows.append(((ours != theirs)[wrong].mean(), (ours != theirs)[wrong & ~near].mean()))
    return pd.DataFrame(rows, columns=["all", "without"])


def main() -> None:
    near = near_duplicates().numpy()
    by_class = np.bincount(patches("test").truth[near], minlength=10).tolist()
    print(f"{near.sum()} of {len(near)} test patches: {by_class} by class")
    for benchmark in OF_PATCHES:
        moved = delta_c(benchmark, near)
        print(f"{benchmark}: delta_C changes by at most {(moved['all'] - moved['without']).abs().max():.3f}")
        for negatives in NEGATIVE_KINDS:
            found = rates(benchmark, near, negatives)
            print(f"{benchmark}, {negatives}\n{found.round(3).to_string()}")


if __name__ == "__main__":
    sys.exit(main())
