"""The Separability page's parts: its choices, its distances from the records, and the numbers beside its chart."""

import math
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import streamlit as st
from pandas import DataFrame, Series

from pages.ui import cached, controls, links
from pages.ui.suspect import switch
from pages.ui.suspect.switch import Suspect
from qurd_core import findings, views
from qurd_core.findings.language import again, words
from qurd_core.plots.drawing.theme import Style
from qurd_core.records import evidence, obfuscation_records, rate_records
from qurd_core.records.obfuscation_records import PLAIN, WORST
from qurd_core.records.scheme_table import LEVELS
from qurd_core.schemes import REFERENCE
from qurd_core.statistics.printed import fixed
from qurd_core.views.separability import DELTAS, EACH, By, Row, budgets, ends_at_one, overlap, reported, rows

NOUNS = {"one": None, "tasks": "task", "victims": "victim", "benchmarks": "benchmark"}
SHOW = ("distributions", "bound")
ALARMS = range(21)  # percent
MEAN = "mean"


class Choice(NamedTuple):
    """What the controls say.

    Attributes:
        show: one of `SHOW`.
        of: one of `DELTAS`, or the label of a scheme.
        scheme: the scheme's text, None for a delta.
        budget: queries that its scores are recorded at.
        seed: one query seed, or None for the mean.
        suspect: what it reveals.
        fpr: allowed share of false alarms in percent.
        by: one of `EACH`.
    """

    show: str
    of: str
    scheme: str | None
    task: str
    fpr: int
    by: str
    hard: bool
    budget: int
    seed: int | None
    suspect: Suspect


def recorded(benchmark: str) -> bool:
    """Whether the pairs of a benchmark are there."""
    base = rate_records.path_of(evidence.base_of(benchmark))
    return base.with_name(f"{base.stem}-pairs.parquet").is_file()


def choose(benchmark: str) -> Choice:
    """The row of controls."""
    before = switch.held(benchmark)
    texts = _texts(benchmark, before)
    held = st.session_state.get("of", st.query_params.get("of"))
    shows = SHOW if rate_records.has_rates(evidence.base_of(benchmark)) else SHOW[1:]
    bounded = st.session_state.get("show", st.query_params.get("show", shows[0])) == SHOW[1] or len(shows) == 1
    scored = held in texts and not bounded
    with st.container(key="controls"):
        widths = [1.05, 1.0, *([] if bounded else [1.3, 1.2, 0.95]), *[1.1, 0.8] * scored, 1.05, 1.2, *[3] * bounded]
        places = iter(st.columns(widths, gap="small"))
    with next(places):
        show = controls.select("View", shows, "show", "view")
    with next(places):
        task = controls.task(cached.tasks(benchmark))
    of, fpr, by, budget, seed = DELTAS[0], 5, EACH[0], 0, None
    if not bounded:
        with next(places):
            of = controls.select("Distance", (*DELTAS, *texts), "of", "distance", _called)
        with next(places):
            by = controls.select("Rows", EACH, "rows", "rows", _ROWS.get)
        with next(places):
            links.check("fpr", ALARMS, "share of false alarms")
            fpr = st.select_slider("False alarms, %", ALARMS, value=5, key="fpr", **controls.LINKED)
    if scored:
        columns = _columns(benchmark, before._replace(behind=PLAIN) if before.behind.by == WORST else before)
        with next(places):
            budget = controls.budget(sorted(cached.scores(benchmark).columns["budget"].unique().tolist()))
        with next(places):
            seeds = [] if before.behind.by == WORST else sorted(columns["query_seed"].unique().tolist())
            named = controls.select("Query seed", (MEAN, *map(str, seeds)), "seed", "query seed")
            seed = None if named == MEAN else int(named)
    with next(places):
        suspect = switch.choose(benchmark)
    with next(places):
        hard = controls.hard()
    found = Choice(show, of, texts.get(of), task, fpr, by, hard, budget, seed, suspect)
    return found._replace(suspect=_resolved(found, benchmark)) if found.scheme else found


def _resolved(choice: Choice, benchmark: str) -> Suspect:
    """The suspect with the obfuscation that is the worst known for the scheme, where that is asked for."""
    behind = choice.suspect.behind
    if behind.by != WORST:
        return choice.suspect
    return choice.suspect._replace(behind=behind._replace(by=_mine(choice, benchmark)["obfuscation"]))


def _mine(choice: Choice, benchmark: str) -> Series:
    """The rate of the scheme behind what is chosen."""
    points = cached.curves(benchmark, choice.task, hard=choice.hard, rule="paper", behind=choice.suspect.behind)
    return points[(points["scheme"] == choice.scheme) & (points["budget"] == choice.budget)].iloc[0]


