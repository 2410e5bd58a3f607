"""The two sides of the Queries page: what was asked of each, where its queries come from, and what is shown until then."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import streamlit as st

from pages.ui import cached, links
from qurd_core.errors import QurdError
from qurd_core.findings.language import words
from qurd_core.jobs.queue import Job, Status
from qurd_core.views import query_sets
from qurd_core.views.query_sets import Array, QuerySet

ENDING = "safetensors"
SKELETONS = 8
EVERY = 0.4  # seconds between two looks at a job


@dataclass(frozen=True)
class Asked:
    """What one side shows."""

    bench: str
    victim: str
    suspect: str
    seed: int
    budget: int
    sampler: str

    def job(self, **more: object) -> Job:
        """What a worker has to do for it."""
        args = {"benchmark": self.bench, "victim": self.victim, "suspect": self.suspect, "sampler": self.sampler}
        return Job("queries", args | {"query_seed": self.seed, "budget": query_sets.size_for(self.budget)} | more)


class Side(NamedTuple):
    """One side: its queries, or the job that makes them, or why there are none."""

    asked: Asked
    queries: QuerySet | None = None
    job: Job | None = None
    trouble: str | None = None


def fetch(asked: Asked) -> Side:
    """The queries at once if they follow from the bank or were made before; else the job that makes them."""
    if query_sets.is_banked(cached.bank(asked.bench), asked.sampler, asked.victim):
        size = query_sets.size_for(asked.budget)
        found = cached.natural_queries(asked.bench, asked.sampler, asked.victim, asked.suspect, asked.seed, size)
        return Side(asked, found)
    return made(asked)


def made(asked: Asked) -> Side:
    """The queries of a worker, which knows the probabilities too."""
    job, classes = asked.job(), cached.bank(asked.bench).classes
    status = finished(job)
    if status.state != "done":
        return Side(asked, job=job, trouble=why(status))
    try:
        return Side(asked, cached.made_queries(cached.jobs().result(job.key, ENDING), asked.sampler, classes))
    except QurdError as error:
        return Side(asked, job=job, trouble=str(error))


def look(side: Side, how: str, cards: list[int], key: str) -> dict[int, Array]:
    """For the cards on screen, where the victim looked. Until that is known: nothing, and a line that says so."""
    rows = side.queries.facts(side.asked.budget).set_index("card").loc[cards, "main"].tolist()
    if how == "none" or not rows:
        return {}
    # What the victim looked at does not depend on the suspect: one answer serves all.
    job = replace(side.asked, suspect=side.asked.victim).job(look=how, rows=rows)
    status = finished(job)
    sentence = why(status)
    if status.state == "done":
        try:
            found = query_sets.tensors(cached.jobs().result(job.key, ENDING))["attribution"]
            return dict(zip(cards, found, strict=True))
        except (QurdError, KeyError, ValueError) as error:
            sentence = str(error)
    if sentence:
        trouble(sentence, job, f"look-{key}")
    else:
        wait(job, "Computing what the victim looked at", f"look-{key}")
    return {}


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


def pending(side: Side, key: str) -> None:
    """A side without queries: what went wrong, or how far they are."""
    if side.trouble:
        trouble(side.trouble, side.job, key)
    else:
        wait(side.job, f"Making queries by {side.asked.sampler} for this victim", key)
        st.html('<div class="skeletons">' + '<div class="skeleton"></div>' * SKELETONS + "</div>")


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
