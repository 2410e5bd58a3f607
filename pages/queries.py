"""What do the queries look like? Two samplers side by side, and the most discriminative images."""

import streamlit as st

from pages.ui import cached, frame, progress, states, story
from pages.ui.queries import asking, closer, gallery, sides, takeaway, telling
from qurd_core import findings
from qurd_core.records import evidence, rate_records
from qurd_core.views import query_sets

frame.require()
bench, style = frame.view()
if evidence.base_of(bench) in rate_records.PUBLISHED:
    states.scores_only(evidence.base_of(bench), "Queries are images sent to models")
head = st.container()
chosen = asking.choice(bench)
per_page = 8 if not style.stage else 1 if story.asked() else 3  # a step says something of one image
gallery.look(style, per_page, placed=cached.bank(bench).places is not None)

if chosen.view == "telling":
    table, models = cached.telling_images(bench, chosen.victim)
    frame.finding(head, findings.queries.telling_headline(table), findings.queries.telling_subline(table, models))
    takeaway.telling(bench, chosen.victim, table)
    telling.show(bench, table, style)
    frame.stop()

both = [sides.fetch(asked, place) for asked, place in ((chosen.left, "left"), (chosen.right, "right"))]
frame.finding(head, asking.finding(bench, chosen, both), asking.subline(bench, chosen))
takeaway.queries(both)

rows = query_sets.line_up(*(side.queries for side in both), chosen.left.budget, only_disagreeing=chosen.only == "disagrees")
bottom = st.container()
with st.container(horizontal=True, horizontal_alignment="center", key="paging"):
    first = per_page * asking.page(len(rows), per_page, whole=all(side.queries is not None for side in both))
with bottom:
    columns = st.columns(2, gap="medium")
for column, name, side, at in zip(columns, ("left", "right"), both, (0, 1), strict=True):
    with column:
        gallery.title(side, chosen.reveal)
        if side.queries is None:
            sides.pending(side, name)
            continue
        numbers = [row[at] for row in rows[first : first + per_page]]
        looked = sides.look(side, chosen.look, [number for number in numbers if number >= 0], name)
        gallery.cards(side, name, numbers, looked, closer.choose)
        closer.show(name, side, chosen.reveal)
progress.warm_up(bench)
