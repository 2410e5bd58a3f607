"""How far apart are stolen and unrelated models? The distances of all pairs, the line that flags, and Proposition 1."""

from functools import partial

import streamlit as st

from pages.ui import bench_part, cached, export, frame, states
from pages.ui.separability import pair, separation
from pages.ui.suspect import switch
from qurd_core import findings, plots, views
from qurd_core.views import contents
from qurd_core.views.separability import as_table

frame.require()
bench, style = frame.view()
if not separation.recorded(bench):
    states.no_records(bench)

head = st.container()
choice = separation.choose(bench)
body, below = st.container(), st.container()
pairs = cached.pairs(bench)
with below:
    pick = pair.choose(pairs, style)

if choice.suspect.hidden and choice.scheme is None:
    with head:
        separation.not_recorded_behind(choice)
    frame.stop()

if why := separation.withheld(choice, bench):
    with head:
        separation.not_revealed(choice, why)
    frame.stop()

there = separation.missing(choice, bench)
if there is not None:
    with head:
        separation.not_recorded(choice, there)
    frame.stop()

harder, turned = choice.hard and bench_part.has_hard(bench), ""
if choice.show == "bound":
    data, high = contents.counted(pairs, choice.task, cached.negatives(choice.hard)), 352
    found = views.separability.bound_summary(data)
    title, under = findings.bound.headline(found, bench), findings.bound.subline(found)
    draw, words = partial(plots.bound.figure, data), findings.bound.alt(data)
else:
    axis, rows = separation.axis(choice, bench), separation.measured(choice, bench)
    title = findings.separability.headline(rows, axis, choice.fpr, bench, separation.NOUNS[choice.by])
    turned = (harder or choice.suspect.hidden) and separation.turned(choice, bench, rows, axis)
    whole = separation.overall(choice, bench, rows)
    told = findings.separability.subline(whole, choice.fpr), switch.about(choice.suspect), axis.about
    under = " · ".join(filter(None, told))
    draw = partial(plots.separability.figure, rows, axis, fpr=choice.fpr)
    data, words, high = as_table(rows), findings.separability.alt(rows, axis), plots.separability.high(rows)

frame.finding(
    head, turned or title + bench_part.counting(harder), bench_part.of(bench, hard=choice.hard, there=harder) + under
)

file_name, chart = f"separability-{bench}-{choice.task}", draw(pick=pick, style=style)
export.offer(data, file_name, separation.same(choice, bench), chart=chart)

with body:
    hero, side = st.columns([4, 1], gap="medium")
with side:
    if choice.show == "bound":
        separation.bound_numbers(found, style)
    elif whole.rates:
        separation.numbers(whole, axis, choice.fpr, style, brief=style.stage or pick is not None)
with hero, frame.tall(wide=880, high=high):
    export.chart(chart, pair.CHART, file_name, style, words, pair.take)
if pick and not style.stage:
    pair.make_room()
    with below:
        pair.show(bench, pick, style)