def not_recorded_behind(choice: Choice) -> None:
    """Only distances of schemes are recorded behind obfuscations: why, and the two ways out."""
    name = findings.separability.DELTAS[choice.of].name
    st.header(links.plain(f"{name} is known of suspects as they are only", 300), anchor=False)
    with st.container(border=True):
        st.write(
            f"Behind obfuscations the distances of named schemes are recorded. That of {REFERENCE} estimates δ_C: it counts"
            " disagreements on images that the victim gets wrong."
        )
        with st.container(horizontal=True):
            take = st.session_state.update
            st.button(f"Show {REFERENCE}", type="primary", on_click=take, args=[{"of": REFERENCE, "show": SHOW[0]}])
            st.button("Let nothing stand before suspects", on_click=take, args=[{"behind": switch.NOTHING}])


def withheld(choice: Choice, benchmark: str) -> str:
    """Why the suspect's answers, or what stands before it, do not allow the scheme; empty where they do."""
    if choice.scheme is None:
        return ""
    why = views.leaderboard.withheld(cached.schemes(), choice.suspect.reveal).get(choice.scheme, "")
    if why or not choice.suspect.hidden:
        return why
    mine = _mine(choice, benchmark)
    return "" if mine["value"] == mine["value"] else mine["reason"] or "has no rate behind it"


def not_revealed(choice: Choice, why: str) -> None:
    """The scheme needs more than the suspect reveals, or than what stands before it lets through: why, and the ways out."""
    st.header(links.plain(f"{choice.of}{' is' * why.startswith('recorded')} {why}", 300), anchor=False)
    need = cached.schemes().set_index("scheme").loc[choice.scheme, "level"]
    enough = next(name for name, level in LEVELS.items() if level == need)
    with st.container(border=True):
        st.write(
            f"Distances by {links.plain(choice.of)} follow from {words.REVEALED[enough]}. Let the suspect reveal them as"
            f" they are, or take a scheme that needs labels only, such as {REFERENCE}, at 100 queries."
        )
        with st.container(horizontal=True):
            take = st.session_state.update
            st.button(f"Show {REFERENCE}", type="primary", on_click=take, args=[{"of": REFERENCE, "budget": 100}])
            more = {"reveal": enough} | ({"behind": switch.NOTHING} if choice.suspect.hidden else {})
            st.button(f"Reveal {words.REVEALED[enough]}", on_click=take, args=[more])


def axis(choice: Choice, benchmark: str) -> findings.separability.Axis:
    """What lies on the axis."""
    if choice.scheme is None:
        return findings.separability.DELTAS[choice.of]
    columns = _columns(benchmark, choice.suspect)
    seeds = columns.loc[columns["scheme"] == choice.scheme, "query_seed"].nunique()
    share = ends_at_one(cached.schemes(), choice.scheme)
    return findings.separability.scheme_axis(choice.of, choice.budget, seeds, choice.seed, share=share)


def measured(choice: Choice, benchmark: str) -> list[Row]:
    """The rows of the chart, for the benchmark alone or for all."""
    if choice.by != "benchmarks":
        return _rows(choice, benchmark, choice.by)
    found = []
    for name in dict.fromkeys([*rate_records.SHIPPED, benchmark]):
        one = (
            _rows(choice, name, "one")
            if recorded(name)
            else [Row(name, cached.pairs(benchmark).iloc[:0], reason="No records.")]
        )
        found += [replace(row, label=name, benchmark=name) for row in one]
    return found


def overall(choice: Choice, benchmark: str, found: list[Row]) -> Row:
    """The row that the numbers beside the chart are about: all pairs of the benchmark, or of the chosen task."""
    if choice.by in ("one", "benchmarks"):
        return next((row for row in found if row.benchmark == benchmark), found[0])
    return _rows(choice._replace(task="all") if choice.by == "tasks" else choice, benchmark, "one")[0]


def turned(choice: Choice, benchmark: str, found: list[Row], axis: findings.separability.Axis) -> str:
    """The headline where hard unrelated models, or what stands before suspects, turn what all pairs say; empty where neither
    does.
    """
    if choice.by != "one":
        return ""
    where = findings.separability.place(benchmark, choice.task, choice.fpr)
    if choice.suspect.hidden:
        before, after = _before(choice, benchmark), found[0].rates.tpr if found[0].rates else math.nan
        by, pool = choice.suspect.behind
        return words.moved(axis.name, before, after, by, where, pool=pool)
    easy = _rows(choice._replace(hard=False), benchmark, "one")
    before, after = (row.rates.tpr if row.rates else math.nan for row in (*easy, found[0]))
    return words.turned(axis.name, before, after, where)


