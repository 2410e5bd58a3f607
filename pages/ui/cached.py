"""Cheap reads of the records, kept between reruns and shared by sessions. What they return must not be changed."""

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from qurd_core import views
from qurd_core.benchmarks.saved_benchmarks import home_of
from qurd_core.files import default_folder, file_digest
from qurd_core.jobs.queue import Jobs
from qurd_core.paper import agreement as ranks
from qurd_core.paper import claims as graded
from qurd_core.paper import tables
from qurd_core.records import evidence, measured_gains, measured_winners, measured_worth, rate_records, scheme_table
from qurd_core.schemes import REFERENCE
from qurd_core.statistics import metrics
from qurd_core.views import contents, designer, leaderboard, query_sets, separability, telling
from qurd_core.views.query_sets import QuerySet

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas import DataFrame

    from qurd_core.records.bank import Bank
    from qurd_core.statistics import TprReport

Version = tuple[str, str]
Made = TypeVar("Made")


def tasks(benchmark: str) -> list[str]:
    """The tasks of a benchmark, `"all"` first."""
    return _tasks(benchmark, version(benchmark))


def curves(benchmark: str, task: str, *, hard: bool, rule: metrics.Rule) -> "DataFrame":
    """Every combination at every budget."""
    return _curves(benchmark, task, negatives(hard), rule, version(benchmark))


def board(benchmark: str, task: str, at: int, reveal: str, *, hard: bool, rule: metrics.Rule) -> "DataFrame":
    """The combinations at one budget that the suspect's answers allow."""
    return _board(benchmark, task, at, reveal, hard, rule, version(benchmark))


def by_task(benchmark: str, at: int, *, hard: bool) -> "DataFrame":
    """Every combination on every task at one budget."""
    return _by_task(benchmark, at, negatives(hard), version(benchmark))


def worth(benchmark: str, task: str, at: int, *, hard: bool, rule: metrics.Rule) -> "DataFrame":
    """What the rates are worth, by label: of all schemes with recorded scores, on a bench of one's own of the named ones."""
    return _worth(benchmark, task, at, negatives(hard), metrics.RULES[rule].kind, version(benchmark))


def best_of(benchmark: str, task: str, at: int, reveal: str, *, hard: bool, rule: metrics.Rule) -> measured_winners.BestOf:
    """What the best combination that nobody published is worth, chosen on part of the victims; a QurdError says why not."""
    return _best_of(benchmark, task, at, reveal, hard, rule, version(benchmark))


def swaps(benchmark: str, name: str, task: str, at: int, *, hard: bool, rule: metrics.Rule) -> "DataFrame":
    """What other samplers bring to a named scheme, with intervals over models, by label; none on a bench of one's own."""
    known = _gains(benchmark, version(benchmark)) if benchmark in rate_records.SHIPPED else measured_gains.GAINS.nothing
    kind = metrics.RULES[rule].kind
    return _chosen(known, {"name": name, "task": task, "budget": at, "rule": kind, "negatives": negatives(hard)})


def scores(benchmark: str) -> evidence.Scores:
    """Raw distances of the named and the best schemes, for all suspects of the whole benchmark."""
    base = evidence.base_of(benchmark)
    path = rate_records.scores_path(base)
    return _scores(base, _version_of(path))


def distances(benchmark: str, of: str, scheme: str | None, budget: int, seed: int | None) -> separability.Distances:
    """Of every pair, by a delta, or by the scores of a scheme where one is given."""
    if scheme is None:
        return separability.Distances.of_delta(pairs(benchmark), of)
    return separability.Distances.of_scheme(pairs(benchmark), scores(benchmark), scheme, budget, seed)


def reports(
    benchmark: str,
    of: str,
    scheme: str | None,
    budget: int,
    seed: int | None,
    *,
    fpr: int,
    hard: bool,
    alone: tuple[str, str] | None,
) -> dict[str, "TprReport"]:
    """The rate of these distances with its interval over models, by task; or of one victim and task alone."""
    return _reports(benchmark, of, scheme, budget, seed, fpr, negatives(hard), alone, version(benchmark))


