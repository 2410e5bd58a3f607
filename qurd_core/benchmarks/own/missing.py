"""Answers that a table lacks: none of a victim, which is at hand; of other models some are left out of the table.

A missing answer counts as disagreement. For a stolen model that is conservative, however many are missing: it can only be
overlooked. For an unrelated model it is not: it looks farther from the victim than it is and may lift the threshold, so
`evaluation.plan` looks at the very queries that it was sent.
"""

from collections.abc import Iterable, Iterator

import pandas as pd

from qurd_core.types import Pair

MOST = 0.1  # share of the answers that an unrelated model may lack


def missing_of_victims(table: pd.DataFrame, pairs: Iterable[Pair]) -> Iterator[str]:
    """Which victim lacks an answer, a sentence per victim and split.

    Args:
        table: rows of item, truth, model, label and split, at most one per item and model.
        pairs: whose victims are looked at.
    """
    victims = dict.fromkeys(pair.victim for pair in pairs)
    for split, rows in table.groupby("split", observed=True):
        items = pd.Index(rows["item"].unique()).sort_values()
        answered = rows.groupby("model", observed=True)["item"]
        for victim in victims:
            there = answered.get_group(victim) if victim in answered.groups else ()
            if len(missing := items.difference(pd.Index(there))):
                yield (
                    f"'{victim}' has no answer to the item '{missing[0]}' of {split}. It is a victim, so it is at hand: ask"
                    f" it, or leave the item out ({len(missing):,} such items)."
                )


def lacking(answered: dict[str, dict[str, tuple[int, int]]]) -> Iterator[str]:
    """Who lacks more than `MOST` of a seed set, a sentence per split.

    Args:
        answered: by split and model, the number of answers that are missing and of items.
    """
    for split, models in answered.items():
        few = {model: gone for model, gone in models.items() if gone[0] > MOST * gone[1]}
        if few:
            model, (gone, items) = max(few.items(), key=lambda one: one[1][0])
            yield (
                f"{len(few):,} model(s) have no answer to more than {MOST:.0%} of the items of {split}; '{model}' to"
                f" {gone:,} of {items:,}. A scheme runs where unrelated models have answered what it asks of them."
            )
