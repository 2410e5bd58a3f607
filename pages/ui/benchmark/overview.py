"""The Benchmark page's first section: tasks as a grid, who saw which images, and what 5 % means."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

import streamlit as st
from pandas import DataFrame
from streamlit.delta_generator import DeltaGenerator

from pages.ui import cached, controls, export, frame, links, panel
from qurd_core import findings, plots
from qurd_core.benchmarks import seed_pictures
from qurd_core.findings.language import again
from qurd_core.plots.drawing.theme import Style
from qurd_core.records import evidence, rate_records
from qurd_core.views import contents


def show(bench: str, style: Style, others: Sequence[DeltaGenerator], say: Callable[[str, str], None]) -> None:
    """Draw the section, and say its headline with the line under it."""
    counts = cached.held(bench)
    with others[0]:
        task = controls.task(counts["task"].tolist())
    say(findings.benchmark.headline(counts, task), "A tile is a task with its stolen models. Dotted: not covered")
    file_name, question = f"tasks-{bench}", ("tasks", bench, cached.version(bench), task, style)
    chart = cached.once(question, lambda: plots.benchmark.figure(counts, task, style))
    code = again.code(
        again.call("contents.tasks", again.call("evidence.pairs", bench)), "records.evidence", "views.contents"
    )
    export.offer(counts, file_name, again.Again(again.command("pairs", bench, by="task"), code), chart=chart)
    hero, side = (st.container(), None) if style.stage else st.columns([3, 2], gap="medium")
    if side:
        with side:
            for who, sentence in findings.benchmark.basis(counts).items():
                st.caption(f"**{links.plain(who)}**: {links.plain(sentence, 200)}")
            models = cached.models(bench)
            if "regions" in models and evidence.base_of(bench) in rate_records.SHIPPED:
                regions = seed_pictures.regions(evidence.base_of(bench))
                _seen(contents.seen(cached.pairs(bench), models, regions), regions, style)
    with hero, frame.tall(wide=700):
        export.chart(chart, "grid", file_name, style, findings.benchmark.alt(counts), _take)


def tells_no_effort(bench: str) -> bool:
    """Whether nothing is known of what thieves paid for the models of a benchmark that somebody brings."""
    ours = evidence.base_of(bench) in rate_records.SHIPPED
    return not ours and "victim_queries" not in cached.models(bench)


def _take() -> None:
    """The clicked task, or all of them on a second click."""
    for point in st.session_state["grid"].selection.points:
        held, clicked = st.session_state["task"], point["customdata"]
        st.session_state["task"] = "all" if held == clicked else clicked


def _seen(table: DataFrame, regions: Mapping[str, str], style: Style) -> None:
    """Regions of images, and how many models of each role were made from them."""
    roles = "".join(f'<th style="width: 13%">{role}</th>' for role in contents.SEERS)
    head = f"<tr><th>Data used in the final training step</th>{roles}</tr>"
    body = ""
    for region, counts in table.iterrows():
        cells = "".join(f"<td>{number or '·'}</td>" for number in counts)
        body += f"<tr><td><b>{escape(region)}</b> <small>{escape(regions[region])}</small></td>{cells}</tr>"
    panel.table(head, body, style)
