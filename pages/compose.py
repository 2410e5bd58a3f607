"""What happens if one part is swapped? Every combination at a glance, and a live run of any other."""

import streamlit as st

from pages.ui import bench_part, cached, controls, export, frame, links, running, states
from pages.ui.compose import compose_controls, mix
from pages.ui.suspect import switch
from qurd_core import findings, plots, views
from qurd_core.findings.language import again
from qurd_core.jobs import live
from qurd_core.records import evidence, obfuscation_records, rate_records

frame.require()
bench, style = frame.view()
published = evidence.base_of(bench) in rate_records.PUBLISHED
if rate_records.is_whole(bench) and not rate_records.path_of(bench).is_file():
    states.no_records(bench)

head = st.container()
schemes = cached.schemes()
with st.container(key="controls"):
    parts = st.columns([1.5, 1.25, 1.55, 1.35, 1.25, 1.2, 1.0], gap="small")
    choices = st.columns([1.5, 1.15, 1, 1.35, 1.3, 1.1, 0.7], gap="small", vertical_alignment="bottom")
with parts[5]:
    scheme, wrong = compose_controls.read(compose_controls.scheme_text(schemes, bench))
with parts[6]:
    suspect = switch.choose(bench)
pick = compose_controls.picked(scheme)
with parts[4]:
    pool = compose_controls.pool([] if published else cached.lineages(bench))
with choices[0]:
    split = compose_controls.split(schemes, scheme)
with choices[2]:
    task = controls.task(cached.tasks(bench))
with choices[3]:
    rule = controls.rule()
with choices[5]:
    hard = controls.hard()
plain, how = cached.curves(bench, task, hard=hard, rule=rule), {"hard": hard, "rule": rule, "behind": suspect.behind}
points = cached.curves(bench, task, **how)
with choices[1]:
    shape = compose_controls.shape(schemes, schemes[schemes["scheme"].isin(plain["scheme"])], split)
with choices[4]:
    at = controls.budget(points["budget"].unique().tolist())
with choices[6]:
    pins = compose_controls.pins(plain["label"].unique().tolist())

job = None if published or suspect.hidden else running.job_of(bench, scheme, pool)
fresh, part = running.curves(job, task, hard=hard, rule=rule) if job else (None, "")
recorded = bool((plain["scheme"] == pick.scheme).any())
source = points if suspect.hidden or (recorded and not pool) else fresh
worth = cached.worth(bench, task, at, **how)
known = views.heatmap.values(points, at, worth=worth)
pooled = bool(pool) and not suspect.hidden  # live runs calibrate, and stand behind nothing
mine, reference = views.heatmap.compared(points if source is None else source, points, pick, pooled)
own = {"worth": worth} if source is points else {"live": part}
value = views.heatmap.values(mine, at, **own).get(pick.scheme)
against = next(iter(views.heatmap.values(reference, at).values()), None)
if suspect.hidden:
    known = views.heatmap.unrecorded([pick.scheme, *plain["scheme"].unique()], obfuscation_records.ONLY) | known
    value = known[pick.scheme]
own_cell = None if pooled else value
if own_cell:
    known |= {pick.scheme: own_cell}
withheld = views.leaderboard.withheld(schemes, suspect.reveal) | compose_controls.withheld(scheme, suspect.reveal)
withheld |= views.leaderboard.lacking(schemes, bench) | compose_controls.lacking(scheme, bench)
cells = views.heatmap.cells(schemes, known, **shape, pick=pick, reason=compose_controls.reason, withheld=withheld)


def cell_clicked() -> None:
    """Put the combination of the clicked cell into the controls."""
    clicked = st.session_state["map"].selection.points
    if clicked:
        compose_controls.choose(clicked[0]["customdata"])


easy = cached.curves(bench, task, hard=False, rule=rule)
harder = bench_part.adds(points, easy)
basis = " · ".join(filter(None, (switch.about(suspect), findings.budget.basis(points, rule))))
about = findings.heatmap.subline(cells, at, basis, views.heatmap.hidden(schemes, known, cells, split))
about = bench_part.of(bench, points, hard=hard, there=harder) + about
refused = withheld.get(pick.scheme, "")
fits = not refused and (len(mine) > 0 if suspect.hidden else source is points)
title = bench_part.said(pick.label, points, easy, bench, at, rule, suspect, hard=harder) if fits else ""
counting = bench_part.counting(harder and value is not None and not refused)
frame.finding(head, title or findings.heatmap.headline(pick, value, against, at, refused) + counting, about)
compose_controls.parts(scheme, parts, bench)
if wrong:
    st.warning(links.plain(wrong, 600))

question = "map", bench, cached.version(bench), task, hard, rule, at, *shape.values(), pick, own_cell, pins, suspect, style
chart = cached.once(question, lambda: plots.heatmap.figure(cells, pick, pins=pins, style=style))
file_name = f"compose-{bench}-{task}"
view = {"task": task, "negatives": cached.negatives(hard), "rule": rule, "behind": suspect.behind}
data = views.heatmap.taken_away(cells, pick, value, pool if pooled else ())
asked = again.rates(bench, points[points["budget"] == at], views.heatmap.marked(cells, pick, pins), **view)
if job and (not own_cell or own_cell.live):
    asked = [again.Rates(bench, (pick.label,), (at,), value.seeds if value else live.SEEDS, pool=pool, **view), *asked]
export.offer(data, file_name, again.of_rates(asked, again.rest(bench, asked, int(data["value"].count()))), chart=chart)

hero, side = (st.container(), None) if style.stage else st.columns([3, 1], gap="medium")
if side:
    with side:
        mix.title(pick, style)
        mix.number(value, against, pick, at, refused)
        with st.container(horizontal=True):
            mix.pin(pick, recorded)
            mix.card(bench, scheme, None if source is points else job, at, style, rule, known=len(mine) > 0)
        if job:
            running.panel(
                job, bench, scheme, needed=(not recorded or bool(pool)) and not compose_controls.lacking(scheme, bench)
            )
        elif not recorded and not suspect.hidden:
            st.caption("The authors published no scores of this combination, and no models that could be queried here.")
        if len(mine):
            mix.curve(mine, reference, at, pick, style)
        mix.about(scheme, style)
with hero, frame.tall(rows=2, **plots.heatmap.least(cells)):
    export.chart(chart, "map", file_name, style, findings.heatmap.alt(cells, pick, at), cell_clicked)
