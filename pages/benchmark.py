"""What exactly is tested here? The benchmark's tasks, models and images, what thieves paid, and a choice of its pairs."""

import streamlit as st

from pages.ui import bench_part, controls, frame, states
from pages.ui.benchmark import designer, effort, grid, lineage, overview, samples
from pages.ui.own import bringing
from qurd_core.records import evidence, grid_records, rate_records

frame.require()
SECTIONS = {
    "overview": overview,
    "lineage": lineage,
    "effort": effort,
    "grid": grid,
    "images": samples,
    "bench": designer,
}
SAID = {"bench": "your benchmark", "grid": "hiding"}  # sections that are not called as in links
UNPUBLISHED = {"effort": "What a theft costs the thief was not published", "images": "The images were not published"}
bench, style = frame.view()
base = evidence.base_of(bench)
if not rate_records.has_facts(base):
    states.no_records(base)

lacking = {"grid": not grid_records.has(bench), "effort": overview.tells_no_effort(bench)}
lacking |= {} if rate_records.has_rates(base) else dict.fromkeys(("overview", "effort", "bench"), True)
offered = [name for name in SECTIONS if not lacking.get(name)]
head = st.container()
with st.container(key="controls"):
    widths = [2.95, 1.05, 1.05, 0.85] if "grid" in offered else [2.3, 1.3, 1.3, 0.8]  # sections stand in one line
    first, *others = st.columns(widths, gap="medium", vertical_alignment="bottom")
with first:
    section = controls.segments("Section", offered, "section", "section", lambda name: SAID.get(name, name))
if section == offered[0] and not style.stage:  # the first one has room for it
    with others[-1]:
        bringing.menu()
if base in rate_records.PUBLISHED and section in UNPUBLISHED:
    states.scores_only(base, UNPUBLISHED[section])
if section == "bench" and not rate_records.has_scores(base):
    states.not_imported(base)


def say(headline: str, basis: str, hard: bool = False) -> None:
    """What a section has found; `hard` where hard unrelated models are asked for."""
    there = hard and bench_part.has_hard(bench)
    frame.finding(head, headline, bench_part.of(bench, hard=hard, there=there) + basis)


SECTIONS[section].show(bench, style, others, say)
