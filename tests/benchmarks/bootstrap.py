"""How long the honest numbers of the leaderboard take: python -m tests.benchmarks.bootstrap

A table of the size of the published one: six schemes, 17 victims on three data sets, 8 tasks, five query seeds. Every step
runs once, in a fresh process, so nothing is warm; importing is timed beside. The bootstrap has 5 s on two cores.
"""

import time

STARTED = time.perf_counter()

import pandas as pd  # noqa: E402 (importing is timed)

from qurd_core.statistics import compare, node_bootstrap, tpr_report  # noqa: E402
from tests.score_tables import score_table  # noqa: E402

IMPORTED = time.perf_counter()

DRAWS = 2000
SKILLS = {"AKH": 2.0, "SAC": 2.2, "ModelDiff": 1.8, "IPGuard": 1.5, "ZestOfLIME": 1.2, "Random": 0.5}
TASKS = [f"task{number}" for number in range(8)]


def published_size() -> pd.DataFrame:
    """Two data sets with eight victims and about 60 unrelated models each, one with one victim and 30."""
    reuse = score_table(SKILLS, {"a": 8, "b": 8}, tasks=TASKS, per_task=1, strangers=5, seeds=5)
    return pd.concat([reuse, score_table(SKILLS, {"c": 1}, tasks=TASKS, per_task=11, strangers=30, seeds=5)])


def main() -> None:
    table = published_size()
    print(f"{'import':34} {IMPORTED - STARTED:6.2f} s")
    print(f"{len(table):,} scores, {DRAWS} draws")
    steps = {
        "node_bootstrap, conformal rule": lambda: node_bootstrap(table, draws=DRAWS),
        "node_bootstrap, paper's rule": lambda: node_bootstrap(table, rule="paper", draws=DRAWS),
        "tpr_report": lambda: tpr_report(table, draws=DRAWS),
        "compare with five schemes": lambda: compare(table, "AKH", [name for name in SKILLS if name != "AKH"], draws=DRAWS),
    }
    for name, step in steps.items():
        started = time.perf_counter()
        step()
        print(f"{name:34} {time.perf_counter() - started:6.2f} s")


if __name__ == "__main__":
    main()
