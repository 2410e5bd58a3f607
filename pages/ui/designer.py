"""The Benchmark page's Designer's bench: pairs in and out, what the named schemes reach then, and a file that keeps it."""

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import bench_menu, cached, controls, definitions, export, frame, links, panel, ticks
from qurd_core.errors import QurdError
from qurd_core.evaluation import designer, evidence, suggest
from qurd_core.plots import bench_tiles, words
from qurd_core.plots.theme import GLYPHS, Style

if TYPE_CHECKING:
    from pandas import DataFrame


def show(bench: str, style: Style, others: Sequence[DeltaGenerator]) -> tuple[str, str]:
    """Draw the section; returns the headline and the line under it."""
    base = evidence.base_of(bench)
    every, scores, names = cached.pairs(base), cached.scores(base), designer.named(cached.schemes())
    with others[0]:
        scheme = _scheme(scores, names)
    with others[1]:
        budget = controls.budget(controls.RAW_BUDGETS)
    with others[2]:
        hard = controls.hard()
    rows, out = cached.tiles(base), ticks.left_out(bench)
    kept, negatives = designer.kept(every, out), cached.negatives(hard)
    some = scores.only({*names, scheme}, budget)
    problem = designer.objection(kept)
    whole = cached.whole_rates(base, tuple({*names, scheme}), budget, negatives)
    after = evidence.rates(some, kept, negatives) if designer.measurable(kept) else None
    found = designer.compare(whole, after, names | {scheme: names.get(scheme, scheme)})
    fingerprints = found[found["label"].isin(names.values())]
    file_name = f"bench-{bench}"
    with frame.tools():
        definitions.show()
        request = {"budgets": [budget], "seeds": int(some.columns["query_seed"].nunique()), "task": "all", "hard": hard}
        export.menu(found, file_name, benchmark=bench, schemes=list(names.values()), **request)
    hero, side = (st.container(), None) if style.stage else st.columns([5, 2], gap="medium")
    with hero, frame.tall():
        st.plotly_chart(
            bench_tiles.figure(rows, out, style),
            theme=None,
            height="stretch",
            key="tiles",
            on_select=partial(ticks.clicked, bench),
            selection_mode="points",
            config=export.chart_config(file_name, stage=style.stage),
            alt=bench_tiles.alt(rows, out),
        )
    if side:
        with side:
            with st.container(horizontal=True, gap="small"):
                ticks.by_name(bench, rows, out)
                _suggestion(bench, some.only(list(names), budget), every, out, negatives)
                bench_menu.save(bench, base, kept, problem)
                bench_menu.more(bench, base)
            if problem:
                st.warning(links.plain(problem, 400))
            bench_menu.saved(names.get(scheme, scheme), budget)
            _table(found, style)
            st.caption(links.plain(_separation(found, names.get(scheme, scheme)), 400))
            if after is not None:
                st.caption(links.plain(_level(kept), 400))
    return bench_tiles.headline(fingerprints, out, every), _subline(fingerprints, kept)


def _scheme(scores: evidence.Scores, names: dict[str, str]) -> str:
    """The scheme whose separation is shown; named ones by their name."""
    called = [names.get(scheme, scheme) for scheme in [*names, *scores.columns["scheme"].unique()]]
    options = list(dict.fromkeys(called))
    links.check("scheme", options, "scheme")
    chosen = st.selectbox("Separation by", options, key="scheme", **controls.LINKED)
    return next((scheme for scheme, name in names.items() if name == chosen), chosen)


def _subline(found: "DataFrame", kept: "DataFrame") -> str:
    stolen, victims = int((kept["kind"] == "positive").sum()), kept["victim"].nunique()
    parts = [
        f"Kept: {words.counted(stolen, 'stolen model')} of {words.counted(victims, 'victim')}",
        bench_tiles.moved(found),
        "spread: standard deviation of TPR@5% over the named schemes, in points",
    ]
    return " · ".join(part for part in parts if part)


def _table(found: "DataFrame", style: Style) -> None:
    """TPR now, and what changed."""
    head = "<tr><th>Scheme</th><th>TPR@5%</th><th>change</th></tr>"
    body = ""
    for row in found.itertuples():
        colour, symbol, _ = style.mark(row.label, (row.label,))
        name = f'<i style="color:{colour}">{GLYPHS[symbol]}</i><b>{escape(row.label)}</b>'
        value = words.precise(row.after, row.spread) if row.after == row.after else "–"
        change = words.points(row.change).removesuffix(" points") if row.change == row.change else ""
        body += f"<tr><td>{name}</td><td>{value}</td><td>{change}</td></tr>"
    panel.table(head, body, style)


def _separation(found: "DataFrame", label: str) -> str:
    """How well one scheme parts stolen from unrelated models."""
    rows = found[found["label"] == label]
    if rows.empty:
        return f"{label} has no value at this budget."
    row = rows.iloc[0]
    now = f"{row['auc']:.2f}" if row["auc"] == row["auc"] else "none"
    return f"Separation by {label}: AUC {now}, {row['auc_before']:.2f} with every pair."


def _level(kept: "DataFrame") -> str:
    """The number of unrelated models and lineages, and the level that they allow."""
    number, lineages = designer.weakest(kept)
    if not number:
        return "A victim has a task without any unrelated model: no level can be promised."
    have = f"{words.counted(number, 'unrelated model')} of {words.counted(lineages, 'lineage')}"
    return f"Fewest for a victim and task: {have}, so the smallest level that can be promised is {100 / (number + 1):.1f} %."


def _suggestion(bench: str, scores: evidence.Scores, every: "DataFrame", out: designer.Pairs, negatives: str) -> None:
    """Five stolen models that tell the named schemes apart."""
    with st.popover("Suggest", icon=":material/lightbulb:", on_change="rerun", key="suggest") as opened:
        if not opened.open:
            return
        try:
            found = suggest.suggest(scores, every, out, negatives)
        except QurdError as error:
            st.text(str(error))
            return
        st.markdown("Five stolen models whose inclusion spreads the named schemes most:")
        st.markdown("\n".join(f"1. {links.plain(recipe, 100)}" for recipe in found.recipes))
        st.markdown(links.plain(bench_tiles.told(found), 600))
        st.button("Tick these five alone", type="primary", on_click=ticks.keep_stolen, args=[bench, found.pairs])
