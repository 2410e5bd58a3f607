"""What the leaderboard says besides rates: all tasks at once, false alarms on hard unrelated models, schemes in words."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qurd_core.findings.language import words
from qurd_core.findings.language.words import Measured
from qurd_core.records import evidence, measured_worth, own_records, rate_records
from qurd_core.records.evidence import Scores
from qurd_core.records.scheme_table import LEVELS, allowed, twins
from qurd_core.schemes import CHARTED, PUBLISHED, REFERENCE, Scheme, describe
from qurd_core.statistics import Kind, allowed_below
from qurd_core.statistics.metrics import Floats
from qurd_core.statistics.sides import Negatives, sides

UNRECORDED = "not recorded yet; Compose runs it live"
CRAFT = "crafts queries, and no model is here that could answer them"
SPLIT = "starts from {} images, and there are none"
ACCESS = "needs {}, which the models here do not reveal"
SAME = "same"  # the task whose stolen models are exact copies


def by_task(
    benchmark: str, at: int, negatives: Negatives = "unrelated", *, scores: Scores | None = None, folder: Path | None = None
) -> pd.DataFrame:
    """Every combination on every task at one budget: rows of `records.COLUMNS`.

    Args:
        scores: of a bench that keeps a part of the pairs, where they have been read already.
    """
    if rate_records.is_whole(benchmark):
        return rate_records.read_at(benchmark, at, negatives=negatives, folder=folder)
    scores = scores or Scores.read(benchmark, folder)
    table = evidence.rates(scores, evidence.pairs(benchmark, folder), negatives, budget=at)
    whole = rate_records.read_at(evidence.base_of(benchmark), at, folder=folder).drop_duplicates("scheme")
    known = evidence.of_whole(benchmark, whole, folder).drop(columns="budget")
    table = table.drop(columns=["benchmark", "used"]).merge(known, on="scheme", how="left").assign(negatives=negatives)
    return table[list(rate_records.COLUMNS)]


class Kept(NamedTuple):
    """How a scheme does on tasks: the mean over some, and the one where it is weakest."""

    mean: float
    tasks: int
    weakest: str
    least: float


def robustness(rates: "pd.Series[float]") -> Kept | None:
    """The rates of all tasks but the copies, each task counting once; None where there is none.

    Args:
        rates: of one scheme, by task.
    """
    rest = rates.drop(["all", SAME], errors="ignore").dropna()
    return Kept(rest.mean(), len(rest), str(rest.idxmin()), rest.min()) if len(rest) else None


class FalseAlarms(NamedTuple):
    """Shares of models below the threshold that a rule sets on the unrelated models; NaN where the rule is refused.

    Attributes:
        unrelated, hard: the shares, means over victims and query seeds; `hard` is NaN where there is no such model.
        n_unrelated, n_hard: pairs with such models, of all victims.
        budget: at which the distances were recorded.
    """

    unrelated: float
    hard: float
    n_unrelated: int
    n_hard: int
    budget: int


def false_alarms(scores: Scores, pairs: pd.DataFrame, scheme: str, at: int, kind: Kind = "paper") -> FalseAlarms | None:
    """How many innocent models a scheme accuses, all tasks together; None where its distances are not recorded.

    Args:
        pairs: from `evidence.pairs`.
        at: the budget; the largest recorded one that it pays for is taken.
    """
    budgets = scores.columns.loc[scores.columns["scheme"] == scheme, "budget"]
    affordable = budgets[budgets <= at]
    if affordable.empty:
        return None
    budget, shares, counts = int(affordable.max()), [], np.zeros(2, int)
    for victim, rows in pairs.groupby("victim", sort=False):
        side = sides(rows["kind"].tolist(), rows["tasks"].tolist(), rows["root"].tolist())["all"]
        values = scores.of(victim, scheme, budget).loc[rows["suspect"]].to_numpy()
        unrelated, hard = values[side.negatives], values[(rows["kind"] == "hard").to_numpy()]
        counts += len(unrelated), len(hard)
        if values.shape[1]:
            shares.append(_below(unrelated, side.repeat, hard, side.calibrating(values, kind), kind))
    if not shares:
        return None
    return FalseAlarms(*_means(shares), *counts.tolist(), budget)


def about(schemes: pd.DataFrame, label: str) -> dict[str, object] | None:
    """What is known of a scheme, by its name or text, with its idea in words; None where it is not recorded."""
    own = _row(schemes, label)
    if own is None:
        return None
    known = {key: None if isinstance(value, float) else value for key, value in own.to_dict().items()}  # NaN says nothing
    return _with_idea(known)


def about_any(scheme: Scheme) -> dict[str, object]:
    """The same of any scheme, from its parts."""
    return _with_idea(describe(scheme))


def composed(words: dict[str, str]) -> str:
    """The idea of a combination without a name, in two sentences, from what its parts say of themselves."""
    seeds, craft, look, compare = (_phrase(words[part]) for part in ("seeds", "craft", "representation", "detector"))
    sent = seeds if words["craft"] == _UNTOUCHED else f"{seeds}. Of these: {craft}"
    return f"Sent: {sent}. Compared: {look}; {compare}."


_UNTOUCHED = "Send the seed images themselves."


def _with_idea(known: dict[str, object]) -> dict[str, object]:
    return known | {"idea": known["idea"] or composed(known["words"])}


def _phrase(sentence: str) -> str:
    """A part's line of help without the shapes of tensors and the full stop."""
    bare = re.sub(r":? \(M[^)]*\)", "", sentence.strip()).rstrip(".")
    return bare[:1].lower() + bare[1:] if bare[1:2].islower() or bare[1:2] == " " else bare


