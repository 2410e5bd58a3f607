"""What exactly is tested here? The benchmark's tasks, models and images, what thieves paid, and a bench to change it."""

import streamlit as st

from pages.ui import bench_part, controls, designer, effort, frame, lineage, links, overview, samples, states
from qurd_core.evaluation import evidence, records

frame.require()
SECTIONS = {"overview": overview, "lineage": lineage, "effort": effort, "images": samples, "bench": designer}
UNPUBLISHED = {"effort": "What a theft cost was not published", "images": "Images do not come with scores"}
bench, style = frame.view()
base = evidence.base_of(bench)
if not records.has_facts(base):
    states.no_records(base)
    frame.stop()

head = st.container()
with st.container(key="controls"):
    first, *others = st.columns([2.3, 1.3, 1.3, 0.8], gap="medium")
with first:
    links.check("section", list(SECTIONS), "section")
    section = st.segmented_control(
        "Section", list(SECTIONS), default="overview", required=True, key="section", **controls.LINKED
    )
if base in records.PUBLISHED and section in UNPUBLISHED:
    states.scores_only(base, UNPUBLISHED[section])
    frame.stop()
if section == "bench" and not records.has_scores(base):
    states.not_imported(base, "A bench counts its rates again from every score")
    frame.stop()


def say(headline: str, basis: str) -> None:
    """What a section has found."""
    frame.finding(head, headline, bench_part.of(bench) + basis)


SECTIONS[section].show(bench, style, others, say)
