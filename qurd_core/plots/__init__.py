"""Figures: a table of a view goes in, a figure comes out. A module per view, each with its `figure`.

Modules are imported when they are first named: `plots.budget.figure`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "benchmark",
        "bound",
        "budget",
        "designer",
        "distances",
        "effort",
        "heatmap",
        "leaderboard",
        "lineage_tree",
        "paper",
        "pictures",
        "play",
        "separability",
        "swaps",
        "tasks",
    ],
)
