"""How many queries are enough? TPR@5% against the number of queries sent to the suspect."""

import streamlit as st

from pages.ui import bench_part, cached, controls, export, frame, links, panel, states
from pages.ui.budget import play
from pages.ui.suspect import switch
from qurd_core import findings, plots, views
from qurd_core.findings.language import again, words
from qurd_core.records import evidence, rate_records
from qurd_core.schemes import REFERENCE
from qurd_core.views import costs

frame.require()
bench, style = frame.view()
if not rate_records.path_of(evidence.base_of(bench)).is_file():
    states.no_records(evidence.base_of(bench))
with frame.tools():
    playing = controls.switch("Play", "play")
if playing and evidence.base_of(bench) in rate_records.PUBLISHED:
    states.scores_only(evidence.base_of(bench), "Play sends images to models")
if playing:
    play.show(bench, style)
    frame.stop()

head = st.container()
with st.container(key="controls"):
    places = st.columns([1, 1.5, 1.05, 1.25, 1.35, 0.95, 1.15, 1.5], gap="small")
with places[0]:
    task = controls.task(cached.tasks(bench))
with places[1]:
    rule = controls.rule()
with places[5]:
    beside = controls.choose("Panel", [*panel.BESIDE], "panel", said=panel.BESIDE.get)
with places[6]:
    suspect = switch.choose(bench)
with places[7]:
    hard = controls.hard()
    grey = controls.switch("Other combinations", "grey", value=True)

plain, how = cached.curves(bench, task, hard=hard, rule=rule), {"hard": hard, "rule": rule, "behind": suspect.behind}
every = cached.curves(bench, task, **how)
points = cached.fitting(bench, task, suspect.reveal, **how)
with places[4]:
    unit = controls.choose("X axis", costs.known(points), "x", said=lambda unit: costs.COSTS[unit].said)
with places[2]:
    at = controls.budget(sorted(points["budget"].unique().tolist()))
with places[3]:
    pins = controls.pins(plain["label"].unique().tolist())
wide = [3, 2] if beside == "distance" else [3, 1]
hero, side = (st.container(), None) if style.stage and beside == "none" else st.columns(wide, gap="medium")
with side or places[3]:
    group = controls.group(views.budget.groups(plain))

lines = views.budget.shown(points, pins, group)
others = len(views.budget.mixes(points, pins, group)) if grey and lines else 0
missing = views.budget.refused(every, views.leaderboard.withheld(cached.schemes(), suspect.reveal), pins)
missing |= views.budget.missing(points, pins)
easy = cached.curves(bench, task, hard=False, rule=rule)
harder = bench_part.adds(points, easy)
part = bench_part.of(bench, points, hard=hard, there=harder)
bands = findings.budget.bands(points)
left = words.left(points["label"].nunique(), every["label"].nunique(), suspect.reveal)
about = " · ".join(
    filter(None, (part + findings.budget.subline(points, rule, grey=others), left, switch.about(suspect), bands))
)
turned = bench_part.said(REFERENCE, points, easy, bench, at, rule, suspect, hard=harder)
frame.finding(head, turned or findings.budget.headline(points, at, suspect.reveal) + bench_part.counting(harder), about)

asked = {"rule": rule, "at": at, "pins": pins, "group": group, "grey": grey, "unit": unit, "style": style}
chart = cached.once(
    ("lines", bench, cached.version(bench), task, hard, suspect, asked), lambda: plots.budget.figure(points, **asked)
)
file_name = f"budget-{bench}-{task}"
named = lines or [*missing]
data = points if grey else points[points["label"].isin(named)]
asked = again.rates(bench, points, named, task=task, negatives=cached.negatives(hard), rule=rule, behind=suspect.behind)
same = again.of_rates(asked, again.rest(bench, asked, data["label"].nunique()))
export.offer(data, file_name, same, chart=chart if lines else None)

if not lines:
    with hero:
        states.refused(missing, rule)
    frame.stop()
if side:
    with side:
        if beside == "distance":
            panel.distance(points, views.budget.distances_of(points, pins), at, style)
        else:
            worth = cached.worth(bench, task, at, **how)
            values = views.budget.values_at(points, at, pins, worth, group)
            panel.values(values, at, style, pins, worth)
            st.caption(links.plain(findings.budget.against(values, at), 600))
            panel.grey(points, pins, group)
        if not style.stage:
            states.not_drawn(
                missing | ({} if suspect.hidden else views.leaderboard.unrecorded(every, cached.schemes(), bench))
            )
with hero, frame.tall(wide=700, high=352 if unit == "queries" else 480):
    export.chart(
        chart,
        "lines",
        file_name,
        style,
        findings.budget.alt(points, pins, unit, group),
        lambda: controls.pin_clicked("lines", lambda point: views.budget.clicked(points, point, pins, group)),
    )
