"""What rates of named schemes are worth: intervals over models, comparisons with AKH, ranks, held-out kinds of models.

Computed from raw scores by `measure` and kept beside the records, because bootstraps take longer than a click may.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from qurd_core.errors import QurdError
from qurd_core.evaluation import records
from qurd_core.evaluation.leaderboard import CONTROL
from qurd_core.evaluation.statistics import (
    Bootstrap,
    Comparison,
    compare,
    holdout_audit,
    node_bootstrap,
    tpr_report,
    victims_needed,
)
from qurd_core.runtime import Track, silent

REFERENCE = "AKH"
BUDGETS = (10, 20, 50, 100, 200, 400)
RULES = ("paper", "conformal")
DRAWS = 2000
EVERY = "all"
NOTHING = pd.DataFrame(columns=["label", "task", "budget", "rule"])


def path_of(benchmark: str, folder: Path | None = None) -> Path:
    """Where it lies, whether it is there or not."""
    return records.path_of(benchmark, folder).with_name(f"{benchmark}-honest.parquet")


def read(benchmark: str, folder: Path | None = None) -> pd.DataFrame:
    """The rows of `measure`; none for a benchmark of which nothing was measured.

    Raises:
        QurdError: the file is damaged.
    """
    path = path_of(benchmark, folder)
    if not path.is_file():
        return NOTHING
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise QurdError(f"Cannot read {path}: {error}. Make it again with `{rebuild(benchmark)}`.") from None


def rebuild(benchmark: str) -> str:
    """The command that measures it."""
    return f"python -m qurd_core honest --benchmark {benchmark}"


def measure(benchmark: str, folder: Path | None = None, track: Track = silent) -> pd.DataFrame:
    """Intervals and comparisons of the named schemes, by task, budget and rule.

    Args:
        folder: of the raw scores and pairs.

    Returns:
        rows of label, task, budget, rule; point, low, high (95 %), method, lineages (independent victims); rank_low and
        rank_high (95 % of the draws); diff, diff_low, diff_high, p (Holm over the schemes), verdict about the scheme against
        AKH, needed (independent victims that would find ten points) and notes; audit and nominal (false alarms on the kinds
        of unrelated models that were held out). What does not exist is NaN or None.
    """
    work = [(budget, rule) for budget in BUDGETS for rule in RULES]
    table = scores_table(benchmark, folder)
    rows: list[dict[str, object]] = []
    for budget, rule in track(work, len(work), "drawing models"):
        at = table[table["budget"] == budget]
        if len(at):
            rows += _rows(at, budget, rule)
    return pd.DataFrame(rows)


def write(table: pd.DataFrame, path: Path) -> Path:
    """Parquet with four decimals, which is finer than the draws are."""
    numbers = table.select_dtypes("float").columns
    aside = path.with_suffix(".part")
    table.round(dict.fromkeys(numbers, 4)).astype(dict.fromkeys(numbers, np.float32)).to_parquet(aside, compression="zstd")
    return aside.replace(path)


def scores_table(benchmark: str, folder: Path | None = None) -> pd.DataFrame:
    """The named schemes' scores with the columns of `sides.SCORES`, and `origin`: the kind of an unrelated model."""
    pairs = records.pairs(benchmark, folder)
    if "origin" not in pairs:
        kinds = records.models(benchmark, folder).set_index("lineage")["architecture"]
        pairs = pairs.assign(origin=pairs["suspect"].map(kinds))
    summary = records.read(benchmark)
    named = summary[summary["name"].notna() & (summary["name"] != CONTROL)]
    labels = dict(zip(named["scheme"], named["name"], strict=True))
    scores = records.scores(benchmark, folder)
    scores = scores[scores["scheme"].isin(labels) & scores["budget"].isin(BUDGETS)]
    texts = {name: scores[name].astype(object) for name in ("scheme", "victim", "suspect")}
    known = pairs[["victim", "suspect", "kind", "tasks", "root", "origin"]].rename(columns={"root": "lineage"})
    table = scores.assign(**texts).merge(known, on=["victim", "suspect"])
    return table.assign(benchmark=benchmark, scheme=table["scheme"].map(labels))


def _rows(table: pd.DataFrame, budget: int, rule: str) -> Iterator[dict[str, object]]:
    boot = node_bootstrap(table, rule=rule, draws=DRAWS)
    reports = tpr_report(table, rule=rule, draws=DRAWS)
    tasks = list(dict.fromkeys(report.task for report in reports))
    against = {}
    others = [name for name in dict.fromkeys(table["scheme"]) if name != REFERENCE]
    if REFERENCE in set(table["scheme"]):
        for task in tasks:  # a family is what is seen at once: all schemes on one task
            against |= {
                (one.b, task): one for one in compare(table, REFERENCE, others, tasks=[task], rule=rule, draws=DRAWS)
            }
    ranks = {task: _ranks(boot, [r.scheme for r in reports if r.task == task], task) for task in tasks}
    audits = {name: _audit(rows, rule) for name, rows in table.groupby("scheme")}
    for report in reports:
        low, high = ranks[report.task].get(report.scheme, (math.nan, math.nan))
        yield {
            "label": report.scheme,
            "task": report.task,
            "budget": budget,
            "rule": rule,
            "point": report.point,
            "low": report.ci[0],
            "high": report.ci[1],
            "method": report.method,
            "lineages": report.n_victim_lineages,
            "rank_low": low,
            "rank_high": high,
            **_against(against.get((report.scheme, report.task))),
            **(audits[report.scheme] if report.task == EVERY else {"audit": math.nan, "nominal": math.nan}),
        }


def _against(found: Comparison | None) -> dict[str, object]:
    """What a comparison of AKH with a scheme says about the scheme."""
    if found is None or math.isnan(found.diff):
        names = ("diff", "diff_low", "diff_high", "p", "needed")
        return dict.fromkeys(names, math.nan) | {"verdict": None, "notes": None}
    turned = {"beats": "trails", "trails": "beats"}
    gaps = list(found.by_victim.values())
    return {
        "diff": -found.diff,
        "diff_low": -found.ci95[1],
        "diff_high": -found.ci95[0],
        "p": found.p_holm,
        "needed": victims_needed(gaps).victims if len(gaps) > 1 else math.nan,
        "verdict": turned.get(found.verdict, found.verdict),
        "notes": " ".join(found.notes) or None,
    }


def _ranks(boot: Bootstrap, schemes: list[str], task: str) -> dict[str, tuple[float, float]]:
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


def _audit(table: pd.DataFrame, rule: str) -> dict[str, float]:
    """False alarms on held-out kinds of unrelated models, means over victims."""
    rates, nominal = [], []
    unrelated = table[table["kind"] == "negative"]
    for _, rows in unrelated.groupby("victim"):
        wide = rows.pivot_table(index=["suspect", "origin"], columns="query_seed", values="value", observed=True).dropna(
            axis=1
        )
        kinds = wide.index.get_level_values("origin")
        if wide.empty or kinds.nunique() < 2:
            continue
        found = holdout_audit(wide.to_numpy(), list(kinds), rule)
        rates.append(found.mean_fpr)
        nominal.append(found.nominal)
    known = rates or [math.nan]
    return {
        "audit": float(np.nanmean(known)) if not np.isnan(known).all() else math.nan,
        "nominal": float(np.mean(nominal)) if nominal else math.nan,
    }
