"""Which of two schemes catches more: on equal footing, with a test, and without taking "not proven" for "equal"."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from qurd_core.errors import QurdError
from qurd_core.statistics.bootstrap import Bootstrap, node_bootstrap
from qurd_core.statistics.grids import checked, matched, tasks_of
from qurd_core.statistics.paired import EXACT_UP_TO, holm, sign_flip, smallest_p, victims_to_decide
from qurd_core.statistics.printed import EXCHANGEABLE, FIXED, SLACK, check_share, percent
from qurd_core.statistics.report import ONE_VICTIM, RARE, covered
from qurd_core.statistics.rules import Kind
from qurd_core.statistics.sides import Negatives

Verdict = Literal["beats", "trails", "on par", "not distinguished"]

_LEVEL = 0.05


@dataclass(frozen=True)
class Comparison:
    """How much more of a task one scheme catches than another, on the cells that both have.

    Attributes:
        diff: detection rate of `a` minus that of `b`; NaN where the rule is refused.
        ci95, ci90: percentile intervals of `diff` by the node bootstrap.
        p_signflip: exact two-sided p-value over independent victims; of a single victim, over its stolen models.
        p_holm: the same, adjusted for all comparisons of the family.
        equivalent: whether `ci90` lies inside plus or minus `margin`, which are two one-sided tests at 5 % (TOST).
        verdict: about `a`: `"beats"` or `"trails"` if `p_holm` is at most 5 %, else `"on par"` if equivalent, else
            `"not distinguished"`.
        n_units: independent victims, or stolen models of the single victim.
        by_victim: difference of every victim, keyed by data set and victim, for `victims_needed`.
        matched_on: what both schemes have, in words.
        dropped: what only one of them has, in words.
        notes: sentences to show beside the number.
    """

    a: str
    b: str
    task: str
    diff: float
    ci95: tuple[float, float]
    ci90: tuple[float, float]
    p_signflip: float
    p_holm: float
    equivalent: bool
    verdict: Verdict
    margin: float
    n_units: int
    by_victim: dict[tuple[str, str], float]
    matched_on: str
    dropped: tuple[str, ...]
    notes: tuple[str, ...]
    method: str
    assumptions: tuple[str, ...]


def compare(
    scores: pd.DataFrame,
    a: str,
    b: str | Sequence[str],
    *,
    tasks: Sequence[str] | None = None,
    rule: Kind = "conformal",
    alpha: float = 0.05,
    margin: float = 0.10,
    negatives: Negatives = "unrelated",
    draws: int = 2000,
    seed: int = 0,
    family: Literal["all", "task"] = "all",
    boot: Bootstrap | None = None,
) -> tuple[Comparison, ...]:
    """Compare a scheme with one or several others, a row per other scheme and task.

    Args:
        scores: a score table at one budget, with the columns of `sides.SCORES`.
        tasks: those compared, every single one if not given (`"all"`, which pools them, only if asked for).
        family: the rows that Holm corrects for each other, all of them or those of a task.
        margin: the difference that does not matter.
        boot: of the same scores by the same rule, if there is one: it serves every scheme with the very cells of `a`.

    Raises:
        QurdError: a scheme is unknown, two schemes have no cell in common, or no task is left to compare.
    """
    check_share(margin, "margin")
    table = checked(scores)
    where = _where(table)
    found = []
    for other in [b] if isinstance(b, str) else b:
        common = _common(table, a, other)
        whole = boot is not None and len(common) == int(table["scheme"].isin([a, other]).sum())
        drawn = (
            boot if whole else node_bootstrap(common, rule=rule, alpha=alpha, negatives=negatives, draws=draws, seed=seed)
        )
        footing, lost = _footing(common), _lost(table, common, a, other)
        known = tasks_of(common)
        for task in known[:-1] if tasks is None else tasks:
            if task in known:
                dropped = (*_uncovered(where, a, other, task), *lost)
                found.append(_compared(drawn, a, other, task, margin, footing, dropped))
    if not found:
        raise QurdError("Expected tasks that both schemes have. Got none of them: name others.")
    return tuple(_corrected(found, [each.task if family == "task" else "" for each in found]))


def _compared(
    boot: Bootstrap, a: str, b: str, task: str, margin: float, footing: str, dropped: tuple[str, ...]
) -> Comparison:
    draws = boot.draws(a, task) - boot.draws(b, task)
    victims = _differences(boot, a, b, task)
    units, what = _units(boot, victims, a, b, task)
    diff = float(draws[0])
    refused = math.isnan(diff)
    ends = [math.nan] * 4 if refused else np.nanquantile(draws[1:], [0.025, 0.975, 0.05, 0.95]).tolist()
    return Comparison(
        a=a,
        b=b,
        task=task,
        diff=diff,
        ci95=(ends[0], ends[1]),
        ci90=(ends[2], ends[3]),
        p_signflip=math.nan if refused else sign_flip(units),
        p_holm=math.nan,
        equivalent=not refused and -margin < ends[2] and ends[3] < margin,
        verdict="not distinguished",
        margin=margin,
        n_units=len(units),
        by_victim={(row.benchmark, row.victim): row.gap for row in victims.itertuples()},
        matched_on=footing,
        dropped=dropped,
        notes=_notes(what, refused, ends, max(boot.refused[a, name, task] for name in victims["benchmark"])),
        method=f"{_test(len(units), what)} Intervals: {boot.method}",
        assumptions=(
            EXCHANGEABLE,
            FIXED,
            *boot.assumptions,
            f"If the schemes are alike, the difference of each of the {what} is as likely to have the other sign.",
            "The test takes them as independent although they share unrelated models; the interval does not.",
        ),
    )


def _corrected(found: Sequence[Comparison], families: Sequence[str]) -> list[Comparison]:
    """The comparisons in their order, each with its verdict after Holm over its family."""
    judged: list[Comparison] = list(found)
    for family in dict.fromkeys(families):
        places = [place for place, name in enumerate(families) if name == family]
        adjusted = holm([found[place].p_signflip for place in places])
        asked = int((~np.isnan(adjusted)).sum())
        for place, p in zip(places, adjusted, strict=True):
            judged[place] = _judged(found[place], float(p), asked)
    return judged


def _judged(found: Comparison, p_holm: float, asked: int) -> Comparison:
    verdict: Verdict = "on par" if found.equivalent else "not distinguished"
    notes = found.notes
    least = smallest_p(found.n_units, asked)
    if asked and least > _LEVEL:
        family = f"one of {asked} comparisons" if asked > 1 else "a comparison"
        notes = (
            *notes,
            f"With {found.n_units} independent units the exact test cannot decide {family}: its smallest p is "
            f"{percent(least)}. From {victims_to_decide(asked)} on it can.",
        )
    if p_holm <= _LEVEL:
        verdict = "beats" if found.diff > 0 else "trails"
        if found.ci95[0] <= 0 <= found.ci95[1]:
            notes = (*notes, "The interval over models holds 0: with other unrelated models the verdict might not stand.")
    method = (
        f"{found.method} Adjusted for {asked} comparison{'' if asked == 1 else 's'} (Holm 1979). "
        f"On par: the 90 % interval lies inside ±{100 * found.margin:g} points (two one-sided tests)."
    )
    return replace(found, p_holm=p_holm, verdict=verdict, notes=notes, method=method)


def _differences(boot: Bootstrap, a: str, b: str, task: str) -> pd.DataFrame:
    """Per victim of the task: benchmark, victim, lineage, the difference `gap` and its `weight` in the mean."""
    others = {(row.benchmark, row.victim): row.tpr for row in boot.of(b, task).itertuples()}
    both = [row for row in boot.of(a, task).itertuples() if (row.benchmark, row.victim) in others]
    victims = Counter(row.benchmark for row in both)
    facts = [
        (
            *(row.benchmark, row.victim, row.lineage),
            row.tpr - others[row.benchmark, row.victim],
            1 / len(victims) / victims[row.benchmark],
        )
        for row in both
    ]
    return pd.DataFrame(facts, columns=["benchmark", "victim", "lineage", "gap", "weight"])


def _units(boot: Bootstrap, victims: pd.DataFrame, a: str, b: str, task: str) -> tuple[np.ndarray, str]:
    """What the signs are flipped of: victims of one lineage together, or the stolen models if there is one lineage."""
    parts = (victims["gap"] * victims["weight"]).groupby(victims["lineage"]).sum()
    if len(parts) > 1:
        return parts.to_numpy(), "independent victims"
    cells = [(row.benchmark, task, row.victim) for row in victims.itertuples()]
    gaps = [boot.caught[a, *cell] - boot.caught[b, *cell] for cell in cells]
    return np.concatenate([gap / len(gap) / len(gaps) for gap in gaps]), "stolen models of the one victim"


def _test(units: int, what: str) -> str:
    how = "Exact sign-flip test" if units <= EXACT_UP_TO else "Sign-flip test with 100 000 drawn signs, fixed seed,"
    return f"{how} over {units} {what}{' (McNemar)' if what.startswith('stolen') else ''}, two-sided."


def _notes(what: str, refused: bool, ends: Sequence[float], refusals: float) -> tuple[str, ...]:
    if refused:
        return ("The rule is refused on these data, so there is nothing to compare.",)
    notes = []
    if what.startswith("stolen"):
        notes.append(ONE_VICTIM)
    if ends[1] - ends[0] < SLACK:
        notes.append(
            "No model tells the schemes apart here, so the interval has no width: it is silent about models not tried."
        )
    if refusals > RARE:
        notes.append(f"In up to {percent(refusals)} of the draws of a data set the rule is refused; they are left out.")
    return tuple(notes)


def _common(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    known = sorted(table["scheme"].unique())
    if a == b or a not in known or b not in known:
        raise QurdError(f"Expected two of the schemes {', '.join(known)}. Got {a} and {b}.")
    found = matched(table, [a, b])
    stolen = found[found["kind"] == "positive"]
    if not len(stolen):
        raise QurdError(f"Expected stolen models that both schemes have scores for. Got none for {a} and {b}.")
    kept = stolen[["benchmark", "victim"]].drop_duplicates()
    return found.merge(kept, on=["benchmark", "victim"])


def _footing(common: pd.DataFrame) -> str:
    cells = common[["benchmark", "victim", "suspect", "query_seed"]].drop_duplicates()
    victims, pairs = (cells.groupby(["benchmark", *names]).ngroups for names in (["victim"], ["victim", "suspect"]))
    seeds = sorted(set(common.groupby("scheme")["query_seed"].nunique()))
    return (
        f"{', '.join(sorted(cells['benchmark'].unique()))}: {victims} victims, {pairs} pairs, "
        f"{' and '.join(map(str, seeds))} query seeds."
    )


def _lost(table: pd.DataFrame, common: pd.DataFrame, a: str, b: str) -> tuple[str, ...]:
    """What a scheme has on the common data sets and the other has not."""
    shared = table[table["benchmark"].isin(common["benchmark"].unique())]
    found = []
    for scheme in (a, b):
        had, has = (rows[rows["scheme"] == scheme] for rows in (shared, common))
        if len(had) > len(has):
            found.append(f"{len(had) - len(has)} of {len(had)} scores of {scheme} on these data sets have no counterpart.")
    return tuple(found)


def _where(table: pd.DataFrame) -> dict[str, dict[str, set[str]]]:
    """Per task and scheme the data sets that have stolen models of it."""
    stolen = table.loc[table["kind"] == "positive", ["scheme", "benchmark", "tasks"]].explode("tasks").drop_duplicates()
    found: dict[str, dict[str, set[str]]] = {"all": {}}
    for row in stolen.itertuples():
        for task in (row.tasks, "all"):
            found.setdefault(task, {}).setdefault(row.scheme, set()).add(row.benchmark)
    return found


def _uncovered(where: dict[str, dict[str, set[str]]], a: str, b: str, task: str) -> tuple[str, ...]:
    datasets = sorted(set().union(*where[task].values()))
    found = []
    for scheme in (a, b):
        absent = [name for name in datasets if name not in where[task][scheme]]
        if absent:
            found.append(f"{scheme} {covered(where[task][scheme], datasets)}: {', '.join(absent)} is left out.")
    return tuple(found)