def pairs(benchmark: str) -> "DataFrame":
    """One row per pair."""
    return _pairs(benchmark, version(benchmark))


def held(benchmark: str) -> "DataFrame":
    """What each task of a benchmark holds."""
    return _held(benchmark, version(benchmark))


def lineages(benchmark: str) -> list[str]:
    """The lineages of the unrelated models."""
    return _lineages(benchmark, version(benchmark))


def models(benchmark: str) -> "DataFrame":
    """One row per model."""
    return _models(benchmark, version(benchmark))


def bank(benchmark: str) -> "Bank":
    """The labels of all models on the test patches."""
    base = evidence.base_of(benchmark)
    return _bank(base, version(base))


def tiles(base: str) -> "DataFrame":
    """Where every pair of a whole benchmark stands on the Designer's bench."""
    return _tiles(base, version(base))


def whole_rates(base: str, schemes: tuple[str, ...], budget: int, negatives: str) -> "DataFrame":
    """Rates of some schemes with every pair of a whole benchmark, at one budget."""
    return _whole_rates(base, schemes, budget, negatives, version(base))


def whole_overlap(base: str, scheme: str, budget: int, negatives: str) -> float:
    """Overlap of a scheme with every pair of a whole benchmark."""
    return _whole_overlap(base, scheme, budget, negatives, version(base))


def schemes() -> "DataFrame":
    """Every recorded scheme in words."""
    return _schemes(str(rate_records.FOLDER))


def negatives(hard: bool) -> str:
    """The choice of negatives behind the switch."""
    return "unrelated+hard" if hard else "unrelated"


def once(question: tuple, make: "Callable[[], Made]") -> Made:
    """A figure or a view that takes long, made once: whoever compares goes back and forth.

    Args:
        question: its name and all that it depends on.
    """
    return _once(question, make)


def version(benchmark: str) -> Version:
    """Changes when the records do, so that new ones are seen without a restart."""
    path = rate_records.path_of(benchmark) if benchmark in rate_records.SHIPPED else home_of(benchmark)
    return _version_of(path)


def _version_of(path: Path) -> Version:
    return str(path), file_digest(path) if path.is_file() else ""


@st.cache_resource(max_entries=1, show_spinner=False)
def jobs() -> Jobs:
    """The jobs of this server, for all sessions."""
    return Jobs(default_folder())


@st.cache_resource(max_entries=48, show_spinner=False)
def _once(question: tuple, _make: "Callable[[], Made]") -> Made:
    return _make()


@st.cache_resource(max_entries=16, show_spinner=False)
def _tasks(benchmark: str, version: Version) -> list[str]:
    return evidence.tasks(benchmark)


@st.cache_resource(max_entries=24, show_spinner=False)
def _curves(benchmark: str, task: str, negatives: str, rule: metrics.Rule, version: Version) -> "DataFrame":
    known = _honest(benchmark, version) if benchmark in rate_records.SHIPPED else measured_worth.HONEST.nothing
    asked = {"task": task, "rule": metrics.RULES[rule].kind, "negatives": negatives}
    return views.budget.curves(evidence.read(benchmark, task=task, negatives=negatives), rule, _chosen(known, asked))


@st.cache_resource(max_entries=32, show_spinner=False)
def _board(benchmark: str, task: str, at: int, reveal: str, hard: bool, rule: metrics.Rule, version: Version) -> "DataFrame":
    known = worth(benchmark, task, at, hard=hard, rule=rule)
    return views.leaderboard.board(curves(benchmark, task, hard=hard, rule=rule), schemes(), at, reveal, known)


