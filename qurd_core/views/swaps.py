"""What a scheme reaches with every other sampler."""

from typing import Any

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.findings.language.words import Measured
from qurd_core.records import measured_worth
from qurd_core.schemes import BASELINES, CHARTED
from qurd_core.statistics.worth import side


def choices(rows: pd.DataFrame) -> list[str]:
    """The schemes whose sampler can be swapped: the named ones with a value, the published ones first."""
    names = [name for name in CHARTED if name not in BASELINES[1:]]
    found = rows.loc[rows["value"].notna(), "label"]
    return sorted(found[found.isin(names)], key=lambda name: (name in BASELINES, names.index(name)))


def swaps(
    rows: pd.DataFrame, schemes: pd.DataFrame, name: str, known: pd.DataFrame = measured_worth.UNKNOWN
) -> pd.DataFrame:
    """All samplers before the representation and detector of a scheme, best first.

    Args:
        rows: from `leaderboard.board`.
        schemes: from `records.schemes`.
        known: intervals of the gains, by label, from `evaluation.gains`.

    Returns:
        rows of scheme, label, sampler, value, spread, seeds, gain (to the scheme as published), gain_low and gain_high (its
        interval over models, NaN where none is known or no draw changes the gain), verdict (None for the scheme itself),
        over (what the verdict rests on: `"models"` or `"query seeds"`) and reason; those without a value last.
    """
    parts = schemes.set_index("scheme")[["sampler", "head"]]
    table = rows.drop(columns=["verdict", "gap"], errors="ignore").join(parts, on="scheme")
    own = table[table["label"] == name].iloc[0]
    table = table[table["head"] == own["head"]]
    table = table.assign(gain=table["value"] - own["value"], **_ends(table["label"], known, own["value"]))
    others = (table["label"] != name) & table["value"].notna()
    over = table["label"].isin(known.index).map({True: MODELS, False: SEEDS})
    table["over"] = over.astype(object).where(others, None)
    other = Measured(own["value"], own["spread"], own["seeds"])
    told = [None if row.over is None else _told(row, other) for row in table.itertuples()]
    table["verdict"] = pd.Series(told, table.index, dtype=object)
    kept = table[list(_COLUMNS)]
    return kept.sort_values(["value", "sampler"], ascending=[False, True], na_position="last").reset_index(drop=True)


_COLUMNS = (
    *("scheme", "label", "sampler", "value", "spread", "seeds"),
    *("gain", "gain_low", "gain_high", "verdict", "over", "reason"),
)
MODELS, SEEDS = "models", "query seeds"


def _ends(labels: pd.Series, known: pd.DataFrame, published: float) -> dict[str, pd.Series]:
    """The intervals of gains, as far as a rate can go from the published one; NaN where no draw changes the gain."""
    low, high = (labels.map(known[end]).astype(float) for end in ("low", "high"))
    return {
        f"gain_{end}": values.where(low < high).clip(-published, 1 - published)
        for end, values in {"low": low, "high": high}.items()
    }


def _told(row: Any, published: Measured) -> words.Verdict:
    """The verdict on a swap."""
    if row.over == SEEDS:
        return words.verdict(Measured(row.value, row.spread, row.seeds), published)
    return side(row.gain_low, row.gain_high)


def missing(table: pd.DataFrame) -> dict[str, str]:
    """The samplers without a value, with the reason."""
    empty = table[table["value"].isna()]
    return dict(zip(empty["sampler"], empty["reason"].fillna("no value at this budget"), strict=True))