def _row(schemes: pd.DataFrame, label: str) -> pd.Series | None:
    found = schemes[(schemes["name"] == label) | (schemes["scheme"] == label)]
    return found.iloc[0] if len(found) else None


def _below(unrelated: Floats, times: NDArray[np.int_], hard: Floats, calibrating: Floats, kind: Kind) -> tuple[float, float]:
    """Shares, means over the columns, strictly below the threshold: of the unrelated models, which by the paper's rule count
    `times`, and of the hard ones.
    """
    k = allowed_below(len(calibrating), kind=kind)
    if k is None:
        return np.nan, np.nan
    threshold = np.partition(calibrating, k, axis=0)[k]
    pool = np.repeat(unrelated, times, axis=0) if kind == "paper" else unrelated
    return (pool < threshold).mean(), (hard < threshold).mean() if len(hard) else np.nan


def _means(shares: list[tuple[float, float]]) -> list[float]:
    """Means over victims; NaN where no victim has a share."""
    columns = np.array(shares).T
    return [float(column[~np.isnan(column)].mean()) if not np.isnan(column).all() else np.nan for column in columns]


def board(
    points: pd.DataFrame,
    schemes: pd.DataFrame,
    at: int,
    reveal: str = "logits",
    worth: pd.DataFrame = measured_worth.UNKNOWN,
) -> pd.DataFrame:
    """The combinations at one budget that the suspect's answers allow.

    Args:
        points: from `budget.curves`.
        schemes: from `records.schemes`.
        reveal: what the suspect reveals, one of `LEVELS`.
        worth: of the same task and budget.

    Returns:
        the rows with `level`, `control` (whether it is no fingerprint), and what `judged` gives.
    """
    return judged(allowed(points[points["budget"] == at].astype({"label": object}), schemes, reveal), worth)


def judged(rows: pd.DataFrame, worth: pd.DataFrame = measured_worth.UNKNOWN) -> pd.DataFrame:
    """Rows of one task and budget against the reference.

    Args:
        worth: what is known of intervals and tests.

    Returns:
        the rows with `gap`, `verdict` (None for the reference and where there is no value; where nothing was tested, by the
        spread over query seeds), and `low` and `high`, the interval over models.
    """
    rows = measured_worth.with_intervals(rows, worth)
    reference = rows.loc[rows["label"] == REFERENCE, ["value", "spread", "seeds"]]
    if reference.empty or math.isnan(reference["value"].iloc[0]):
        return rows.assign(gap=math.nan, verdict=None)
    other = Measured(*reference.iloc[0])
    found = [
        None if label == REFERENCE or math.isnan(value) else words.verdict(Measured(value, sd, seeds), other)
        for label, value, sd, seeds in rows[["label", "value", "spread", "seeds"]].itertuples(index=False)
    ]
    verdicts = pd.Series(found, rows.index, object)
    return rows.assign(gap=rows["value"] - other.value, verdict=measured_worth.tested(rows["label"], verdicts, worth))


