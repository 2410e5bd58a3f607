"""How often the 95 % interval of a rate holds the rate of other models, at 3 and at 8 independent victims.

    python -m tests.benchmarks.coverage

Every world draws victims, their stolen models, unrelated models and query seeds anew. Its spreads are those of the named
schemes on Patchwork, in standard deviations of the unrelated models: .5 to .8 between victims, .8 between the stolen models
of one, half of the variance of unrelated models or more the same for all victims. The rate to be held is its mean over many
worlds. Takes some minutes.
"""

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd

from qurd_core.statistics import tpr_report

UNRELATED, STOLEN, SEEDS = 40, 5, 5
WORLDS = [  # mean of stolen models, spread between victims, share of the unrelated models' variance that victims share
    (-1.5, 0.5, 0.5),
    (-1.5, 0.8, 0.8),
    (-2.5, 0.6, 0.7),
    (-2.5, 0.8, 0.8),
    (-3.2, 0.5, 0.5),
]
WITHIN, OF_SEEDS = 0.8, 0.3**0.5


def world(rng: np.random.Generator, victims: int, mean: float, between: float, shared: float) -> pd.DataFrame:
    """A score table of one scheme and task."""
    same = rng.normal(size=(1, UNRELATED)) * shared**0.5
    unrelated = same + rng.normal(size=(victims, UNRELATED)) * (1 - shared) ** 0.5
    stolen = mean + between * rng.normal(size=(victims, 1)) + WITHIN * rng.normal(size=(victims, STOLEN))
    values = np.concatenate([stolen, unrelated], axis=1)[:, :, None] + OF_SEEDS * rng.normal(
        size=(victims, STOLEN + UNRELATED, SEEDS)
    )
    victim, model, seed = (axis.ravel() for axis in np.indices(values.shape))
    own = model < STOLEN
    names = np.where(own, np.char.add("victim", victim.astype(str)), np.char.add("other", model.astype(str)))
    return pd.DataFrame(
        {
            "benchmark": "made up",
            "scheme": "s",
            "victim": np.char.add("victim", victim.astype(str)),
            "suspect": np.where(own, np.char.add(names, np.char.add("-", model.astype(str))), names),
            "kind": np.where(own, "positive", "negative"),
            "tasks": [["prune"]] * values.size,
            "lineage": names,
            "query_seed": seed,
            "budget": 100,
            "value": values.ravel(),
        }
    )


def reports(victims: int, which: tuple[float, float, float], times: int, draws: int, start: int) -> Iterator:
    for number in range(start, start + times):
        table = world(np.random.default_rng([number, victims]), victims, *which)
        (found,) = tpr_report(table, rule="paper", tasks=["prune"], draws=draws)
        yield found


def coverage(victims: int, which: tuple[float, float, float], times: int, draws: int = 300) -> float:
    """Share of the worlds whose interval holds the rate."""
    truth = np.mean([found.point for found in reports(victims, which, 4 * times, 1, 100_000)])
    return float(np.mean([found.ci[0] <= truth <= found.ci[1] for found in reports(victims, which, times, draws, 0)]))


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    for victims in (3, 8):
        found = []
        for which in WORLDS:
            found.append(coverage(victims, which, times))
            print(f"{victims} victims, mean {which[0]}, between {which[1]}, shared {which[2]}: {found[-1]:.3f}", flush=True)
        print(f"{victims} victims, mean over worlds: {np.mean(found):.3f}", flush=True)


if __name__ == "__main__":
    main()
