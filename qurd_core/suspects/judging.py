"""From answers to verdicts: the order of the rules is that of this file."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qurd_core.akh import EProcess
from qurd_core.errors import QurdError
from qurd_core.findings.language import verdict_words as sentences
from qurd_core.lineage import independent
from qurd_core.statistics.paired import benjamini_hochberg, holm
from qurd_core.statistics.printed import EXCHANGEABLE, FIXED, SLACK, TIES
from qurd_core.statistics.sequential import P0, bound_pvalues, peak_pvalues, peaks
from qurd_core.statistics.sides import closest
from qurd_core.statistics.verdicts import MOST_MISSING, Count, Fit, Verdict, fused, pvalues, then_by
from qurd_core.suspects.asking import Heard
from qurd_core.suspects.question import Question

FEW = 10  # answers of which nothing is said when they are alike
_BOUND = EProcess.assumptions
BY_LINEAGE = "Models of one lineage count once: its closest model stands for it."
_METHODS = {
    "none": "Conformal p-value over unrelated lineages, adjusted for all questions (Holm 1979).",
    "peak": f"Peaks of the evidence against a chance of agreement of {P0:g}, query after query; conformal over lineages.",
    "leads": "Conformal p-value over unrelated lineages, leads after Benjamini and Hochberg 1995.",
    "bound": "Betting against the agreement rate of the pool over all errors of the victim, query after query.",
}


def refused_before(asked: Question) -> list[Verdict]:
    """A refusal of every suspect, where the pool is too small for the level: nothing is asked then."""
    reason = sentences.too_few(asked.lineages, asked.needed, asked.level, len(asked.suspects), len(asked.pool))
    return [_verdict(asked, name, reason=reason) for name in asked.suspects]


def judged(asked: Question, heard: dict[str, Heard], *, leads: bool = False) -> list[Verdict]:
    """What the answers of every suspect say, in the order in which they were named.

    Args:
        leads: a triage: p-values are adjusted for leads, and nobody is called closer.

    Raises:
        QurdError: an unrelated model lacks too many answers to set a threshold.
    """
    check_pool(asked, heard)
    reasons = {name: _refusal(asked, heard, name) for name in asked.suspects}
    questions = [name for name in asked.suspects if reasons[name] is None]
    raw, ranks, used = _pvalues(asked, heard, questions)
    unsaid = np.ones(len(asked.suspects) - len(questions))  # whoever was looked at counts as a question, refused or not
    shown = dict(zip(asked.suspects, scores(asked, heard, asked.suspects)[1], strict=True))
    adjusted = (benjamini_hochberg if leads else holm)(np.append(raw, unsaid))
    hard, missed = _told(asked, heard, asked.hard), _told(asked, heard, asked.thieves)
    found = []
    for name in asked.suspects:
        common = {"missing": heard[name].missing, "fit": _fit(asked, heard, name), "asked": len(heard[name].agrees)}
        common |= {"score": float(shown[name])}
        if name not in questions:
            found.append(_verdict(asked, name, reason=reasons[name], **common))
            continue
        place = questions.index(name)
        caught = adjusted[place] <= asked.level + SLACK
        said = ("lead" if leads else "closer") if caught else "not_distinguished"
        numbers = {"p": float(raw[place]), "p_adjusted": float(adjusted[place]), "rank": int(ranks[place])}
        found.append(
            _verdict(
                asked,
                name,
                said=said,
                used=int(used[place]),
                hard=None if hard is None else Count(int(hard.sum()), len(hard)),
                thieves=None if missed is None else Count(int((~missed).sum()), len(missed)),
                **numbers,
                **common,
            )
        )
    return found


def _verdict(about: Question, suspect: str, *, reason: str | None = None, said: str = "refused", **more) -> Verdict:
    """A verdict with all that is known of the question; refused unless more is."""
    usual = {"asked": 0, "used": 0, "score": math.nan, "rank": 0, "p": math.nan, "p_adjusted": math.nan}
    questions = len(about.suspects)
    return Verdict(
        victim=about.victim,
        suspect=suspect,
        scheme=about.scheme,
        budget=about.budget,
        questions=questions,
        lineages=about.lineages,
        smallest_p=min(1.0, questions / (about.lineages + 1)),
        needed=about.needed,
        level=about.level,
        said=said,
        method=_METHODS["leads" if said == "lead" else about.stop],
        assumptions=(EXCHANGEABLE, FIXED, TIES, BY_LINEAGE, *_BOUND * (about.stop == "bound")),
        reason=reason,
        forged=about.forged,
        **(usual | more),
    )


def check_pool(asked: Question, heard: dict[str, Heard]) -> None:
    """
    Raises:
        QurdError: an unrelated model lacks too many answers to set a threshold.
    """
    for name in asked.pool:
        missing, sent = heard[name].missing, len(heard[name].agrees)
        if len(heard[name].fit) < (1 - MOST_MISSING) * len(heard[name].fit_rows):
            missing, sent = len(heard[name].fit_rows) - len(heard[name].fit), len(heard[name].fit_rows)
        if missing > MOST_MISSING * sent:
            raise QurdError(
                f"Expected '{name}', which is unrelated to '{asked.victim}', to answer at least {1 - MOST_MISSING:.0%} of"
                f" the {sent} queries. It lacks {missing}: ask it these, or leave it out."
            )


def _refusal(asked: Question, heard: dict[str, Heard], name: str) -> str | None:
    """Why nothing is said about a suspect, whatever its distance is."""
    own, sent = heard[name], len(heard[name].agrees)
    if _one_class(own):
        return sentences.one_class(sent + len(own.fit_rows))
    if own.missing > MOST_MISSING * sent:
        return sentences.too_silent(sent - own.missing, sent, math.floor(MOST_MISSING * sent))
    if own.missing and not all(scheme.counts_missing for scheme in asked.compared):
        return sentences.uncounted(own.missing, asked.scheme)
    if len(own.fit) < (1 - MOST_MISSING) * len(own.fit_rows):
        return sentences.too_silent(len(own.fit), len(own.fit_rows), math.floor(MOST_MISSING * len(own.fit_rows)))
    fit = _fit(asked, heard, name)
    return None if fit is None or fit.holds else sentences.too_weak(fit)


def _one_class(own: Heard) -> bool:
    """Whether a suspect gives one class to whatever it is asked about, unless the victim does so, too."""
    labels = torch.cat([*own.labels, own.fit_labels])
    found = labels.unique()
    if own.missing or len(own.fit) < len(own.fit_rows):
        found = found[:-1]  # the last one stands for no answer
    answered = torch.isin(labels, found)
    if len(found) != 1 or int(answered.sum()) < FEW:
        return False
    return not bool(own.agrees[answered[: len(own.agrees)]].all())


def _fit(asked: Question, heard: dict[str, Heard], name: str) -> Fit | None:
    """How often a suspect and the unrelated models are right on the images of the fit, as shares of what each answers."""
    own = heard[name].fit
    if not len(own) or not asked.pool:
        return None
    pool = [float(heard[model].fit.double().mean()) if len(heard[model].fit) else 0.0 for model in asked.pool]
    low, high = (math.ceil(len(own) * share - SLACK) for share in (min(pool), max(pool)))
    return Fit(len(own), int(own.sum()), low, high)


def scores(
    asked: Question, heard: dict[str, Heard], names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One score of every model of the pool and of some others, small = close to the victim.

    That is a distance; where there are several, what they give together when pool and others are ranked.
    """
    table = np.array([heard[name].scores for name in (*asked.pool, *names)], float).T
    joined = table[0] if len(table) == 1 else then_by(*table) if asked.then else fused(table)
    return joined[: len(asked.pool)], joined[len(asked.pool) :]


