"""Who makes queries how? The paper's Table 1 beside ours; a click on a cell composes what belongs there."""

import streamlit as st

from pages.ui import cached, export, frame, links
from pages.ui.paper.cells import KEY, compose
from pages.ui.suspect import switch
from qurd_core import findings, plots
from qurd_core.findings.language.again import Again
from qurd_core.paper import tables

frame.require()
bench, style = frame.view()
head = st.container()
hero, side = (st.container(), None) if style.stage else st.columns([3, 1], gap="medium")
with side or st.container(key="controls"):
    reveal = switch.revealed(bench)
every, (number, examples) = cached.atlas()
rows = findings.paper.beyond(every, reveal)
finding = findings.paper.atlas_headline(rows, examples, reveal), findings.paper.atlas_subline(rows, number, reveal)
frame.finding(head, *finding)
chart = plots.paper.atlas_figure(rows, examples, style)
code = "from qurd_core.paper import tables\n\ntable = tables.table1()"
export.offer(every, "atlas", Again("python -m qurd_core paper table1 --json", code), chart=chart)
if side:
    with side:
        st.markdown("**Where ours is not as printed**")
        for said in tables.differences(rows):
            st.caption(links.plain(said, 300))
with hero, frame.tall(rows=0, wide=700, high=420):
    export.chart(chart, KEY, "atlas", style, findings.paper.atlas_alt(rows), compose)
