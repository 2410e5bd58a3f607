"""What may be said of suspects: p-values, adjusted for how many questions were asked, and the words that they allow."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from qurd_core.errors import QurdError
from qurd_core.statistics.grids import require
from qurd_core.statistics.paired import benjamini_hochberg, holm
from qurd_core.statistics.printed import SLACK, check_share, percent
from qurd_core.statistics.pvalues import Mode, PValue, Stratum, conformal_pvalue, stratum_pvalue
from qurd_core.statistics.sides import SCORES

_NEEDED = [name for name in SCORES if name not in ("used", "tasks")]
_QUESTION = ["benchmark", "scheme", "victim"]


@dataclass(frozen=True)
class SuspectVerdict:
    """What the scores of one scheme say of one suspect and one victim.

    Attributes:
        score: mean over query seeds.
        p: how unusual it is in the whole pool; None where the score is missing.
        p_adjusted: the same, adjusted for all questions of the family.
        stratum: how unusual it is among models that look like it, where a trait was named.
        level: chance of a false alarm that was allowed.
        asked: questions of the family.
        many: the family are several suspects, and not several schemes or victims for one.
    """

    benchmark: str
    scheme: str
    victim: str
    suspect: str
    score: float
    p: PValue | None
    p_adjusted: float
    stratum: Stratum | None
    level: float
    asked: int
    many: bool
    method: str
    assumptions: tuple[str, ...]

    @property
    def closer(self) -> bool:
        """Whether the suspect is told from innocent models. False clears nobody."""
        return self.p is not None and self.p_adjusted <= self.level + SLACK

    @property
    def sentence(self) -> str:
        """The verdict in the only words that a p-value allows."""
        if self.p is None:
            return f"{self.suspect}: refused, for it lacks a score. Ask it again, or leave it out."
        least = self.p.smallest_p
        adjusted = f"adjusted for {self.asked} questions; {percent(self.p.p)} alone" if self.asked > 1 else ""
        found = f"p {percent(self.p_adjusted)}{adjusted and f', {adjusted}'}"
        if self.closer:
            said = (
                f"{self.suspect}: closer to the victim than {100 * (1 - self.level):g} % of comparable independent models "
                f"({found}). {self._promise}, if the pool is representative."
            )
        else:
            said = f"{self.suspect}: not distinguished from comparable independent models ({found})."
            if least > self.level + SLACK:
                said += f" No suspect could be: the smallest p here is {percent(least)}."
        return said if self.stratum is None else f"{said} {self.stratum.sentence}"

    @property
    def _promise(self) -> str:
        """What the adjusted p promises: a rate of false alarms for one question, or among all accusations."""
        if self.many and self.asked > 1:
            return f"Of all suspects accused at this p, at most {percent(self.p_adjusted)} are false alarms on average"
        return f"False alarms: at most {percent(self.p_adjusted)}"


def verdicts(
    scores: pd.DataFrame, *, level: float = 0.05, mode: Mode = "lineage_min", trait: str | None = None
) -> tuple[SuspectVerdict, ...]:
    """Judge every suspect of one victim by one scheme, or one suspect by several schemes or for several victims.

    The pool are the unrelated models (kind `"negative"`), and whoever is not in the pool is a suspect, whatever its kind
    says; but not the victim itself, of which nobody asks: at distance 0 it would only make others look unusual. Scores are
    averaged over query seeds first. P-values of many suspects are adjusted after Benjamini and Hochberg (valid for conformal
    p-values from one pool: Bates et al. 2023), those of one suspect after Holm.

    Args:
        scores: a score table at one budget, with the columns of `sides.SCORES` (`tasks` and `used` may be missing).
        level: share of false accusations that is allowed.
        mode: what counts in the pool, see `conformal_pvalue`: lineages, each by its closest model, or models.
        trait: a column of the table that anyone can see of a model, such as its architecture; adds `stratum`.

    Returns:
        in the order of the table.

    Raises:
        QurdError: several suspects and several schemes or victims at once, a pool without models or with a missing score,
            a column that is missing, several budgets, or a score that comes twice.
    """
    check_share(level, "level")
    _check(scores, trait)
    scores = scores[scores["suspect"] != scores["victim"]]
    found = []
    for question, rows in scores.groupby(_QUESTION, sort=False, observed=True):
        found += _asked(question, rows, level, mode, trait)
    questions, suspects = scores[_QUESTION].drop_duplicates(), {one.suspect for one in found}
    if len(questions) > 1 and len(suspects) > 1:
        raise QurdError(
            f"Expected one scheme and victim, or one suspect. Got {len(questions)} of the former and {len(suspects)} "
            f"suspects: choose the scheme before looking, or judge one suspect at a time."
        )
    return _adjusted(found, many=len(suspects) > 1)


def _check(scores: pd.DataFrame, trait: str | None) -> None:
    require(scores, [*_NEEDED, *([trait] if trait else [])])
    twice = scores.duplicated([*_QUESTION, "suspect", "query_seed"])
    if twice.any():
        row = scores[twice].iloc[0]
        raise QurdError(f"Expected one score per model and query seed. Got two of {row['scheme']} for {row['suspect']}.")


def _asked(
    question: tuple[str, str, str], rows: pd.DataFrame, level: float, mode: Mode, trait: str | None
) -> list[SuspectVerdict]:
    """The suspects of one victim and scheme, not adjusted yet."""
    values = rows.pivot(index="suspect", columns="query_seed", values="value").mean(axis=1, skipna=False)
    known = rows.drop_duplicates("suspect").set_index("suspect")
    pooled = (known["kind"] == "negative").to_numpy()
    pool, suspects = known.index[pooled], known.index[~pooled]
    if not len(pool) or not len(suspects):
        lacking = "unrelated models (kind negative), which are the pool" if not len(pool) else "suspects beside the pool"
        raise QurdError(f"Expected {lacking}, for {question[2]}. There are none.")
    lost = [name for name in pool if math.isnan(values[name])]
    if lost:
        raise QurdError(
            f"Expected a score of every model of the pool at every query seed. {lost[0]} lacks one: leave {len(lost)} out."
        )
    against = values[pool].to_numpy()
    lineages, traits = known.loc[pool, "lineage"].tolist(), None if trait is None else known[trait]
    seeds = rows["query_seed"].nunique()
    found = []
    for name in suspects:
        score, p, stratum = float(values[name]), None, None
        if not math.isnan(score):
            p = conformal_pvalue(score, against, lineages, mode)
            if traits is not None:
                stratum = stratum_pvalue(score, against, traits[pool].tolist(), traits[name], lineages, mode)
        method = "" if p is None else p.method
        if seeds > 1:
            method += f" Scores are means over {seeds} query seeds, which is {seeds} times the queries."
        found.append(
            SuspectVerdict(*question, name, score, p, math.nan, stratum, level, 0, False, method, p.assumptions if p else ())
        )
    return found


def _adjusted(found: list[SuspectVerdict], *, many: bool) -> tuple[SuspectVerdict, ...]:
    raw = np.array([math.nan if one.p is None else one.p.p for one in found])
    asked = int((~np.isnan(raw)).sum())
    p_values = benjamini_hochberg(raw) if many else holm(raw)
    how = "Benjamini and Hochberg 1995" if many else "Holm 1979"
    more = f" Adjusted for {asked} questions ({how})." if asked > 1 else ""
    assumed = (_APART,) if many else ()
    return tuple(
        replace(
            one,
            p_adjusted=float(p),
            asked=asked,
            many=many,
            method=one.method + more,
            assumptions=(*one.assumptions, *assumed),
        )
        for one, p in zip(found, p_values, strict=True)
    )


_APART = "Unrelated suspects are independent of one another and of the pool: models made of one another are not."
