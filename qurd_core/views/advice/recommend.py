"""Which scheme to use: what was recorded of every scheme on every benchmark, for what an owner has and a suspect reveals."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qurd_core.errors import QurdError, unknown
from qurd_core.records import rate_records
from qurd_core.records.measured_worth import HONEST
from qurd_core.records.scheme_table import LEVELS, controls
from qurd_core.registry import seed_rules
from qurd_core.schemes import declared

ACCESS = ("labels", "topk", "probits", "logits")
NOISE = "noise"  # the seed set that needs no photographs
ERRORS = 2.0  # standard errors over query seeds, where no distances are recorded
GRADIENTS, SUSPECT_GRADIENTS = "needs gradients of the victim", "needs gradients of the suspect"
PHOTOS, RUNS_OUT = "needs photographs", "runs out of"


@dataclass(frozen=True)
class Means:
    """What there is to work with.

    Attributes:
        access: what a suspect reveals, one of `ACCESS`.
        budget: images that may be sent to it.
        gradients: whether the victim gives gradients.
        photos: whether there are photographs to start from.
        labelled: images whose class is known, None for as many as are needed.
    """

    access: str
    budget: int
    gradients: bool = True
    photos: bool = True
    labelled: int | None = None


class Fewer(NamedTuple):
    """A smaller budget at which a scheme catches more than any does at the one that was asked for."""

    budget: int
    label: str
    worst: float
    mean: float


@dataclass(frozen=True)
class Recommended:
    """Schemes in the order in which to try them.

    Attributes:
        at: the recorded budget that was looked at, the largest one that the budget pays for.
        rows: a scheme each, with `COLUMNS`: worst, mean and interval (low, high, where it is worst) by the paper's rule;
            worst and mean by the guaranteed one over the `guaranteed_on` benchmarks where it is not refused. Schemes of one
            group are tied.
        each: TPR, interval and guaranteed TPR of every scheme of `rows` on every benchmark.
        losers: label, name and reason of all others.
        benchmarks: those that the worst and the mean are over.
        fewer: where less is more, since schemes run out of images.
    """

    at: int
    rows: pd.DataFrame
    each: pd.DataFrame
    losers: pd.DataFrame
    benchmarks: tuple[str, ...]
    fewer: Fewer | None = None


COLUMNS = (
    *("rank", "label", "group", "worst", "low", "high", "on", "mean", "guaranteed", "guaranteed_mean", "guaranteed_on"),
    *("access", "gradients", "samples", "scheme", "name"),
)


def recommend(means: Means, folder: Path | None = None) -> Recommended:
    """Recorded schemes by their worst, then their mean TPR over all benchmarks that there are records of.

    A scheme that is not recorded on all of them is none: a worst value over fewer is not comparable. Where these means allow
    no such scheme, the benchmarks with fewest of those that they allow are left out. A scheme is tied with the best one that
    is left if on no benchmark its interval lies below that of the other; of tied ones the cheaper one goes first, which
    needs less access, then fewer gradients; then one with a name, which was not picked by these numbers.

    Args:
        folder: of the records; what ships if not given.

    Raises:
        QurdError: an unknown access, a number out of range, or a budget below all recorded ones.
    """
    if means.access not in ACCESS:
        raise unknown("access", means.access, ACCESS)
    if means.labelled is not None and means.labelled < 0:
        raise QurdError(f"Expected a number of labelled images from 0. Got {means.labelled}.")
    schemes = rate_records.schemes(folder).set_index("scheme")
    known = {name: rate_records.read(name, folder=folder) for name in rate_records.SHIPPED}
    common = sorted(set.intersection(*({*table["budget"]} for table in known.values())))
    affordable = [int(budget) for budget in common if budget <= means.budget]
    if not affordable:
        raise QurdError(
            f"Expected a budget of at least {common[0]} queries: fewer are recorded nowhere. Got {means.budget}."
        )
    *less, at = affordable
    found = _at(at, means, schemes, known, folder)
    if found.rows.empty or not found.losers["reason"].str.startswith(RUNS_OUT).any():
        return found
    others = {name: known[name] for name in found.benchmarks}
    for budget in reversed(less):
        rows = _at(budget, means, schemes, others, folder).rows
        if len(rows) and rows.iloc[0]["worst"] > found.rows["worst"].max():
            first = rows.iloc[0]
            return replace(found, fewer=Fewer(budget, first["label"], float(first["worst"]), float(first["mean"])))
    return found


def _at(at: int, means: Means, schemes: pd.DataFrame, known: dict[str, pd.DataFrame], folder: Path | None) -> Recommended:
    cost, recorded = _costs(known, at), {name: _recorded(table, at) for name, table in known.items()}
    none = controls(schemes.reset_index())
    reasons = {scheme: _forbids(scheme, about, cost, means) for scheme, about in schemes.iterrows() if scheme not in none}
    allowed = {scheme for scheme, reason in reasons.items() if reason is None}
    held = _shared(allowed, recorded)
    reasons |= {scheme: _lacks(scheme, schemes.loc[scheme], held, at) for scheme in allowed}
    kept = [scheme for scheme, reason in reasons.items() if known and reason is None]
    each = pd.concat([_on(name, table, kept, at, folder) for name, table in known.items()] or [_NOTHING], ignore_index=True)
    names = {scheme: name if isinstance(name, str) else None for scheme, name in schemes["name"].items()}
    losers = [(names[scheme] or scheme, names[scheme], reason) for scheme, reason in reasons.items() if reason]
    rows = _ranked(each, schemes, cost)
    return Recommended(at, rows, each, pd.DataFrame(losers, columns=["label", "name", "reason"]), tuple(held))


def _shared(allowed: set[str], recorded: dict[str, "_Recorded"]) -> dict[str, "_Recorded"]:
    """The benchmarks with a scheme that all of them have: those on which fewest of some schemes are recorded go first."""
    held = dict(recorded)
    while held and not set.intersection(allowed, *(one.there for one in held.values())):
        del held[min(held, key=lambda name: len(allowed & held[name].there))]
    return held


class _Recorded(NamedTuple):
    """Schemes of a benchmark: those that are known, that have a rate at a budget, and at a smaller one."""

    known: set[str]
    there: set[str]
    before: set[str]


def _recorded(table: pd.DataFrame, at: int) -> _Recorded:
    with_rate = table[table["tpr"].notna()]
    chosen = (table, with_rate[with_rate["budget"] == at], with_rate[with_rate["budget"] < at])
    return _Recorded(*({*some["scheme"]} for some in chosen))


def _costs(known: dict[str, pd.DataFrame], at: int) -> pd.DataFrame:
    """By scheme, the most gradients of the victim and labelled images that a query set took where that was counted."""
    tables = [table[table["budget"] == at][["scheme", "gradients", "samples"]] for table in known.values()]
    return pd.concat(tables).groupby("scheme")[["gradients", "samples"]].max()


def _forbids(scheme: str, about: pd.Series, cost: pd.DataFrame, means: Means) -> str | None:
    """What a scheme needs that is not there, or None."""
    if about["level"] > LEVELS[means.access]:
        return SUSPECT_GRADIENTS if about["level"] == LEVELS["gradients"] else f"needs {about['access']}"
    spent = cost.loc[scheme] if scheme in cost.index else pd.Series({"gradients": math.nan, "samples": math.nan})
    if not means.gradients and spent["gradients"] > 0:
        return GRADIENTS
    if not means.photos and about["split"] != NOISE:
        return PHOTOS
    if means.labelled is not None and spent["samples"] > means.labelled:
        return f"needs more than {means.labelled:,} labelled images"
    return None


def _lacks(scheme: str, about: pd.Series, recorded: dict[str, _Recorded], at: int) -> str | None:
    """Where there is no rate of a scheme, or None."""
    for name, held in recorded.items():
        if scheme in held.there:
            continue
        if scheme not in held.before:
            return f"not recorded on {name}" + f" at {at}" * (scheme in held.known)
        what = "mistakes" if declared(seed_rules, about["seeds"]).story == "mistakes" else "images"
        return f"{RUNS_OUT} {what} at {at}"
    return None


def _on(benchmark: str, table: pd.DataFrame, kept: list[str], at: int, folder: Path | None) -> pd.DataFrame:
    """What some schemes catch on a benchmark, with an interval over models, or query seeds where no distances are kept."""
    rows = table[(table["budget"] == at) & table["scheme"].isin(kept)].drop_duplicates("scheme")
    worth = HONEST.read(benchmark, folder)
    worth = worth[(worth["task"] == "all") & (worth["rule"] == "paper") & (worth["negatives"] == "unrelated")]
    worth = worth[worth["budget"] == at].drop_duplicates("label").set_index("label")
    label = rows["name"].where(rows["name"].notna(), rows["scheme"])
    error = ERRORS * rows["sd"] / np.sqrt(rows["seeds"])
    low, high = (label.map(worth[end]).astype(float) for end in ("low", "high"))
    return pd.DataFrame(
        {
            "scheme": rows["scheme"],
            "benchmark": benchmark,
            "tpr": rows["tpr"],
            "low": low.fillna((rows["tpr"] - error).clip(lower=0)),
            "high": high.fillna((rows["tpr"] + error).clip(upper=1)),
            "guaranteed": rows["tpr_conformal"],
            "over": np.where(low.notna(), "models", "query seeds"),
        }
    )


_NOTHING = pd.DataFrame(columns=["scheme", "benchmark", "tpr", "low", "high", "guaranteed", "over"])


def _ranked(each: pd.DataFrame, schemes: pd.DataFrame, cost: pd.DataFrame) -> pd.DataFrame:
    if each.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    worst = each.loc[each.groupby("scheme")["tpr"].idxmin()].set_index("scheme")
    grouped = each.groupby("scheme")
    table = pd.DataFrame(
        {
            "worst": worst["tpr"],
            "mean": grouped["tpr"].mean(),
            "on": worst["benchmark"],
            "low": worst["low"],
            "high": worst["high"],
            "guaranteed": grouped["guaranteed"].min(),
            "guaranteed_mean": grouped["guaranteed"].mean(),
            "guaranteed_on": grouped["guaranteed"].count(),
        }
    )
    table = table.join(schemes[["name", "access", "level"]]).join(cost).fillna({"gradients": 0, "samples": 0})
    table["label"] = table["name"].where(table["name"].notna(), table.index)
    table = table.reset_index().sort_values(["worst", "mean", "scheme"], ascending=[False, False, True], ignore_index=True)
    ends = [each.pivot(index="scheme", columns="benchmark", values=end).loc[table["scheme"]] for end in ("low", "high")]
    table["group"] = groups(*(end.to_numpy(float) for end in ends))
    order = ["group", "level", "gradients", "nameless", "mean", "worst", "scheme"]
    table = table.assign(nameless=table["name"].isna())
    table = table.sort_values(order, ascending=[True, True, True, True, False, False, True], ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1))[[*COLUMNS]]


def groups(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.int_]:
    """(n,) the number of the group of tied schemes that each is in, from 0.

    The best scheme that is left begins a group. Whoever's interval lies below its own on no benchmark is in it.

    Args:
        low, high: (n,B) ends of the intervals, the best scheme first.

    >>> groups(np.array([[0.5, 0.6], [0.4, 0.7], [0.1, 0.6]]), np.array([[0.7, 0.8], [0.6, 0.9], [0.3, 0.8]])).tolist()
    [0, 0, 1]
    """
    found, number = np.full(len(low), -1), 0
    while (found < 0).any():
        left = found < 0
        first = int(np.flatnonzero(left)[0])
        found[left & (high >= low[first]).all(1)] = number
        number += 1
    return found