def _before(choice: Choice, benchmark: str) -> float:
    """The rate with suspects as they are, on the same query seeds."""
    measure = choice.of, choice.scheme, choice.budget, choice.seed
    plain, hidden = (cached.distances(benchmark, *measure, behind) for behind in (PLAIN, choice.suspect.behind))
    asked = {"negatives": cached.negatives(choice.hard), "alpha": choice.fpr / 100, "task": choice.task}
    seeds = hidden.values.shape[1]  # those without it are as many or more, and the first are the same
    (row,) = rows(replace(plain, values=plain.values[:, :seeds]), **asked)
    return row.rates.tpr if row.rates else math.nan


def same(choice: Choice, benchmark: str) -> again.Again:
    """What gives the table of the view again."""
    negatives = cached.negatives(choice.hard)
    if choice.show == SHOW[1]:
        chosen = {"task": choice.task, "negatives": negatives}
        table = again.call("contents.counted", again.call("evidence.pairs", benchmark), **chosen)
        return again.Again(
            again.command("pairs", benchmark, **chosen), again.code(table, "records.evidence", "views.contents")
        )
    chosen = {"task": choice.task, "negatives": negatives, "by": choice.by}
    scored = {"budget": choice.budget, "seed": choice.seed} if choice.scheme else {}
    if choice.suspect.hidden:
        by, pool = choice.suspect.behind
        asked = {"budgets": (choice.budget,), "obfuscate": by, "obfuscate_pool": pool or None}
        columns = _columns(benchmark, choice.suspect)
        seeds = int(columns.loc[columns["scheme"] == choice.scheme, "query_seed"].nunique())
        table = again.call("q.score_table", benchmark, (choice.of,), seeds=seeds, **asked)
        return again.Again("", f"import qurd_core as q\n\ntable = {table}", _HIDDEN)
    line = again.command("separability", benchmark, of=choice.of, **scored, **chosen, alarms=choice.fpr)
    table = again.call("separability.table", benchmark, choice.of, **scored, **chosen, alpha=choice.fpr / 100)
    return again.Again(line, again.code(table, "views.separability"), _RECORDED)


def missing(choice: Choice, benchmark: str) -> list[int] | None:
    """The budgets that the scheme has scores at, if the chosen one is not among them."""
    if choice.scheme is None:
        return None
    if not rate_records.has_scores(evidence.base_of(benchmark)):
        return []
    if choice.suspect.hidden and not obfuscation_records.has_scores(benchmark):
        return []
    scores = cached.scores_behind(benchmark, choice.suspect.behind)
    if choice.seed is not None and choice.seed not in set(scores.columns["query_seed"]):
        return []
    there = budgets(scores, choice.scheme, dict.fromkeys(cached.pairs(benchmark)["victim"]))
    return None if choice.budget in there else there


def not_recorded(choice: Choice, there: list[int]) -> None:
    """The scheme has no scores at this budget: why, and a budget that has some."""
    st.header(f"No threshold can be set for {links.plain(choice.of)}", anchor=False)
    with st.container(border=True):
        known = f"at {words.listed([str(budget) for budget in there])} queries" if there else "at no budget"
        st.write(f"{links.plain(choice.of)} lacks scores of some pairs at {choice.budget} queries. Scores exist {known}.")
        if there:
            best = min(there, key=lambda budget: abs(budget - choice.budget))
            st.button(f"Show {best} queries", type="primary", on_click=st.session_state.update, args=[{"budget": best}])


def numbers(row: Row, axis: findings.separability.Axis, fpr: int, style: Style, *, brief: bool) -> None:
    """TPR, AUC and overlap; below them, unless there is no room, what else follows from the pooled threshold."""
    rates, shared = row.rates, overlap(row, share=axis.share)
    meaning = f"{_TPR.format(fpr=fpr)} {findings.separability.method(row)}"
    _metric(f"TPR@{fpr}%", words.precise(rates.tpr, rates.sd), meaning, style, findings.separability.over_models(row))
    _metric("AUC", fixed(rates.auc, 2), _AUC, style)
    _metric("Overlap", words.percent(shared) if shared == shared else "–", _OVERLAP, style)
    if brief:
        return
    line, guaranteed = row.line, rates.guaranteed
    promise = words.precise(guaranteed) if guaranteed == guaranteed else "none: too few lineages"
    st.markdown(f":gray[Guaranteed rule] **{promise}**", help=_GUARANTEED.format(fpr=fpr))
    st.markdown(f":gray[Single pooled threshold] **{words.precise(line.caught)}**", help=_POOLED)
    alarms = f"{line.flagged} of {line.unrelated}"
    st.markdown(f":gray[False alarms] **{alarms}**", help="Unrelated pairs below the single pooled threshold drawn.")


