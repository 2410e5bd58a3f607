"""Cheap reads of the records, kept between reruns and shared by sessions. What they return must not be changed.

Each is one function under `kept`, which does it anew when it is asked something else or the file behind it has changed.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import streamlit as st
from pandas import DataFrame

from pages.ui.hosting import visitor
from qurd_core import views
from qurd_core.benchmarks.saved_benchmarks import home_of
from qurd_core.files import default_folder, file_digest
from qurd_core.findings.language.limits import limits as cannot_tell
from qurd_core.jobs.queue import Jobs
from qurd_core.paper import agreement, claims, tables
from qurd_core.records import (
    evidence,
    grid_records,
    measured_gains,
    measured_winners,
    measured_worth,
    obfuscation_records,
    ran_records,
    rate_records,
    scheme_table,
)
from qurd_core.records.bank import Bank
from qurd_core.records.obfuscation_records import PLAIN, Behind
from qurd_core.schemes import REFERENCE
from qurd_core.statistics import TprReport, metrics
from qurd_core.views import contents, designer, leaderboard, query_sets, separability, telling
from qurd_core.views.query_sets import QuerySet

Asked = ParamSpec("Asked")
Made = TypeVar("Made")

_MEASURED = {table.part: table for table in (measured_worth.HONEST, measured_gains.GAINS, measured_winners.WINNERS)}


def version(benchmark: str) -> tuple[str, ...]:
    """Changes when the records do, so that new ones are seen without a restart."""
    if not rate_records.is_whole(benchmark):
        return _content(home_of(benchmark))
    ran = _content(ran_records.path_of(benchmark)) if ran_records.path_of(benchmark).is_file() else ()
    return _content(rate_records.path_of(benchmark)) + _content(obfuscation_records.path_of(benchmark)) + ran


def _content(path: Path) -> tuple[str, str]:
    return str(path), file_digest(path) if path.is_file() else ""


def changed(path: Path) -> float:
    """When a file was written last; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def kept(
    most: int, of: Callable[..., object] = version, *, whole: bool = False
) -> Callable[[Callable[Asked, Made]], Callable[Asked, Made]]:
    """Do a read once for all sessions, and again once the file behind it has changed.

    Args:
        most: results that are kept.
        of: from the first argument to what changes with the file; of a benchmark, its records.
        whole: the first argument is a benchmark, and any part of it has the same result.
    """

    def keep(read: Callable[Asked, Made]) -> Callable[Asked, Made]:
        @st.cache_resource(max_entries=most, show_spinner=False)
        @wraps(read)  # Streamlit knows a function by its name and its source
        def known(*asked: Any, version: object, **options: Any) -> Made:
            return read(*asked, **options)

        @wraps(read)
        def ask(*asked: Any, **options: Any) -> Made:
            if whole:
                asked = evidence.base_of(asked[0]), *asked[1:]
            return known(*asked, version=of(*asked[:1]), **options)

        return ask

    return keep


@st.cache_resource(max_entries=1, show_spinner=False)
def jobs() -> Jobs:
    """The jobs of this server, for all sessions."""
    return Jobs(default_folder(), is_open=visitor.is_open)


@st.cache_resource(max_entries=48, show_spinner=False)
def once(question: tuple, _make: Callable[[], Made]) -> Made:
    """A figure or a view that takes long, made once: whoever compares goes back and forth.

    Args:
        question: its name and all that it depends on.
    """
    return _make()


def negatives(hard: bool) -> str:
    """The choice of negatives behind the switch."""
    return "unrelated+hard" if hard else "unrelated"


@kept(16)
def tasks(benchmark: str) -> list[str]:
    """The tasks of a benchmark, `"all"` first."""
    return evidence.tasks(benchmark)


@kept(16)
def obfuscations(benchmark: str) -> tuple[str, ...]:
    """What suspects can stand behind; nothing where no rate was recorded behind anything."""
    return obfuscation_records.recorded(benchmark)