@st.cache_resource(max_entries=32, show_spinner=False)
def _best_of(
    benchmark: str, task: str, at: int, reveal: str, hard: bool, rule: metrics.Rule, version: Version
) -> measured_winners.BestOf:
    request = {"task": task, "budget": at, "negatives": negatives(hard)}
    if benchmark in rate_records.SHIPPED:
        kind = metrics.RULES[rule].kind
        return measured_winners.recorded(_winners(benchmark, version), pairs(benchmark), rule=kind, reveal=reveal, **request)
    free = scheme_table.unnamed(board(benchmark, task, at, reveal, hard=hard, rule=rule), schemes())
    reference, rate = schemes().set_index("name").loc[REFERENCE, "scheme"], metrics.RULES[rule].value
    among = measured_winners.levels_of(free)
    return measured_winners.measured(scores(benchmark), pairs(benchmark), among, reference, rate=rate, **request)


@st.cache_resource(max_entries=3, show_spinner=False)
def _winners(benchmark: str, version: Version) -> "DataFrame":
    return measured_winners.WINNERS.read(benchmark)


@st.cache_resource(max_entries=64, show_spinner=False)
def _worth(benchmark: str, task: str, at: int, negatives: str, rule: str, version: Version) -> "DataFrame":
    shipped = benchmark in rate_records.SHIPPED
    known = _honest(benchmark, version) if shipped else _of_part(benchmark, at, rule, negatives, version)
    return _chosen(known, {"task": task, "budget": at, "rule": rule, "negatives": negatives})


@st.cache_resource(max_entries=12, show_spinner=False)
def _of_part(benchmark: str, at: int, rule: str, negatives: str, version: Version) -> "DataFrame":
    """All tasks at once, which takes hardly longer than one."""
    return measured_worth.of_part(benchmark, scores(benchmark), at, rule, negatives)


def _chosen(known: "DataFrame", asked: dict[str, object]) -> "DataFrame":
    """The rows of one question, by label; a text that is missing is None."""
    for name, value in asked.items():
        known = known[known[name] == value]
    texts = known.select_dtypes(exclude="number").astype(object)
    return known.assign(**texts.where(texts.notna(), None)).set_index("label")


@st.cache_resource(max_entries=3, show_spinner=False)
def _honest(benchmark: str, version: Version) -> "DataFrame":
    return measured_worth.HONEST.read(benchmark)


@st.cache_resource(max_entries=3, show_spinner=False)
def _gains(benchmark: str, version: Version) -> "DataFrame":
    return measured_gains.GAINS.read(benchmark)


@st.cache_resource(max_entries=12, show_spinner=False)
def _by_task(benchmark: str, at: int, negatives: str, version: Version) -> "DataFrame":
    known = None if benchmark in rate_records.SHIPPED else scores(benchmark)
    return leaderboard.by_task(benchmark, at, negatives, scores=known)


@st.cache_resource(max_entries=2, show_spinner=False)
def _scores(benchmark: str, version: Version) -> evidence.Scores:
    return evidence.Scores.read(benchmark)


@st.cache_resource(max_entries=64, show_spinner=False)
def _reports(
    benchmark: str,
    of: str,
    scheme: str | None,
    budget: int,
    seed: int | None,
    fpr: int,
    negatives: str,
    alone: tuple[str, str] | None,
    version: Version,
) -> dict[str, "TprReport"]:
    found, request = distances(benchmark, of, scheme, budget, seed), {"negatives": negatives, "alpha": fpr / 100}
    request["draws"] = measured_worth.draws_of(benchmark)
    return separability.reports(found, alone=alone, **request)


@st.cache_resource(max_entries=8, show_spinner=False)
def _pairs(benchmark: str, version: Version) -> "DataFrame":
    return evidence.pairs(benchmark)


@st.cache_resource(max_entries=8, show_spinner=False)
def _held(benchmark: str, version: Version) -> "DataFrame":
    return contents.tasks(pairs(benchmark))