def bound_numbers(found: views.separability.BoundSummary, style: Style) -> None:
    """Where the bound holds, where it speaks, and how far off it is."""
    _metric("Pairs where it holds", f"{found.pairs - found.broken} of {found.pairs}", _HOLDS, style)
    _metric("Vacuous (at most 0)", f"{found.silent} of {found.pairs}", _SILENT, style)
    _metric("Median slack", f"{found.slack:.2f}", _SLACK, style)


def _metric(label: str, value: str, meaning: str, style: Style, beneath: str | None = None) -> None:
    help_text = None if style.stage else meaning
    st.metric(label, value, beneath, delta_color="off", delta_arrow="off", help=help_text)


def _columns(benchmark: str, suspect: Suspect) -> DataFrame:
    """Scheme, query seed and budget of all recorded distances."""
    return cached.scores_behind(benchmark, suspect.behind).columns


def _texts(benchmark: str, suspect: Suspect) -> dict[str, str]:
    """Label of every scheme with recorded scores to its text; named ones first, and behind obfuscations these alone."""
    names = cached.schemes().set_index("scheme")["name"].dropna()
    if not rate_records.has_scores(evidence.base_of(benchmark)):
        return {}
    found = cached.scores(benchmark).columns["scheme"].unique().tolist()
    labels = {names.get(text, text): text for text in found if text in names or not suspect.hidden}
    return dict(sorted(labels.items(), key=lambda item: item[1] not in names))


def _rows(choice: Choice, benchmark: str, by: By) -> list[Row]:
    pairs = cached.pairs(benchmark)
    request = {"negatives": cached.negatives(choice.hard), "alpha": choice.fpr / 100, "task": choice.task, "by": by}
    behind = choice.suspect.behind
    if choice.suspect.hidden and behind.by not in cached.obfuscations(benchmark):
        why = "Nothing is recorded behind obfuscations."
        return [Row(choice.task, pairs.iloc[:0].assign(value=0.0), reason=why)]
    there = missing(choice, benchmark)
    if there is not None:
        imported = rate_records.has_scores(evidence.base_of(benchmark))
        why = f"Not recorded at {choice.budget} queries." if imported else "Its scores are not imported."
        return [Row(choice.task, pairs.iloc[:0].assign(value=0.0), reason=why)]
    measure = choice.of, choice.scheme, choice.budget, choice.seed, behind
    found = rows(cached.distances(benchmark, *measure), **request)
    report = partial(cached.reports, benchmark, *measure, fpr=choice.fpr, hard=choice.hard)
    return reported(found, by, choice.task, report)


def _called(distance: str) -> str:
    """A distance as the chart calls it."""
    return findings.separability.DELTAS[distance].name if distance in DELTAS else distance


_ROWS = {"one": "one for all pairs", "tasks": "tasks", "victims": "victims", "benchmarks": "benchmarks"}


_HIDDEN = (
    "No command lists distances behind obfuscations; the Python asks the models for them, one row per pair and query seed."
)
_RECORDED = "Distances are read from the records; q.score_table asks the models for those of a scheme."
_TPR = (
    "Share of stolen models below the threshold that flags at most {fpr} % of the unrelated models of their victim: mean "
    "over victims, then over query seeds, as on all pages."
)
_AUC = (
    "Chance that a stolen model is closer to its victim than an unrelated one, ties counting one half: 1 = fully apart, "
    "0.5 = no better than chance. Mean over victims."
)
_OVERLAP = (
    "Area that the two drawn densities have in common: 0% = fully apart, 100% = alike. Left out where a side has fewer than "
    "20 pairs."
)
_GUARANTEED = "TPR with a threshold so low that a fresh unrelated model is flagged with a chance of at most {fpr} %."
_POOLED = "Share of all stolen pairs below the threshold that the chart draws. TPR has a threshold for every victim."
_HOLDS = (
    "Pairs whose δ_C is not below the bound. The proposition is proved: any other number than all would be an error here."
)
_SILENT = "Pairs whose bound is 0 or less. Every distance is at least 0, so the bound says nothing about them."
_SLACK = (
    "δ_C minus the bound: the chance that the suspect is wrong too where the victim is wrong. Median over unrelated pairs."
)
