"""What a benchmark cannot tell, in one sentence that goes with every page."""

import pandas as pd

from qurd_core.findings.language.words import counted
from qurd_core.lineage import count_independent

_SHOWS = {  # what every picture of a benchmark is
    "patchwork-sac": "32-pixel patches of ten photographs",
    "patchwork-reuse": "32-pixel patches of ten photographs",
    "fashion-sac": "small grey pictures of clothes",
    "published-cifar10": "CIFAR10",
    "published-flower102": "Flower102",
    "published-sdog120": "SDog120",
}


def limits(base: str, pairs: pd.DataFrame, models: pd.DataFrame) -> str:
    """One domain, the size of its networks, and how many victims are independent.

    Args:
        base: a whole benchmark, or the one that a saved one is a part of; of one that ships it is known what pictures show.
        pairs, models: from `evidence`.
    """
    roots = models.drop_duplicates("lineage").set_index("lineage")["root"]
    victims = count_independent(roots[pairs["victim"].unique()])
    said = [f"one domain ({_SHOWS[base]})"] if base in _SHOWS else []
    if "parameters" in models:
        low, high = (round(models["parameters"].agg(end) / 1000) for end in ("min", "max"))
        said.append(f"networks of {low} to {high} thousand weights")
    said.append(counted(victims, "independent victim"))
    return f"What {base} rests on: {', '.join(said)}. Its numbers need not hold for other images and networks."
