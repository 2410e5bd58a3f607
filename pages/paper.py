"""Which claims of the paper do its scores support? Each in its words, with a verdict; Tables 2 and 3; how ranks agree."""

from functools import partial

import streamlit as st

from pages.ui import cached, controls, export, frame
from pages.ui.paper import claim
from qurd_core import findings, plots
from qurd_core.paper import agreement
from qurd_core.paper.row import VERDICTS

frame.require()
VIEWS = {"claims": "claims", "table2": "Table 2", "table3": "Table 3", "agreement": "agreement"}
MODES = {"paper": "paper", "honest": "guaranteed"}
ANY = "all"
bench, style = frame.view()
claims = cached.graded_claims()

head = st.container()
with st.container(key="controls"):
    first, rest = st.columns([2, 4.6], gap="small", vertical_alignment="bottom")
with first:
    view = controls.segments("View", [*VIEWS], "view", "view", VIEWS.get)
with rest:
    second, third = st.columns([1, 3] if view == "claims" else 2, gap="small", vertical_alignment="bottom")

if view == "claims":
    with second:
        kinds = (ANY, *VERDICTS)
        kind = controls.choose("Verdict", kinds, "verdict")
    shown = [one for one in claims if kind in (ANY, one.verdict)]
    with third:
        chosen = claim.choose(shown)
    title, under = findings.paper.headline(claims), "A mark is a claim, in the order of the paper. Click one to read it"
    data, file_name = cached.claims_table(), "claims"
    chart, words, key = plots.paper.figure(shown, chosen.id, style), findings.paper.alt(shown), "claims"
    same = claim.again("claims", "claims.rows()")
elif view == "agreement":
    table = cached.rank_agreement()
    with second:
        at = controls.budget(sorted(table["budget"].unique().tolist()))
    title, under = findings.paper.agreement_headline(table, at), agreement.METHOD
    data, file_name = table, "agreement"
    chart, words, key = plots.paper.agreement_figure(table, at, style), title, "agreement"
    same = claim.again("agreement", "agreement.read()")
elif view == "table2":
    data, file_name = cached.paper_table("table2"), "table2"
    with second:
        claim.read_button("two-exceptions", "Read the claim of two exceptions")
    title, under = findings.paper.tasks_headline(data), findings.paper.tasks_subline(data)
    chart, words, key = plots.paper.tasks_figure(data, style), title, "table2"
    same = claim.again("table2", "tables.table2()")
else:
    with second:
        mode = controls.segments("False-alarm rule", [*MODES], "mode", "mode", MODES.get)
    data, file_name = cached.paper_table("table3", mode), f"table3-{mode}"
    title, under = findings.paper.table_headline(data, mode), findings.paper.table_subline(mode)
    chart, words, key = plots.paper.table_figure(data, style), title, "table3"
    same = claim.again(f"table3 --mode {mode}", f'tables.table3("{mode}")')

frame.finding(head, title, under)
export.offer(data, file_name, same, chart=chart)

take = partial(controls.take, "claims", "claim")
shares = [1, 1] if style.stage else [3, 2]
hero, side = st.columns(shares, gap="large") if view == "claims" else (st.container(), None)
if side:
    with side:
        claim.show(chosen, style)
with hero, frame.tall(wide=620 if view == "claims" else 960):
    export.chart(chart, key, file_name, style, words, take if view == "claims" else "ignore")
