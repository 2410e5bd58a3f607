"""Detection rates as they should be read: with an interval over models, and with the false alarms of the rule."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qurd_core.statistics.bootstrap import Bootstrap, generator, node_bootstrap
from qurd_core.statistics.grids import tasks_of
from qurd_core.statistics.printed import EXCHANGEABLE, FIXED, TIES, check_share, percent
from qurd_core.statistics.rules import Kind, allowed_below, refusal, upper_limit
from qurd_core.statistics.sides import Negatives

RARE = 0.005  # a share of refused draws up to here is not worth a word
ONE_VICTIM = "There is one independent victim: what holds for it need not hold for others."

_FEW = 3  # independent victims below which the interval is too narrow to be shown without a word


@dataclass(frozen=True)
class TprReport:
    """The detection rate of one scheme on one task.

    Attributes:
        point: mean over query seeds and victims, then over data sets; NaN where the rule is refused or data are missing.
        ci: interval of `point` at `level`; NaN where there is no point.
        by_dataset: rate on every data set that has the task; NaN where the scheme has no scores or the rule is refused.
        coverage: `"covers 2 of 3 data sets"`.
        n_positives, n_victims: over all data sets.
        n_victim_lineages: independent victims.
        n_negatives, n_lineages: of the victim that has fewest; lineages are independent, negatives need not be.
        mean_fpr: false alarms to expect of the rule, for the victim with most; NaN where they are not known.
        fpr_upper95: and their upper 95 % limit.
        refusals: share of draws and victims for which the rule is refused.
        refused_reason: why there is no point, or None.
        notes: sentences to show beside the number.
        method: how the interval was made.
    """

    scheme: str
    task: str
    point: float
    ci: tuple[float, float]
    level: float
    by_dataset: dict[str, float]
    coverage: str
    n_positives: int
    n_victims: int
    n_victim_lineages: int
    n_negatives: int
    n_lineages: int
    rule: Kind
    mean_fpr: float
    fpr_upper95: float
    refusals: float
    refused_reason: str | None
    notes: tuple[str, ...]
    method: str
    assumptions: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The rate and what it costs, as one text."""
        if self.refused_reason:
            return self.refused_reason
        share = f"{percent(self.point)} [{percent(self.ci[0])}, {percent(self.ci[1])}]"
        caught = f"{self.scheme} catches {share} of the stolen models (task {self.task})"
        pool = f"({self.n_negatives} unrelated models, {self.n_lineages} lineages)"
        if math.isnan(self.mean_fpr):
            return f"{caught}, by a rule whose false-alarm rate is not known {pool}."
        return (
            f"{caught}, by a rule whose false-alarm rate is at most {percent(self.mean_fpr)} on average and at most "
            f"{percent(self.fpr_upper95)} with 95 % confidence {pool}."
        )


def tpr_report(
    scores: pd.DataFrame,
    *,
    rule: Kind = "conformal",
    alpha: float = 0.05,
    level: float = 0.95,
    tasks: Sequence[str] | None = None,
    negatives: Negatives = "unrelated",
    draws: int = 2000,
    seed: int = 0,
    boot: Bootstrap | None = None,
) -> tuple[TprReport, ...]:
    """One report per scheme and task of a score table, in the order of schemes and tasks in it.

    The interval is the percentile interval of `node_bootstrap`, one method for every rate. Resampling shows no spread where
    all stolen models are caught, or none: therefore every drawn rate is that of the stolen models and of a caught and a
    missed one beside them, of weights as Jeffreys' prior has them (Gamma with shape 1/2). In simulations the interval holds
    the rate of other models in 93 to 97 of 100 cases (`tests/benchmarks/coverage.py`).

    Args:
        scores: a score table at one budget, with the columns of `sides.SCORES`.
        tasks: those to report, all if not given.
        boot: of the same scores by the same rule, if there is one, which other results may share.
    """
    check_share(level, "level")
    boot = boot or node_bootstrap(scores, rule=rule, alpha=alpha, negatives=negatives, draws=draws, seed=seed)
    found = []
    for scheme in dict.fromkeys(scores["scheme"]):
        note = _left_out(scores, boot.victims, scheme)
        for task in tasks_of(scores) if tasks is None else tasks:
            if len(boot.of(scheme, task)):
                found.append(_report(boot, scheme, task, rule, alpha, level, note))
    return tuple(found)


