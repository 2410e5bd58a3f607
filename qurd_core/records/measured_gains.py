"""What other samplers bring to the named schemes, with intervals over models: measured once and kept beside the records."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from qurd_core.records import measured_worth, rate_records
from qurd_core.records.measured import Measured
from qurd_core.runtime import Track, silent
from qurd_core.statistics import Kind, node_bootstrap, simultaneous
from qurd_core.statistics.grids import tasks_of
from qurd_core.statistics.sides import Negatives
from qurd_core.statistics.worth import DRAWS

_TEXTS = ("name", "label", "task", "rule", "negatives")


def measure(benchmark: str, folder: Path | None = None, track: Track = silent) -> pd.DataFrame:
    """`gains` of every named scheme, at every budget, by both rules, without and with hard unrelated models.

    Args:
        folder: of the raw scores and pairs.
    """
    found = families(rate_records.schemes())
    known = {label for name, others in found.items() for label in (name, *others)}

    def of(table: pd.DataFrame, rule: Kind, negatives: Negatives) -> pd.DataFrame:
        return gains(table[table["scheme"].isin(known)], found, rule, negatives)

    return measured_worth.over_choices(benchmark, of, folder, track)


def families(schemes: pd.DataFrame) -> dict[str, list[str]]:
    """The other labels with the representation and the detector of every named scheme.

    Args:
        schemes: from `records.schemes`.
    """
    labels = schemes["name"].where(schemes["name"].notna(), schemes["scheme"])
    heads = dict(zip(labels, schemes["head"], strict=True))
    named = measured_worth.hypotheses(schemes["name"].dropna())
    return {name: [label for label, head in heads.items() if head == heads[name] and label != name] for name in named}


def gains(
    table: pd.DataFrame,
    families: Mapping[str, Sequence[str]],
    rule: Kind,
    negatives: Negatives = "unrelated",
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Differences of TPR between members of a family and its head, on the same models.

    A swap is found by looking at all of them, so the intervals hold for all swaps of a scheme and task in the table at once.

    Args:
        table: a score table at one budget; `scheme` holds labels.
        families: the labels to compare with each name.

    Returns:
        rows of name, label, task, and low and high (95 %), whose middle is the difference itself.
    """
    boot = node_bootstrap(table, rule=rule, negatives=negatives, draws=draws)
    rows = []
    for name, labels in families.items():
        for task in tasks_of(table):
            if not len(boot.of(name, task)):
                continue
            own = boot.draws(name, task)
            found = {label: boot.draws(label, task) - own for label in labels if len(boot.of(label, task))}
            rows += [(name, label, task, *ends) for label, ends in simultaneous(found).items() if not np.isnan(ends[0])]
    return pd.DataFrame(rows, columns=["name", "label", "task", "low", "high"])


GAINS = Measured("gains", (*_TEXTS, "budget", "low", "high"), texts=_TEXTS, counts=("budget",), measure=measure)