def _pvalues(
    asked: Question, heard: dict[str, Heard], names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.int_], NDArray[np.int_]]:
    """p-value, unrelated lineages that are as close, and queries that were needed, of some models."""
    pool = [heard[name] for name in asked.pool]
    sent = len(pool[0].agrees)
    if asked.stop == "none":
        calibrating, own = scores(asked, heard, names)
        return *pvalues(own, calibrating, asked.roots), np.full(len(names), sent)
    raw, used = [], []
    for agrees in (heard[name].agrees for name in names):
        path = _course(asked, heard, agrees.numpy())
        used.append(_enough(asked, path) or len(path))
        raw.append(path[used[-1] - 1])
    p = np.array(raw, float)
    ranks = np.floor(p * (asked.lineages + 1) - 1 + SLACK).astype(int)
    if asked.stop == "bound":  # whose p is no count of lineages
        repeated = -closest(-np.array([one.repeated.number / one.repeated.of for one in pool]), _numbers(asked))
        ranks = np.array([(repeated >= float(heard[name].agrees.double().mean())).sum() for name in names], int)
    return p, ranks, np.array(used, int)


def decided(asked: Question, heard: Mapping[str, Heard], agrees: Tensor) -> int | None:
    """After how many queries it stands that a suspect is closer, whatever it answers to the rest; None while it does not.

    A query that was not answered counts as disagreement, so an answer that comes later can only bring it forward.

    Args:
        heard: what the pool answered.
        agrees: (T,) whether the suspect answers like the victim.
    """
    return None if asked.stop == "none" else _enough(asked, _course(asked, heard, agrees.numpy()))


def _course(asked: Question, heard: Mapping[str, Heard], agrees: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(T,) p-value of a model after each query."""
    pool = [heard[name] for name in asked.pool]
    if asked.stop == "peak":
        highest = peaks(np.stack([one.agrees.numpy() for one in pool]))
        return peak_pvalues(peaks(agrees[None])[0], highest, asked.roots)
    rates, errors = [one.repeated.number / one.repeated.of for one in pool], pool[0].repeated.of
    return bound_pvalues(agrees, rates, asked.roots, asked.level / len(asked.suspects), errors)


def _enough(asked: Question, path: NDArray[np.float64]) -> int | None:
    """The first query after which a p-value passes for all questions together."""
    found = np.flatnonzero(path * len(asked.suspects) <= asked.level + SLACK)
    return int(found[0]) + 1 if len(found) else None


def _numbers(asked: Question) -> NDArray[np.int_]:
    return np.array(independent(list(asked.roots)), int)


def _told(asked: Question, heard: dict[str, Heard], models: Sequence[str]) -> NDArray[np.bool_] | None:
    """(n,) whether each of some models of known origin would be called closer if it were one of the suspects."""
    if not models:
        return None
    level = asked.level / len(asked.suspects)  # what a suspect has to pass among all that are asked about
    return np.array([_pvalues(asked, heard, [name])[0][0] <= level + SLACK for name in models])
