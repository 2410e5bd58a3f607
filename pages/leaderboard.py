"""Which fingerprints beat the simple baseline? Every combination a dot, published ones by name."""

import streamlit as st

from pages.ui import bench_part, cached, controls, export, frame, panel, states
from pages.ui.leaderboard import board
from pages.ui.suspect import switch
from qurd_core import findings, views
from qurd_core.findings.language import again
from qurd_core.records import evidence, rate_records
from qurd_core.records.scheme_table import unnamed
from qurd_core.schemes import REFERENCE

frame.require()
bench, style = frame.view()
if not rate_records.path_of(evidence.base_of(bench)).is_file():
    states.no_records(evidence.base_of(bench))

head = st.container()
bar = st.container(key="controls", horizontal=True, gap="small")
with bar:
    view = controls.segments("View", board.VIEWS, "view", "view")
    if view != "table":  # which has all tasks
        with st.container(width=120):
            controls.task(cached.tasks(bench))
    rule = controls.rule()
    between = st.container(width="stretch")
    suspect = switch.choose(bench, width=190)
    hard = controls.hard()
task = "all" if view == "table" else st.session_state["task"]
how = {"hard": hard, "rule": rule, "behind": suspect.behind}
points, schemes = cached.curves(bench, task, **how), cached.schemes()
plain = cached.curves(bench, task, hard=hard, rule=rule)
with between:
    at = controls.budget(views.leaderboard.budgets(points))

rows = cached.board(bench, task, at, suspect.reveal, **how)
free, names = unnamed(rows, schemes), views.swaps.choices(rows)
hero, side = (st.container(), None) if style.stage else st.columns([3, 1], gap="medium")
with side or bar:
    if view == "chart":
        board.best_button(free)
    swaps = view == "swap" and names
    name = controls.select("Swap the sampler of", names, "scheme", "scheme") if swaps else None
    group = controls.group(views.budget.groups(plain))
    pins = controls.pins(plain["label"].unique().tolist())

asked = board.Asked(bench, task, at, suspect, rule, hard, group, pins, style)
if view == "table":
    sight = board.table(asked)
elif view == "swap":
    sight = board.swap(asked, rows, name)
else:
    sight = board.chart(asked, rows)

file_name = f"leaderboard-{view}-{bench}-{task}"
missing = views.leaderboard.left_out(points, rows, schemes, at, suspect.reveal) | sight.missing
missing |= {} if suspect.hidden else views.leaderboard.unrecorded(points, schemes, bench)
easy = cached.curves(bench, task, hard=False, rule=rule)
harder = bench_part.adds(points, easy)
shown = rows if suspect.hidden else points
turned = sight.turns and bench_part.said(REFERENCE, shown, easy, bench, at, rule, suspect, hard=harder)
basis = bench_part.of(bench, points, hard=hard, there=harder) + " · ".join(
    filter(None, (findings.leaderboard.subline(points, rows, at, rule, suspect.reveal, sight.tests), switch.about(suspect)))
)
frame.finding(head, (turned or sight.headline + bench_part.counting(harder)) + sight.beside, basis)
same = again.of_rates(sight.again, again.rest(bench, sight.again, sight.every))
export.offer(sight.data, file_name, same, chart=sight.figure)

if sight.figure is None:
    with hero:
        states.refused(missing, rule)
    frame.stop()
if side:
    with side:
        if view != "swap":
            panel.grey(rows, pins, group)
        board.beneath(asked, rows, free)
        states.not_drawn(missing)
with hero, frame.tall(wide=880, high=sight.high):
    key = f"leaderboard-{view}"
    export.chart(sight.figure, key, file_name, style, sight.alt, lambda: controls.pin_clicked(key))
