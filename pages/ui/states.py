"""What a page shows when there is nothing to draw. What stands for the whole page ends it."""

from collections.abc import Mapping
from typing import NoReturn

import streamlit as st

from pages.ui import cached, frame, links, progress
from pages.ui.hosting import visitor
from pages.ui.links import plain
from qurd_core.errors import QurdError
from qurd_core.jobs.kinds import import_job
from qurd_core.records import rate_records
from qurd_core.statistics.metrics import Rule


def no_records(benchmark: str) -> NoReturn:
    """Nothing was measured yet: why, and the one way out."""
    with st.container(border=True):
        st.subheader("No records yet")
        st.write(f"Nothing has been measured on {benchmark}. This command measures every combination and keeps the result:")
        st.code(rate_records.rebuild(benchmark), language="bash")
    frame.stop()


def scores_only(benchmark: str, why: str) -> NoReturn:
    """A published benchmark has scores and no models.

    Args:
        why: what needs more than scores, as the start of a sentence.
    """
    with st.container(border=True):
        st.subheader("Published scores only")
        st.write(
            f"{why}. Of {benchmark} the authors published scores, distances and accuracies. "
            "Embedded benchmarks have images and models, too."
        )
        st.button(
            f"Show {rate_records.EMBEDDED[0]}",
            type="primary",
            on_click=st.session_state.update,
            args=[{"bench": rate_records.EMBEDDED[0]}],
        )
    frame.stop()


def not_imported(benchmark: str) -> NoReturn:
    """The single scores of a published benchmark come with an import."""
    with st.container(border=True):
        st.subheader("Not imported yet")
        st.write(
            "The rates of your benchmark are counted again from every score. This app ships a summary of "
            f"{benchmark}; the 2.7 million scores lie in the folder `generated` of the "
            "authors' repository grodino/QuRD (commit d6f18d2). This command reads a checkout of it:"
        )
        st.code(rate_records.rebuild(benchmark), language="bash")
        _import_card(benchmark)
    frame.stop()


def refused(reasons: Mapping[str, str], rule: Rule) -> None:
    """No value can be shown: why, and the rule that asks for less."""
    with st.container(border=True):
        st.subheader("No value can be shown")
        not_drawn(reasons)
        if rule != "paper":
            st.button("Show the paper rule", type="primary", on_click=st.session_state.update, args=[{"rule": "paper"}])


def not_drawn(reasons: Mapping[str, str]) -> None:
    """Lines that are missing from a chart, those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for label, reason in reasons.items():
        by_reason.setdefault(reason, []).append(label)
    for reason, labels in by_reason.items():
        st.markdown(f":gray[**{plain(', '.join(labels), 300)}**: {plain(reason, 300)}]")


def _import_card(benchmark: str) -> None:
    """Where the scores lie, a button, and how far the worker is; the page is drawn again when it has ended.

    Args:
        benchmark: whose scores are wanted.
    """
    if wrong := rate_records.altered_scores(benchmark):
        st.warning(links.plain(wrong, 600))
    if not visitor.runs_the_app():
        st.caption(links.plain(visitor.not_you("Scores are imported here"), 300))
        return
    st.text_input(
        "Path of a checkout, or of one Parquet table, on this machine", key="import_path", placeholder="path/to/QuRD"
    )
    asked = st.session_state.get("importing")
    typed = st.session_state["import_path"].strip()
    st.button("Import", type="primary", disabled=not typed, on_click=_start_import, args=[typed])
    if not asked:
        return
    job = import_job.job(asked)
    status = cached.jobs().status(job.key)
    if status is None or status.active:
        progress.wait(job, "Importing published scores", "import")
    elif sentence := progress.why(status):
        st.error(links.plain(sentence, 600))
    elif rate_records.has_scores(benchmark):
        st.rerun()  # they came while the page was drawn
    else:
        try:
            said = import_job.said(cached.jobs().result(job.key, import_job.ENDING))
        except QurdError as error:
            said = str(error)
        st.warning(links.plain(f"Imported, but nothing of {benchmark}. {said}", 1_000))


def _start_import(path: str) -> None:
    st.session_state["importing"] = path
    progress.ask(import_job.job(path), anew=True)
