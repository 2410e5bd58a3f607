"""How far a job of the worker is, what went wrong with it, and the way out."""

import streamlit as st

from pages.ui import cached, links, notice
from pages.ui.hosting import visitor
from qurd_core.errors import QurdError
from qurd_core.findings.language import words
from qurd_core.jobs.queue import Job, Status

ENDING = "safetensors"
EVERY = 0.4  # seconds between two looks at a job
FIRST = 300  # thousandths of a second
SHARED = "Another browser tab wants this run, too, so it goes on."


def finished(job: Job, place: str) -> Status:
    """How a job stands. It is asked for if nobody has, if nobody wanted it any more, or if its result is gone.

    Args:
        place: on the page, that shows one job at a time: the one before is not wanted any more.
    """
    jobs, shown = cached.jobs(), st.session_state.setdefault("jobs_shown", {})
    before, shown[place] = shown.get(place), job.key
    if before and before not in shown.values():
        jobs.leave(before, visitor.session())
    status = jobs.status(job.key)
    unwanted = status is not None and status.state == "cancelled" and status.error
    gone = status is not None and status.state == "done" and not jobs.result(job.key, ENDING).is_file()
    if status is None or unwanted or gone:
        try:
            jobs.submit(job, visitor.session(), anew=True)
        except QurdError as refused:
            return Status(job.key, "failed", error=str(refused))
        status = jobs.status(job.key)
    return status or Status(job.key, "queued")


def ask(job: Job, *, anew: bool = False) -> None:
    """Have a job done: a callback. A notice says why if it is not taken.

    Args:
        anew: whatever is left of an earlier attempt.
    """
    try:
        cached.jobs().submit(job, visitor.session(), anew=anew)
    except QurdError as refused:
        notice.say(str(refused))


def why(status: Status) -> str | None:
    """The sentence for a job that will not give its result by itself."""
    if status.state == "cancelled":
        return status.error or "Stopped before the queries were complete. What was made so far is kept for another try."
    return (status.error or "The run failed and left no reason.") if status.state == "failed" else None


def trouble(sentence: str, job: Job, key: str) -> None:
    """What went wrong, and the way out."""
    with st.container(border=True):
        st.markdown(links.plain(sentence, 400))
        st.button("Try again", key=f"again-{key}", on_click=ask, args=[job], kwargs={"anew": True}, type="primary")


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
    with st.container(horizontal=True, vertical_alignment="center"):
        bar(status, f"{what} · {stand(status)}", f"cancel-{key}")


def bar(status: Status, said: str, key: str) -> None:
    """How far a job is that has not ended, and the button that stops it."""
    jobs = cached.jobs()
    jobs.watch(status.key, visitor.session())
    stopping = status.state == "running" and jobs.flag(status.key).exists()
    label = "Stopping" if stopping else "Cancel"
    st.progress(min(status.done / status.total, 1.0) if status.total else 0.0, links.plain(said, 200), width="stretch")
    st.button(label, icon=":material/stop:", key=key, disabled=stopping, on_click=_cancel, args=[status.key])


def _cancel(key: str) -> None:
    if cached.jobs().is_shared(key, visitor.session()) and not visitor.runs_the_app():
        notice.say(SHARED)
    else:
        cached.jobs().cancel(key)


def stand(status: Status, *, percent: bool = False) -> str:
    """The same in words.

    Args:
        percent: its steps are no things but thousandths of a second; the first few do not tell how many there will be.
    """
    if status.ahead:
        return f"queued behind {words.counted(status.ahead, 'run')}"
    if status.state == "queued" or not status.total:
        return "starting"
    so_far = f"{100 * status.done / status.total:.0f}%" if percent else f"{status.done} of {status.total}"
    known = status.left is not None and not (percent and status.done <= FIRST)
    return f"{so_far} · about {max(1, round(status.left))} s left" if known else so_far
