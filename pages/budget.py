"""How many queries are enough? TPR@5% against the number of queries sent to the suspect."""

import streamlit as st

from pages.ui import cached, definitions, export, frame, links, panel, states
from qurd_core.evaluation import records
from qurd_core.plots import budget
from qurd_core.plots.theme import MOST_PINS

frame.require()
bench, style = frame.view()
if not records.path_of(bench).is_file():
    states.no_records(bench)
    st.stop()

BUDGETS = range(10, 401, 10)
LINKED = {"bind": "query-params"}

tasks = cached.tasks(bench)
head = st.container()
with st.container(key="controls"):
    first, second, third, fourth, fifth = st.columns([1.1, 1.35, 1.4, 2, 1.15], gap="medium")
with first:
    links.check("task", tasks, "task")
    task = st.selectbox("Task", tasks, key="task", **LINKED)
with second:
    links.check("rule", budget.RULES, "rule")
    rule = st.segmented_control("False-alarm rule", budget.RULES, default="paper", required=True, key="rule", **LINKED)
with third:
    links.check("budget", BUDGETS, "budget")
    at = st.select_slider("Query budget", BUDGETS, value=100, key="budget", **LINKED)
with fifth:
    links.check("hard", links.SWITCH, "hard")
    hard = st.toggle("Hard unrelated", key="hard", **LINKED)
    links.check("grey", links.SWITCH, "grey")
    grey = st.toggle("Other mixes", value=True, key="grey", **LINKED)

points = cached.curves(bench, task, hard=hard, rule=rule)
labels = points["label"].unique().tolist()
with fourth:
    links.check("pin", labels, "pin", MOST_PINS)
    search = f"Search {len(labels)} combinations"
    pins = tuple(st.multiselect("Pins", labels, key="pin", max_selections=MOST_PINS, placeholder=search, **LINKED))


def pin_clicked() -> None:
    """Pin the line whose marker was clicked, or let it go."""
    held = st.session_state["pin"]
    clicked = {point["customdata"] for point in st.session_state["lines"].selection.points}
    kept = [label for label in held if label not in clicked] + sorted(clicked.difference(held))
    if len(kept) > MOST_PINS:
        st.toast(f"At most {MOST_PINS} lines can be pinned. Let one go first.")
    else:
        st.session_state["pin"] = kept


lines = budget.shown(points, pins)
with head:
    others = len(budget.mixes(points)) if grey and lines else 0
    st.header(budget.headline(points, at), anchor=False)
    with st.container(key="subline"):
        st.markdown(f":gray[{links.plain(budget.subline(points, rule, grey=others), 600)}]")

file_name = f"budget-{bench}-{task}"
with frame.tools():
    definitions.show()
    export.menu(
        points,
        file_name,
        benchmark=bench,
        schemes=lines or [*budget.missing(points, pins)],
        budgets=budget.TICKS,
        seeds=int(points["seeds"].max()),
        task=task,
        hard=hard,
    )

if not lines:
    states.refused(budget.missing(points, pins), rule)
    st.stop()
hero, side = (st.container(), None) if style.stage else st.columns([3, 1], gap="medium")
with hero, frame.tall():
    st.plotly_chart(
        budget.figure(points, rule=rule, at=at, pins=pins, grey=grey, style=style),
        theme=None,
        height="stretch",
        key="lines",
        on_select=pin_clicked,
        selection_mode="points",
        config=export.chart_config(file_name, stage=style.stage),
        alt=budget.alt(points, pins),
    )
if side:
    with side:
        panel.values(budget.values_at(points, at, pins), at, style, pins)
        st.caption(links.plain(budget.against(points, at), 600))
        states.not_drawn(budget.missing(points, pins))