@st.cache_resource(max_entries=8, show_spinner=False)
def _lineages(benchmark: str, version: Version) -> list[str]:
    table = pairs(benchmark)
    return sorted(table.loc[table["kind"] == "negative", "root"].unique())


@st.cache_resource(max_entries=8, show_spinner=False)
def _models(benchmark: str, version: Version) -> "DataFrame":
    return evidence.models(benchmark)


@st.cache_resource(max_entries=2, show_spinner=False)
def _tiles(base: str, version: Version) -> "DataFrame":
    return views.designer.tiles(pairs(base))


@st.cache_resource(max_entries=32, show_spinner=False)
def _whole_rates(base: str, schemes: tuple[str, ...], budget: int, negatives: str, version: Version) -> "DataFrame":
    return evidence.rates(scores(base).only(schemes, budget), pairs(base), negatives)


@st.cache_resource(max_entries=64, show_spinner=False)
def _whole_overlap(base: str, scheme: str, budget: int, negatives: str, version: Version) -> float:
    one, share = scores(base).only([scheme], budget), separability.ends_at_one(schemes(), scheme)
    return designer.overlap(one, pairs(base), scheme, budget, negatives, share=share)


@st.cache_resource(max_entries=2, show_spinner=False)
def _bank(benchmark: str, version: Version) -> "Bank":
    return evidence.bank(benchmark)


@st.cache_resource(max_entries=1, show_spinner=False)
def _schemes(folder: str) -> "DataFrame":
    return rate_records.schemes()


def natural_queries(benchmark: str, sampler: str, victim: str, suspect: str, query_seed: int, size: int) -> QuerySet:
    """Queries that follow from the bank."""
    return _natural_queries(evidence.base_of(benchmark), sampler, victim, suspect, query_seed, size, version(benchmark))


def made_queries(path: Path, sampler: str, classes: tuple[str, ...]) -> QuerySet:
    """Queries that a worker made."""
    return _made_queries(_version_of(path), sampler, classes)


@st.cache_resource(max_entries=24, show_spinner=False)
def _natural_queries(
    base: str, sampler: str, victim: str, suspect: str, query_seed: int, size: int, version: Version
) -> QuerySet:
    return query_sets.from_bank(bank(base), sampler, victim, suspect, query_seed, size)


@st.cache_resource(max_entries=24, show_spinner=False)
def _made_queries(version: Version, sampler: str, classes: tuple[str, ...]) -> QuerySet:
    return query_sets.read(Path(version[0]), sampler, classes)


def telling_images(benchmark: str, victim: str) -> tuple["DataFrame", dict[str, int]]:
    """The most telling images of a victim, and how many models were asked."""
    return _telling_images(benchmark, victim, version(benchmark))


@st.cache_resource(max_entries=24, show_spinner=False)
def _telling_images(benchmark: str, victim: str, version: Version) -> tuple["DataFrame", dict[str, int]]:
    return telling.telling(bank(benchmark), pairs(benchmark), victim)


@st.cache_resource(max_entries=1, show_spinner=False)
def claims() -> list[graded.Claim]:
    """The paper's claims, graded."""
    return graded.read()


@st.cache_resource(max_entries=1, show_spinner=False)
def claims_table() -> "DataFrame":
    """The same as a table."""
    from pandas import DataFrame

    return DataFrame(claims())


@st.cache_resource(max_entries=1, show_spinner=False)
def agreement() -> "DataFrame":
    """Kendall's tau of every two benchmarks at every budget."""
    return ranks.read()


@st.cache_resource(max_entries=1, show_spinner=False)
def table2() -> "DataFrame":
    """The paper's Table 2 with counts."""
    from pandas import DataFrame

    return DataFrame(tables.rows_of("table2", "paper"))


@st.cache_resource(max_entries=2, show_spinner=False)
def table3(mode: str) -> "DataFrame":
    """The paper's Table 3 in one mode."""
    from pandas import DataFrame

    return DataFrame(tables.rows_of("table3", mode))