@kept(32)
def curves(benchmark: str, task: str, *, hard: bool, rule: metrics.Rule, behind: Behind = PLAIN) -> DataFrame:
    """Every combination at every budget; behind obfuscations the named schemes at few, with the `obfuscation`."""
    if behind != PLAIN:
        asked = {"task": task, "negatives": negatives(hard), "rule": rule}
        return views.budget.curves(obfuscation_records.read(benchmark, behind, **asked), rule)
    asked = {"task": task, "rule": metrics.RULES[rule].kind, "negatives": negatives(hard)}
    known = _chosen(_measured(benchmark, measured_worth.HONEST.part), asked)
    return views.budget.curves(evidence.read(benchmark, task=task, negatives=negatives(hard)), rule, known)


@kept(24)
def fitting(benchmark: str, task: str, reveal: str, *, hard: bool, rule: metrics.Rule, behind: Behind = PLAIN) -> DataFrame:
    """The combinations that the suspect's answers allow at every budget."""
    points = curves(benchmark, task, hard=hard, rule=rule, behind=behind)
    return points[~points["scheme"].isin(leaderboard.withheld(schemes(), reveal))]


@kept(32)
def board(
    benchmark: str, task: str, at: int, reveal: str, *, hard: bool, rule: metrics.Rule, behind: Behind = PLAIN
) -> DataFrame:
    """The combinations at one budget that the suspect's answers allow."""
    asked = {"hard": hard, "rule": rule, "behind": behind}
    known = worth(benchmark, task, at, **asked)
    return views.leaderboard.board(curves(benchmark, task, **asked), schemes(), at, reveal, known)


@kept(12)
def by_task(benchmark: str, at: int, *, hard: bool, rule: metrics.Rule = "paper", behind: Behind = PLAIN) -> DataFrame:
    """Every combination on every task at one budget; the rule says which obfuscation is the worst."""
    if behind != PLAIN:
        return obfuscation_records.read_at(benchmark, at, behind, negatives=negatives(hard), rule=rule)
    known = None if rate_records.is_whole(benchmark) else scores(benchmark)
    return leaderboard.by_task(benchmark, at, negatives(hard), scores=known)


@kept(64)
def worth(benchmark: str, task: str, at: int, *, hard: bool, rule: metrics.Rule, behind: Behind = PLAIN) -> DataFrame:
    """What the rates are worth, by label: of all schemes with recorded scores, on a bench of one's own of the named ones;
    nothing is known of rates behind obfuscations.
    """
    if behind != PLAIN:
        return _chosen(measured_worth.HONEST.nothing, {})
    asked = {"task": task, "budget": at, "rule": metrics.RULES[rule].kind, "negatives": negatives(hard)}
    if rate_records.is_whole(benchmark):
        return _chosen(_measured(benchmark, measured_worth.HONEST.part), asked)
    return _chosen(_worth_of_part(benchmark, at, asked["rule"], asked["negatives"]), asked)


@kept(12)
def _worth_of_part(benchmark: str, at: int, rule: str, negatives: str) -> DataFrame:
    """All tasks at once, which takes hardly longer than one."""
    return measured_worth.of_part(benchmark, scores(benchmark), at, rule, negatives)


@kept(32)
def best_of(benchmark: str, task: str, at: int, reveal: str, *, hard: bool, rule: metrics.Rule) -> measured_winners.BestOf:
    """What the best combination that nobody published is worth, chosen on part of the victims; a QurdError says why not."""
    request = {"task": task, "budget": at, "negatives": negatives(hard)}
    if rate_records.is_whole(benchmark):
        known, kind = _measured(benchmark, measured_winners.WINNERS.part), metrics.RULES[rule].kind
        return measured_winners.recorded(known, pairs(benchmark), rule=kind, reveal=reveal, **request)
    free = scheme_table.unnamed(board(benchmark, task, at, reveal, hard=hard, rule=rule), schemes())
    reference, rate = schemes().set_index("name").loc[REFERENCE, "scheme"], metrics.RULES[rule].value
    among = measured_winners.levels_of(free)
    return measured_winners.measured(scores(benchmark), pairs(benchmark), among, reference, rate=rate, **request)


