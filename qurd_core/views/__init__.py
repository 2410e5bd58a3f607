"""What the pages show, as tables, from records and without torch: a module per view.

Modules are imported when they are first named: `plots.budget.figure`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "budget",
        "contents",
        "costs",
        "designer",
        "differences",
        "effort",
        "heatmap",
        "leaderboard",
        "play",
        "query_sets",
        "separability",
        "suggest",
        "swaps",
        "tasks",
        "telling",
    ],
)
