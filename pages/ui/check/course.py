"""How a check stands: what has come of it, and what is shown until it has ended."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.ui import cached, links, progress
from pages.ui.check.asking import Asked
from pages.ui.hosting import visitor
from qurd_core import findings
from qurd_core.errors import QurdError
from qurd_core.jobs import live
from qurd_core.jobs.queue import Job, Status
from qurd_core.views.check.checked import ENDING, EVIDENCE, Asks, Checked


class Course(NamedTuple):
    """How far a question is.

    Attributes:
        job: what asks it.
        status: of the job; None if nobody asked for it.
        checked: what is known so far.
        evidence: the file for a third party; None where there is none.
        ships: whether the answers are part of the program.
    """

    job: Job
    status: Status | None = None
    checked: Checked | None = None
    evidence: Path | None = None
    ships: bool = False

    @property
    def active(self) -> bool:
        """Whether models are being asked, or will be."""
        return self.status is not None and self.status.active

    @property
    def done(self) -> bool:
        return self.checked is not None and self.checked.done

    @property
    def asks(self) -> tuple[Asks, ...]:
        """What waits for somebody to agree that it is sent over a network."""
        waits = self.status is not None and self.status.state == "done" and self.checked is not None
        return self.checked.asks if waits else ()


def follow(asked: Asked) -> Course:
    """How far the question on the page is; nothing is asked by looking."""
    job = asked.job
    status, stem = cached.jobs().status(job.key), cached.jobs().result(job.key, ENDING)
    if status is None or (status.state == "done" and not stem.is_file()):
        shipped = live.shipped_check(job)
        if (path := shipped.with_suffix(f".{ENDING}")).is_file():
            return Course(job, None, _read(path), _there(shipped.with_suffix(f".{EVIDENCE}")), ships=True)
        return Course(job)
    try:
        return Course(job, status, _read(stem), _there(stem.with_suffix(f".{EVIDENCE}")))
    except QurdError as altered:
        cached.jobs().spoiled(job, str(altered))
        return Course(job, cached.jobs().status(job.key))


def sent(course: Course, asked: Asked) -> tuple[int, int, int]:
    """Models of known origin that have answered, all of them, and queries that the suspects have answered."""
    status = course.status
    of = max(0, status.total - asked.budget) if status and status.total else asked.known
    done = status.done if status else 0
    return min(done, of), of, max(0, done - of)


def wait(course: Course, asked: Asked) -> None:
    """How far it is, and the button that stops it; the page is drawn again when there is more to see."""
    jobs, path = cached.jobs(), cached.jobs().result(course.job.key, ENDING)
    seen = cached.changed(path)

    @st.fragment(run_every=progress.EVERY)
    def watch() -> None:
        status = jobs.status(course.job.key)
        if status is None or not status.active or cached.changed(path) != seen:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center"):
            progress.bar(status, _said(course._replace(status=status), asked), "cancel-check")

    watch()


def _said(course: Course, asked: Asked) -> str:
    status = course.status
    if status.state == "queued" or not status.total:
        return progress.stand(status).capitalize()
    known, of, queries = sent(course, asked)
    said = findings.check.verdicts.asking(known, queries, asked.budget, of)
    left = f" · about {max(1, round(status.left))} s left" if status.left is not None else ""
    paid = f" · {course.checked.paid}" if course.checked and course.checked.paid else ""
    return f"{said[:1].upper()}{said[1:]}{left}{paid}"


def again(course: Course, asked: Asked, label: str) -> None:
    """The button that goes on, or tries again."""
    if not asked.may_ask:
        st.caption(links.plain(visitor.no_api(), 300))
        return
    st.button(label, type="primary", key="again-check", on_click=progress.ask, args=[course.job], kwargs={"anew": True})


def trouble(course: Course, asked: Asked) -> None:
    """Why a check failed, and the way out."""
    with st.container(border=True):
        st.markdown(links.plain(progress.why(course.status) or "", 600))
        again(course, asked, "Try again")


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


@cached.kept(16, of=cached.changed)
def _read(path: Path) -> Checked | None:
    return Checked.read(path)