def swaps(benchmark: str, name: str, task: str, at: int, *, hard: bool, rule: metrics.Rule) -> DataFrame:
    """What other samplers bring to a named scheme, with intervals over models, by label; none on a bench of one's own."""
    asked = {"name": name, "task": task, "budget": at, "rule": metrics.RULES[rule].kind, "negatives": negatives(hard)}
    return _chosen(_measured(benchmark, measured_gains.GAINS.part), asked)


@kept(9)
def _measured(benchmark: str, part: str) -> DataFrame:
    """What was measured of a whole benchmark; nothing of a bench of one's own."""
    table = _MEASURED[part]
    return table.read(benchmark) if rate_records.is_whole(benchmark) else table.nothing


def _chosen(known: DataFrame, asked: dict[str, object]) -> DataFrame:
    """The rows of one question, by label; a text that is missing is None."""
    for name, value in asked.items():
        known = known[known[name] == value]
    texts = known.select_dtypes(exclude="number").astype(object)
    return known.assign(**texts.where(texts.notna(), None)).set_index("label")


@kept(2, of=lambda benchmark: _content(grid_records.path_of(benchmark)))
def grid(benchmark: str) -> DataFrame:
    """The recorded grid of thefts and ways to hide them."""
    return grid_records.read(benchmark)


def _scores_version(base: str) -> tuple[str, ...]:
    return _content(rate_records.scores_path(base)) + _content(ran_records.path_of(base, ran_records.SCORES))


@kept(2, of=_scores_version, whole=True)
def scores(benchmark: str) -> evidence.Scores:
    """Raw distances of the named and the best schemes, for all suspects of the whole benchmark."""
    return evidence.Scores.read(benchmark)


@kept(4, of=lambda benchmark: _content(obfuscation_records.path_of(benchmark, part=obfuscation_records.SCORES)))
def _hidden_scores(benchmark: str, behind: Behind) -> evidence.Scores:
    return obfuscation_records.scores(benchmark, behind)


def scores_behind(benchmark: str, behind: Behind) -> evidence.Scores:
    """The same with suspects behind one obfuscation."""
    return scores(benchmark) if behind == PLAIN else _hidden_scores(benchmark, behind)


def distances(
    benchmark: str, of: str, scheme: str | None, budget: int, seed: int | None, behind: Behind = PLAIN
) -> separability.Distances:
    """Of every pair, by a delta, or by the scores of a scheme where one is given."""
    if scheme is None:
        return separability.Distances.of_delta(pairs(benchmark), of)
    found = separability.Distances.of_scheme(pairs(benchmark), scores_behind(benchmark, behind), scheme, budget, seed)
    return found if behind == PLAIN else found.served(behind)


@kept(64)
def reports(
    benchmark: str,
    of: str,
    scheme: str | None,
    budget: int,
    seed: int | None,
    behind: Behind,
    *,
    fpr: int,
    hard: bool,
    alone: tuple[str, str] | None,
) -> dict[str, TprReport]:
    """The rate of these distances with its interval over models, by task; or of one victim and task alone."""
    found, request = (
        distances(benchmark, of, scheme, budget, seed, behind),
        {"negatives": negatives(hard), "alpha": fpr / 100},
    )
    return separability.reports(found, alone=alone, draws=measured_worth.draws_of(benchmark), **request)


@kept(8)
def pairs(benchmark: str) -> DataFrame:
    """One row per pair."""
    return evidence.pairs(benchmark)


@kept(16)
def kinds(benchmark: str, victim: str) -> dict[str, str]:
    """What each model is to a victim: the kind of their pair."""
    table = pairs(benchmark)
    mine = table[table["victim"] == victim]
    return dict(zip(mine["suspect"], mine["kind"], strict=True))


