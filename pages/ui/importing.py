"""The card that imports the paper's published scores."""

from pathlib import Path

import streamlit as st

from pages.ui import cached, links, sides
from qurd_core.errors import QurdError
from qurd_core.jobs.kinds import import_job
from qurd_core.records import rate_records


def card(benchmark: str) -> None:
    """Where the scores lie, a button, and how far the worker is; the page is drawn again when it has ended.

    Args:
        benchmark: whose scores are wanted.
    """
    if wrong := rate_records.altered_scores(benchmark):
        st.warning(links.plain(wrong, 600))
    st.text_input(
        "Path of a checkout, or of one Parquet table, on this machine", key="import_path", placeholder="path/to/QuRD"
    )
    asked = st.session_state.get("importing")
    typed = st.session_state["import_path"].strip()
    st.button("Import", type="primary", disabled=not typed, on_click=_start, args=[typed])
    if not asked:
        return
    job = import_job.job(Path(asked).expanduser())
    status = cached.jobs().status(job.key)
    if status is None or status.active:
        sides.wait(job, "Importing published scores", "import")
    elif sentence := sides.why(status):
        st.error(links.plain(sentence, 600))
    elif rate_records.has_scores(benchmark):
        st.rerun()  # they came while the page was drawn
    else:
        try:
            said = import_job.said(cached.jobs().result(job.key, import_job.ENDING))
        except QurdError as error:
            said = str(error)
        st.warning(links.plain(f"Imported, but nothing of {benchmark}. {said}", 1_000))


def _start(path: str) -> None:
    st.session_state["importing"] = path
    sides.again(import_job.job(Path(path).expanduser()))
