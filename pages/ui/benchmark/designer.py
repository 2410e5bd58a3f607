"""The Benchmark page's section on your benchmark: pairs in and out, what the named schemes reach then, and a file."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st
from pandas import DataFrame
from streamlit.delta_generator import DeltaGenerator

from pages.ui import bench_part, cached, controls, export, frame, links
from pages.ui.benchmark import bench_menu, bench_rates, ticks
from qurd_core import findings, plots
from qurd_core.benchmarks.saved_benchmarks import ENDING, BenchFile
from qurd_core.errors import QurdError
from qurd_core.findings.language import again, words
from qurd_core.plots.drawing.theme import Style
from qurd_core.records import evidence, rate_records
from qurd_core.schemes import REFERENCE
from qurd_core.views import designer, separability, suggest


class Asked(NamedTuple):
    """What the controls say.

    Attributes:
        scheme: whose separation is shown, as text.
        names: scheme to name of the named ones.
        scores: their distances at the budget, and those of the scheme.
    """

    bench: str
    base: str
    scheme: str
    names: dict[str, str]
    scores: evidence.Scores
    budget: int
    hard: bool

    @property
    def label(self) -> str:
        return self.names.get(self.scheme, self.scheme)

    @property
    def negatives(self) -> str:
        return cached.negatives(self.hard)


def show(bench: str, style: Style, others: Sequence[DeltaGenerator], say: Callable[..., None]) -> None:
    """Draw the section, and say its headline with the line under it."""
    asked = _ask(bench, others)
    ticks.follow_link(bench)
    every, out = cached.pairs(asked.base), ticks.left_out(bench)
    kept = designer.kept(every, out)
    found = _rates(asked, kept)
    pooled = found[found["task"] == "all"]
    fingerprints = pooled[pooled["label"].isin(asked.names.values())]
    harder = asked.hard and bench_part.has_hard(bench)
    headline = findings.designer.headline(fingerprints, out, every) + bench_part.counting(harder)
    say((harder and _turned(asked, kept, pooled)) or headline, _subline(fingerprints, kept), asked.hard)
    file_name, rows = f"bench-{bench}", cached.tiles(asked.base)
    chart = plots.designer.figure(rows, out, style)
    ticked = BenchFile(asked.base, frozenset(designer.keys(kept)))
    saved = ticked.pairs == frozenset(designer.keys(cached.pairs(bench)))
    unsaved = ticked if designer.measurable(kept) and not saved and asked.base in rate_records.EMBEDDED else None
    mine = bench if saved else f"{file_name}{ENDING}" if unsaved else None
    export.offer(found, file_name, _again(asked, found, mine), unsaved, chart=chart)
    hero, side = (st.container(), None) if style.stage else st.columns([5, 2], gap="medium")
    if side:
        with side:
            _beside(asked, every, kept, out, found, style)
    with hero, frame.tall(wide=840):
        export.chart(chart, "tiles", file_name, style, findings.designer.alt(rows, out), partial(ticks.clicked, bench))


def _ask(bench: str, others: Sequence[DeltaGenerator]) -> Asked:
    base = evidence.base_of(bench)
    scores = cached.scores(base)
    names = designer.named(cached.schemes(), scores)
    with others[0]:
        scheme = _scheme(scores, names)
    with others[1]:
        budget = controls.budget(rate_records.RAW_BUDGETS)
    with others[2]:
        hard = controls.hard()
    return Asked(bench, base, scheme, names, scores.only({*names, scheme}, budget), budget, hard)


def _rates(asked: Asked, kept: DataFrame) -> DataFrame:
    """The rows of `designer.compare`: the named schemes and the chosen one, with every pair and with those that are kept."""
    every = {*asked.names, asked.scheme}
    whole = cached.whole_rates(asked.base, tuple(every), asked.budget, asked.negatives)
    after = evidence.rates(asked.scores, kept, asked.negatives) if designer.measurable(kept) else None
    return designer.compare(whole, after, asked.names | {asked.scheme: asked.label})


def _turned(asked: Asked, kept: DataFrame, pooled: DataFrame) -> str:
    """The headline where hard unrelated models turn what is found of the reference; empty where they do not."""
    if not designer.measurable(kept):
        return ""
    scheme = next(text for text, name in asked.names.items() if name == REFERENCE)
    easy = evidence.rates(asked.scores.only([scheme], asked.budget), kept, "unrelated")
    before = easy.loc[easy["task"] == "all", "tpr"].iloc[0]
    after = pooled.loc[pooled["label"] == REFERENCE, "after"].iloc[0]
    return words.turned(REFERENCE, before, after, findings.leaderboard.place(asked.bench, "all", asked.budget))


def _again(asked: Asked, found: DataFrame, mine: str | None) -> again.Again:
    """What gives the rates with every pair and with those that are kept again.

    Args:
        mine: what keeps them: a benchmark or the name of the file that can be downloaded; None where there is neither.
    """
    if mine is None:
        return again.Again("", "", _UNSAVED)
    seeds = asked.scores.columns.groupby("scheme")["query_seed"].nunique()
    seeds = {asked.names.get(scheme, scheme): number for scheme, number in seeds.items()}
    rows = found.assign(seeds=found["label"].map(seeds), budget=asked.budget)
    parts = {asked.base: "before"} | {mine: "after"}  # where nothing is left out, both are one
    some = [
        one
        for bench, rate in parts.items()
        for one in again.rates(bench, rows.assign(tpr=rows[rate]), seeds, by_task=True, negatives=asked.negatives)
    ]
    what = (
        "every pair: 'before' and 'after' are one" if mine == asked.base else f"{asked.base} ('before') and {mine} ('after')"
    )
    return again.of_rates(some, f"These are the rates on {what}.")


def _beside(asked: Asked, every: DataFrame, kept: DataFrame, out: designer.Pairs, found: DataFrame, style: Style) -> None:
    """What can be done with the benchmark, and what the schemes reach on it."""
    problem = designer.objection(kept)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        ticks.by_name(asked.bench, cached.tiles(asked.base), out)
        _suggestion(asked, every, out)
        bench_menu.save(asked.bench, asked.base, kept, problem)
        bench_menu.more(asked.bench, asked.base)
        table = controls.segments("TPR@5%", bench_rates.RATES, "rates", "table", label_visibility="collapsed")
    bench_menu.confirm(asked.bench, asked.base)
    if problem:
        st.warning(links.plain(words.retold(problem, every["victim"].unique()), 400))
    bench_menu.saved(asked.label, asked.budget)
    if table == "tasks":
        bench_rates.by_task(found, cached.tasks(asked.base), style)
    else:
        bench_rates.pooled(found[found["task"] == "all"], style)
    before = cached.whole_overlap(asked.base, asked.scheme, asked.budget, asked.negatives)
    share = separability.ends_at_one(cached.schemes(), asked.scheme)
    now = designer.overlap(asked.scores, kept, asked.scheme, asked.budget, asked.negatives, share=share)
    st.caption(links.plain(bench_rates.separation(found, asked.label, before, now), 400))
    if designer.measurable(kept):
        st.caption(links.plain(bench_rates.level(kept), 400))


def _scheme(scores: evidence.Scores, names: dict[str, str]) -> str:
    """The scheme whose separation is shown, the reference where none is asked for; named ones by their name."""
    called = [names.get(scheme, scheme) for scheme in [*names, *scores.columns["scheme"].unique()]]
    options = sorted(dict.fromkeys(called), key=REFERENCE.__ne__)
    chosen = controls.select("Separation by", options, "scheme", "scheme")
    return next((scheme for scheme, name in names.items() if name == chosen), chosen)


def _subline(found: DataFrame, kept: DataFrame) -> str:
    stolen, victims = int((kept["kind"] == "positive").sum()), kept["victim"].nunique()
    parts = [
        f"Kept: {words.counted(stolen, 'stolen model')} of {words.counted(victims, 'victim')}",
        findings.designer.moved(found),
        "s.d.: standard deviation of TPR@5% over the named schemes, in points",
    ]
    return " · ".join(part for part in parts if part)


def _suggestion(asked: Asked, every: DataFrame, out: designer.Pairs) -> None:
    """A few thefts that tell the named schemes apart."""
    with st.popover("Suggest", icon=":material/lightbulb:", on_change="rerun", key="suggest") as opened:
        if not opened.open:
            return
        try:
            found = suggest.suggest(asked.scores.only(asked.names), every, out, asked.negatives)
        except QurdError as error:
            st.text(str(error))
            return
        st.markdown(links.plain(findings.designer.suggested(found), 300))
        st.markdown("\n".join(f"1. {links.plain(recipe, 100)}" for recipe in found.recipes))
        st.markdown(links.plain(findings.designer.told(found), 600))
        label = f"Tick these {words.counted(len(found.pairs), 'stolen pair')} alone"
        st.button(label, type="primary", on_click=ticks.keep_stolen, args=[asked.bench, found.pairs])


_UNSAVED = "Save these ticks first: commands and Python read a saved benchmark, where every victim has a stolen model."