@kept(8)
def held(benchmark: str) -> DataFrame:
    """What each task of a benchmark holds."""
    return contents.tasks(pairs(benchmark))


@kept(8)
def lineages(benchmark: str) -> list[str]:
    """The lineages of the unrelated models."""
    table = pairs(benchmark)
    return sorted(table.loc[table["kind"] == "negative", "root"].unique())


@kept(8)
def models(benchmark: str) -> DataFrame:
    """One row per model."""
    return evidence.models(benchmark)


@st.cache_resource(show_spinner=False)
def atlas() -> tuple[DataFrame, tuple[int, dict[tuple[str, str], str]]]:
    """Table 1 beside ours, and what goes together: see `tables`."""
    return tables.table1(), tables.compatible()


@kept(8, whole=True)
def limits(base: str) -> str:
    """What a benchmark cannot tell."""
    return cannot_tell(base, evidence.pairs(base), evidence.models(base))


@kept(2, whole=True)
def bank(benchmark: str) -> Bank:
    """The labels of all models on the test patches."""
    return evidence.bank(benchmark)


@kept(2)
def tiles(base: str) -> DataFrame:
    """Where every pair of a whole benchmark stands on the Designer's bench."""
    return designer.tiles(pairs(base))


@kept(32)
def whole_rates(base: str, schemes: tuple[str, ...], budget: int, negatives: str) -> DataFrame:
    """Rates of some schemes with every pair of a whole benchmark, at one budget."""
    return evidence.rates(scores(base).only(schemes, budget), pairs(base), negatives)


@kept(64)
def whole_overlap(base: str, scheme: str, budget: int, negatives: str) -> float:
    """Overlap of a scheme with every pair of a whole benchmark."""
    one, share = scores(base).only([scheme], budget), separability.ends_at_one(schemes(), scheme)
    return designer.overlap(one, pairs(base), scheme, budget, negatives, share=share)


def _words_version() -> tuple[str, ...]:
    """Changes with what was run here, too."""
    return str(rate_records.FOLDER), *(text for one in ran_records.words() for text in (str(one["scheme"]),))


@kept(1, of=_words_version)
def schemes() -> DataFrame:
    """Every recorded scheme in words."""
    return rate_records.schemes()


@kept(24, whole=True)
def natural_queries(benchmark: str, sampler: str, victim: str, suspect: str, query_seed: int, size: int) -> QuerySet:
    """Queries that follow from the bank."""
    return query_sets.from_bank(bank(benchmark), sampler, victim, suspect, query_seed, size)


@kept(24, of=_content)
def made_queries(path: Path, sampler: str, classes: tuple[str, ...]) -> QuerySet:
    """Queries that a worker made."""
    return query_sets.read(path, sampler, classes)


@kept(24)
def telling_images(benchmark: str, victim: str) -> tuple[DataFrame, dict[str, int]]:
    """The most telling images of a victim, and how many models were asked."""
    return telling.telling(bank(benchmark), pairs(benchmark), victim)


@st.cache_resource(max_entries=1, show_spinner=False)
def graded_claims() -> list[claims.Claim]:
    """The paper's claims, graded."""
    return claims.read()


@st.cache_resource(max_entries=1, show_spinner=False)
def claims_table() -> DataFrame:
    """The same as a table."""
    return DataFrame(graded_claims())


@st.cache_resource(max_entries=1, show_spinner=False)
def rank_agreement() -> DataFrame:
    """Kendall's tau of every two benchmarks at every budget."""
    return agreement.read()


@st.cache_resource(max_entries=3, show_spinner=False)
def paper_table(name: str, mode: str = "paper") -> DataFrame:
    """The paper's Table 2 with counts, or its Table 3 in one mode."""
    return DataFrame(tables.rows_of(name, mode))
