"""The records of a benchmark that somebody brings: measured when it is first opened, while the pages fill."""

from pathlib import Path

import streamlit as st

from pages.ui import cached, links, progress
from qurd_core.benchmarks import registered
from qurd_core.errors import QurdError
from qurd_core.findings.language import measuring as said
from qurd_core.jobs.queue import Job, Status
from qurd_core.records import evidence, own_records, rate_records
from qurd_core.records.own_records import Note

EVERY = 0.4  # seconds between two looks
OF_RATES = ("leaderboard", "compose", "budget")  # pages that show nothing else


def follow(bench: str, page: str) -> bool:
    """Have the benchmark measured unless it is, and say how far that is.

    Returns:
        whether there is something for the page to show.
    """
    try:
        name = evidence.base_of(bench)
        if name in rate_records.SHIPPED:
            return True
        state = _state(str(registered.read(name).path))
    except QurdError:
        return True  # the page says what is wrong
    note, job = own_records.note_of(name), job_of(name, state)
    if note is None and cached.jobs().status(job.key) is None:
        progress.ask(job)
    status, there = cached.jobs().status(job.key), rate_records.has_facts(name)
    with st.container(key="measuring"):
        if status and status.active:
            _watch(job, name)
        elif status and status.state == "failed":
            _offer(job, progress.why(status), said.AGAIN)
        elif note is None or not there:
            _offer(job, f"Nothing is measured on {name}.", said.FIRST)
        elif not _is_of(job, note):
            _offer(job, said.changed(name, state), said.AGAIN)
        elif not note.whole:
            _offer(job, said.stopped(name, note), said.REST)
        elif note.notes:
            st.caption(links.plain(" ".join(note.notes), 600))
    if there and page in OF_RATES and not rate_records.has_rates(name):
        _no_stolen(bench)
        return False
    return there


def job_of(name: str, state: str) -> Job:
    """What measures a benchmark as its files and the schemes are now."""
    return Job("own", {"benchmark": name, "state": state, "parts": own_records.parts()})


@st.cache_resource(max_entries=16, ttl=3, show_spinner=False)
def _state(path: str) -> str:
    """Looked up anew every few seconds only: a folder may hold many pictures."""
    return registered.state(Path(path))


def _watch(job: Job, name: str) -> None:
    """How far the job is; the page is drawn again whenever a scheme is done, and at the end."""
    before = own_records.note_of(name)

    @st.fragment(run_every=EVERY)
    def watch() -> None:
        status, now = cached.jobs().status(job.key) or Status(job.key, "queued"), own_records.note_of(name)
        if not status.active or now != before:
            st.rerun()
        of_today = now if now and _is_of(job, now) else None
        with st.container(horizontal=True, vertical_alignment="center"):
            progress.bar(status, said.progress(name, of_today, status.left, status.ahead), "cancel-own")

    watch()


def _is_of(job: Job, note: Note) -> bool:
    """Whether records were measured on what the job would measure."""
    return (note.state, note.parts) == (job.args["state"], job.args["parts"])


def _offer(job: Job, sentence: str, label: str) -> None:
    """What is missing, and the button that measures it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(links.plain(sentence, 600))
        st.button(label, key="measure-own", on_click=progress.ask, args=[job], kwargs={"anew": True})


def _no_stolen(benchmark: str) -> None:
    """There is no stolen model, so there is no rate: what can be asked instead."""
    with st.container(border=True):
        st.subheader("No stolen models here")
        st.write(
            f"There are no stolen models in {benchmark}, so there is no detection rate. Separability shows how far suspects"
            " and unrelated models are from the victims. The page Check asks about suspects, and so does this command:"
        )
        st.code(f"qurd check {benchmark}", language="bash")
        st.page_link("pages/check.py", label="Ask about suspects", icon=":material/arrow_forward:")