def _report(
    boot: Bootstrap, scheme: str, task: str, rule: Kind, alpha: float, level: float, notes: tuple[str, ...]
) -> TprReport:
    rows = boot.of(scheme, task)
    by_dataset = boot.by_dataset(scheme, task)
    datasets = sorted({benchmark for _, benchmark, of in boot.rates if of == task})  # on which any scheme has the task
    independent = rows["lineage"].nunique()
    refused, reason = rows[rows["refused"]], None
    if len(refused):
        worst = refused.loc[refused["n_lineages"].idxmin()]
        reason = refusal(int(worst["n_lineages"]), alpha, rule, models=int(worst["n_negatives"]))
    point = float(boot.draws(scheme, task)[0])
    refusals = float(np.mean([share for (name, _, of), share in boot.refused.items() if (name, of) == (scheme, task)]))
    ci, method = ((math.nan, math.nan), "No interval: the rule is refused.") if reason else _interval(boot, rows, level)
    mean_fpr, upper = _false_alarms(rows, rule, alpha)
    return TprReport(
        scheme=scheme,
        task=task,
        point=point,
        ci=ci,
        level=level,
        by_dataset={name: float(by_dataset[name][0]) if name in by_dataset else math.nan for name in datasets},
        coverage=covered(by_dataset, datasets),
        n_positives=int(rows["n_positives"].sum()),
        n_victims=len(rows),
        n_victim_lineages=independent,
        n_negatives=int(rows["n_negatives"].min()),
        n_lineages=int(rows["n_lineages"].min()),
        rule=rule,
        mean_fpr=mean_fpr,
        fpr_upper95=upper,
        refusals=refusals,
        refused_reason=reason,
        notes=(*_notes(scheme, by_dataset, datasets, independent, refusals), *notes),
        method=method,
        assumptions=(EXCHANGEABLE, FIXED, TIES, *boot.assumptions),
    )


def covered(have: Iterable[str], datasets: list[str]) -> str:
    return f"covers {len(set(have))} of {len(datasets)} data set{'' if len(datasets) == 1 else 's'}"


def _interval(boot: Bootstrap, rows: pd.DataFrame, level: float) -> tuple[tuple[float, float], str]:
    drawn, stolen = boot.draws(rows["scheme"].iloc[0], rows["task"].iloc[0]), int(rows["n_positives"].sum())
    # The same two for every scheme and budget, so that a band does not tremble.
    caught, missed = generator(("Jeffreys",)).gamma(0.5, size=(2, len(drawn) - 1))
    smoothed = (drawn[1:] * stolen + caught) / (stolen + caught + missed)
    tail = (1 - level) / 2
    low, high = np.nanquantile(smoothed, [tail, 1 - tail])
    # Where all are caught the quantile stays below 1, and the rate itself must lie inside.
    ends = min(float(low), float(drawn[0])), max(float(high), float(drawn[0]))
    return ends, f"{boot.method} Percentile interval at {percent(level)} with Jeffreys' prior."


def _false_alarms(rows: pd.DataFrame, rule: Kind, alpha: float) -> tuple[float, float]:
    """Largest expected false-alarm rate over victims, and the largest upper limit; NaN where they are not known: where the
    paper's rule counts some negatives more often than others, or models of one lineage as if they were independent.
    """
    if rule == "paper" and not (rows["even"] & (rows["n_lineages"] == rows["n_negatives"])).all():
        return math.nan, math.nan
    sizes = {int(n): allowed_below(int(n), alpha, rule) for n in rows["n_lineages"].unique()}
    if None in sizes.values():
        return math.nan, math.nan
    return max((k + 1) / (n + 1) for n, k in sizes.items()), max(upper_limit(k, n) for n, k in sizes.items())


def _left_out(scores: pd.DataFrame, victims: pd.DataFrame, scheme: str) -> tuple[str, ...]:
    had = int((scores["scheme"] == scheme).sum())
    kept = int(victims[victims["scheme"] == scheme].drop_duplicates(["benchmark", "victim"])["n_scores"].sum())
    if kept == had:
        return ()
    return (f"{had - kept} of {had} scores were left out: missing, or of a model that lacks one at some query seed.",)


def _notes(scheme: str, have: Iterable[str], datasets: list[str], independent: int, refusals: float) -> tuple[str, ...]:
    absent = [name for name in datasets if name not in have]
    notes = []
    if absent:
        notes.append(f"{scheme} {covered(have, datasets)}: it has no scores on {', '.join(absent)}.")
    if independent == 1:
        notes.append(ONE_VICTIM)
    elif independent < _FEW:
        notes.append(f"There are only {independent} independent victims: the interval is then too narrow.")
    if refusals > RARE:
        notes.append(
            f"In {percent(refusals)} of the draws too few unrelated lineages remain and the rule is refused: left out."
        )
    return tuple(notes)
