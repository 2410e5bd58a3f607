"""What the pages say: headlines, the line below them, alternative texts. A function of each kind for every view, in a module
of its name; `language` has the words that they share.

Modules are imported when they are first named: `plots.budget.figure`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "benchmark",
        "bound",
        "budget",
        "card",
        "designer",
        "effort",
        "heatmap",
        "leaderboard",
        "lineage_tree",
        "paper",
        "play",
        "queries",
        "separability",
        "swaps",
        "tasks",
    ],
)
