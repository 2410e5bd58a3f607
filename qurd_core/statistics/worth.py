"""What the rates of one score table are worth: intervals over models, comparisons with AKH, ranks, held-out kinds."""

import math
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd

from qurd_core.schemes import REFERENCE
from qurd_core.statistics import (
    Bootstrap,
    Comparison,
    Kind,
    TprReport,
    compare,
    holdout_audit,
    node_bootstrap,
    simultaneous,
    tpr_report,
    victims_needed,
)
from qurd_core.statistics.sides import NEGATIVE_KINDS, Negatives

DRAWS = 2000
EVERY = "all"
TURNED = {"beats": "trails", "trails": "beats"}

Interval = tuple[float, float]
_UNKNOWN: Interval = (math.nan, math.nan)


def worth(
    table: pd.DataFrame,
    rule: Kind,
    negatives: Negatives = "unrelated",
    *,
    named: Collection[str],
    tasks: Sequence[str] | None = None,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Every scheme of a score table against AKH, by task.

    Named schemes are hypotheses: they are compared by exact tests, corrected for each other. All other combinations were
    found by looking: their differences have intervals that hold for all of them at once, and no p-value.

    Args:
        table: a score table at one budget, with the columns of `sides.SCORES`; `scheme` holds labels. With `origin`, the
            kind of an unrelated model (its architecture or pre-trained network), the rule is also tried on kinds held out.
        named: the labels that are hypotheses.
        tasks: those wanted, all if not given.

    Returns:
        rows of label, task; point, low, high (95 %), method, lineages (independent victims); rank_low and rank_high among
        the named (95 % of the draws); diff, diff_low, diff_high (to AKH), p (Holm over the named), needed (independent
        victims that would find ten points), verdict and notes; audit and nominal (false alarms on held-out kinds, task
        `"all"`). The verdict is `"beats"`, `"trails"` or `"on par"` by `compare`; else `"ahead"` or `"behind"` where the
        interval of the difference excludes 0, else `"not distinguished"`. What does not exist is NaN or None.
    """
    boot = node_bootstrap(table, rule=rule, negatives=negatives, tasks=tasks, draws=draws)
    found = tpr_report(table, rule=rule, tasks=tasks, boot=boot)
    by_task = {task: [one for one in found if one.task == task] for task in dict.fromkeys(one.task for one in found)}
    audits = {}
    if "origin" in table and EVERY in by_task:
        audits = {name: _audit(rows, rule, negatives) for name, rows in table[table["scheme"].isin(named)].groupby("scheme")}
    compared = _of_named(table, boot, list(by_task), rule, negatives, named, draws)
    rows: list[dict[str, object]] = []
    for task, those in by_task.items():
        against = compared.get(task, {}) | _of_others(boot, those, task, named)
        ranks = _ranks(boot, [one.scheme for one in those if one.scheme in named], task)
        rows += [
            _row(one, ranks.get(one.scheme, _UNKNOWN))
            | against.get(one.scheme, _NOTHING)
            | (audits.get(one.scheme, _NO_AUDIT) if task == EVERY else _NO_AUDIT)
            for one in those
        ]
    return pd.DataFrame(rows)


COLUMNS = (
    *("label", "task", "point", "low", "high", "method", "lineages", "rank_low", "rank_high"),
    *("diff", "diff_low", "diff_high", "p", "needed", "verdict", "notes", "audit", "nominal"),
)
_NOTHING = dict.fromkeys(("diff", "diff_low", "diff_high", "p", "needed"), math.nan) | {"verdict": None, "notes": None}
_NO_AUDIT = {"audit": math.nan, "nominal": math.nan}


def _row(report: TprReport, rank: Interval) -> dict[str, object]:
    return {
        "label": report.scheme,
        "task": report.task,
        "point": report.point,
        "low": report.ci[0],
        "high": report.ci[1],
        "method": report.method,
        "lineages": report.n_victim_lineages,
        "rank_low": rank[0],
        "rank_high": rank[1],
    }


def _of_named(
    table: pd.DataFrame,
    boot: Bootstrap,
    tasks: Sequence[str],
    rule: Kind,
    negatives: Negatives,
    named: Collection[str],
    draws: int,
) -> dict[str, dict[str, dict[str, object]]]:
    """Comparisons of the named schemes by task. A family is what is seen at once: all of them on one task."""
    present = set(table["scheme"])
    others = [name for name in named if name in present and name != REFERENCE]
    if REFERENCE not in present or not others:
        return {}
    some = table[table["scheme"].isin([REFERENCE, *others])]
    how = {"rule": rule, "negatives": negatives, "draws": draws, "family": "task", "boot": boot}
    found: dict[str, dict[str, dict[str, object]]] = {}
    for one in compare(some, REFERENCE, others, tasks=tasks, **how):
        found.setdefault(one.task, {})[one.b] = _turned(one)
    return found


def _turned(found: Comparison) -> dict[str, object]:
    """What a comparison of AKH with a scheme says about the scheme."""
    if math.isnan(found.diff):
        return _NOTHING
    gaps, low, high = list(found.by_victim.values()), -found.ci95[1], -found.ci95[0]
    decided = found.verdict != "not distinguished"
    return {
        "diff": -found.diff,
        "diff_low": low,
        "diff_high": high,
        "p": found.p_holm,
        "needed": victims_needed(gaps) if len(gaps) > 1 else math.nan,
        "verdict": TURNED.get(found.verdict, found.verdict) if decided else side(low, high),
        "notes": " ".join((*found.dropped, *found.notes)) or None,
    }


def _of_others(
    boot: Bootstrap, found: Sequence[TprReport], task: str, named: Collection[str]
) -> dict[str, dict[str, object]]:
    """Differences of all other combinations, with intervals that hold for all at once."""
    present = {one.scheme: one for one in found}
    if REFERENCE not in present:
        return {}
    reference = boot.draws(REFERENCE, task)
    gaps = {name: boot.draws(name, task) - reference for name in present if name not in named}
    known = simultaneous(gaps)
    return {
        name: _NOTHING
        | {"diff": float(gap[0]), "diff_low": known[name][0], "diff_high": known[name][1], "verdict": side(*known[name])}
        for name, gap in gaps.items()
        if not math.isnan(gap[0])
    }


def side(low: float, high: float) -> str:
    """On which side of 0 an interval lies; one without width, where all draws agree, says nothing of other models."""
    if math.isclose(low, high, abs_tol=1e-9):
        return "not distinguished"
    return "ahead" if low > 0 else "behind" if high < 0 else "not distinguished"


def _ranks(boot: Bootstrap, schemes: list[str], task: str) -> dict[str, Interval]:
    """The places that a scheme takes in 95 % of the draws, 1 for the best; ties share the better place."""
    drawn = {scheme: boot.draws(scheme, task)[1:] for scheme in schemes}
    drawn = {scheme: values for scheme, values in drawn.items() if not np.isnan(values).all()}
    if not drawn:
        return {}
    values = np.array(list(drawn.values()))
    values = values[:, ~np.isnan(values).any(axis=0)]
    if not values.shape[1]:
        return {}
    places = 1 + (values[None] > values[:, None] + 1e-12).sum(axis=1)
    low, high = np.percentile(places, [2.5, 97.5], axis=1, method="inverted_cdf")
    return {scheme: (float(a), float(b)) for scheme, a, b in zip(drawn, low, high, strict=True)}


def _audit(table: pd.DataFrame, rule: Kind, negatives: Negatives) -> dict[str, float]:
    """False alarms on held-out kinds of unrelated models, means over victims."""
    found = list(_audits(table[table["kind"].isin(NEGATIVE_KINDS[negatives])], rule))
    if not found:
        return _NO_AUDIT
    rates, nominal = np.array(found).T
    return {"audit": float(np.nanmean(rates)) if not np.isnan(rates).all() else math.nan, "nominal": float(nominal.mean())}


def _audits(unrelated: pd.DataFrame, rule: Kind) -> Iterator[Interval]:
    for _, rows in unrelated.groupby("victim"):
        wide = rows.pivot_table(index=["suspect", "origin"], columns="query_seed", values="value", observed=True)
        wide = wide.dropna(axis=1)
        kinds = wide.index.get_level_values("origin")
        if not wide.empty and kinds.nunique() > 1:
            found = holdout_audit(wide.to_numpy(), list(kinds), rule)
            yield found.mean_fpr, found.nominal