def published(rows: pd.DataFrame) -> pd.DataFrame:
    """The published schemes that have a value."""
    return rows[rows["label"].isin(PUBLISHED) & rows["value"].notna()]


def strongest(rows: pd.DataFrame) -> pd.Series | None:
    """The control that catches most; None where none has a value."""
    controls = rows[rows["control"] & rows["value"].notna()]
    return controls.loc[controls["value"].idxmax()] if len(controls) else None


def left_out(points: pd.DataFrame, rows: pd.DataFrame, schemes: pd.DataFrame, at: int, reveal: str) -> dict[str, str]:
    """The named schemes that are not drawn, with the reason."""
    all_rows = points[points["budget"] == at].set_index("label")
    beyond = withheld(schemes, reveal)
    known, values = twins(schemes), rows.set_index("scheme")["value"].to_dict()
    drawn, found = set(rows.loc[rows["value"].notna(), "label"]), {}
    for name in CHARTED:
        if name in drawn or name not in all_rows.index:
            continue
        row = all_rows.loc[name]
        if name not in set(rows["label"]):
            weaker = values.get(known.get(row["scheme"]), math.nan)
            instead = "" if math.isnan(weaker) else f"; the same scheme on probits catches {words.percent(weaker)}"
            found[name] = f"{beyond[row['scheme']]}{instead}"
        else:
            found[name] = row["reason"] or "no value at this budget"
    return found


def withheld(schemes: pd.DataFrame, reveal: str) -> dict[str, str]:
    """The schemes that the suspect's answers do not allow, by their text, with the reason.

    Args:
        schemes: from `records.schemes`.
        reveal: what the suspect reveals, one of `LEVELS`.
    """
    more = schemes[schemes["level"] > LEVELS[reveal]]
    return {text: words.needs(access, reveal) for text, access in zip(more["scheme"], more["access"], strict=True)}


def lacking(schemes: pd.DataFrame, benchmark: str) -> dict[str, str]:
    """The schemes that do not go with what is there of a benchmark that somebody brings, by their text, with the reason.

    Args:
        schemes: from `records.schemes`.
    """
    note = None if benchmark in rate_records.SHIPPED else own_records.note_of(evidence.base_of(benchmark))
    if note is None:
        return {}
    found = {text: ACCESS.format(access) for text, access in _of(schemes[schemes["level"] > note.access], "access")}
    found |= {text: SPLIT.format(split) for text, split in _of(schemes[~schemes["split"].isin(note.splits)], "split")}
    crafted = schemes.loc[schemes["sampler"].str.contains("->") & (not note.asks), "scheme"]
    return found | dict.fromkeys(crafted, CRAFT)


def _of(schemes: pd.DataFrame, column: str) -> list[tuple[str, str]]:
    return list(zip(schemes["scheme"], schemes[column], strict=True))


def unrecorded(points: pd.DataFrame, schemes: pd.DataFrame, benchmark: str) -> dict[str, str]:
    """The published schemes that the records of a benchmark do not hold, with what can be done about it.

    There are none where only scores were published, which no run adds to.

    Args:
        schemes: from `records.schemes`.
    """
    if evidence.was_published(benchmark):
        return {}
    lacks = lacking(schemes, benchmark)
    texts = schemes.dropna(subset="name").set_index("name")["scheme"]
    known = set(points["label"])
    return {name: lacks.get(texts.get(name), UNRECORDED) for name in PUBLISHED if name not in known}


def budgets(points: pd.DataFrame) -> list[int]:
    """The recorded budgets."""
    return sorted(points["budget"].unique().tolist())


def together(boards: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The boards of several benchmarks as one table."""
    return pd.concat([rows.assign(benchmark=name) for name, rows in boards.items()], ignore_index=True)
