"""How far a job of the worker is, what went wrong with it, and the way out."""

import streamlit as st

from pages.ui import cached, links
from qurd_core.findings.language import words
from qurd_core.jobs.queue import Job, Status

ENDING = "safetensors"
EVERY = 0.4  # seconds between two looks at a job


def finished(job: Job) -> Status:
    """How a job stands. It is asked for if nobody has, or if its result is gone."""
    jobs = cached.jobs()
    status = jobs.status(job.key)
    if status is None or (status.state == "done" and not jobs.result(job.key, ENDING).is_file()):
        again(job)
        status = jobs.status(job.key)
    return status or Status(job.key, "queued")


def again(job: Job) -> None:
    """Do a job anew, whatever is left of an earlier attempt."""
    jobs = cached.jobs()
    for ending in ("json", ENDING):
        jobs.result(job.key, ending).unlink(missing_ok=True)
    jobs.submit(job)


def why(status: Status) -> str | None:
    """The sentence for a job that will not give its result by itself."""
    if status.state == "cancelled":
        return "Stopped before the queries were complete. What was made so far is kept for another try."
    return (status.error or "The run failed and left no reason.") if status.state == "failed" else None


def trouble(sentence: str, job: Job, key: str) -> None:
    """What went wrong, and the way out."""
    with st.container(border=True):
        st.markdown(links.plain(sentence, 400))
        st.button("Try again", key=f"again-{key}", on_click=again, args=[job], type="primary")


def warm_up(bench: str) -> None:
    """Have the worker ready for what comes next, once a session and benchmark."""
    if st.session_state.get("warm") != bench:
        st.session_state["warm"] = bench
        cached.jobs().warm_up(bench)


@st.fragment(run_every=EVERY)
def wait(job: Job, what: str, key: str) -> None:
    """How far a job is, until it ends; then the page is drawn again."""
    status = cached.jobs().status(job.key) or Status(job.key, "queued")
    if not status.active:
        st.rerun()
    share = min(status.done / status.total, 1.0) if status.total else 0.0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share, text=links.plain(f"{what} · {_stand(status)}", 200), width="stretch")
        st.button("Cancel", key=f"cancel-{key}", on_click=cached.jobs().cancel, args=[job.key])


def _stand(status: Status) -> str:
    if status.state == "queued":
        return f"queued behind {words.counted(status.ahead, 'run')}" if status.ahead else "starting"
    if not status.total:
        return "running"
    left = f" · about {max(1, round(status.left))} s left" if status.left is not None else ""
    return f"{status.done} of {status.total}{left}"
