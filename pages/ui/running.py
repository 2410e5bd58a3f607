"""A live run: its button with the expected seconds, its state while the page stays usable, and what it has left."""

import math
from pathlib import Path

import streamlit as st
from pandas import DataFrame

from pages.ui import cached, links, progress
from qurd_core import views
from qurd_core.errors import QurdError
from qurd_core.jobs import live
from qurd_core.jobs.queue import Job, Status
from qurd_core.records import rate_records
from qurd_core.schemes import Scheme
from qurd_core.statistics import metrics

EVERY = 0.2  # seconds between two looks at a run
RARELY = 1.0  # seconds between two looks for the answer how long one takes


def job_of(benchmark: str, scheme: Scheme, pool: tuple[str, ...]) -> Job:
    """The run that measures what the page asks for."""
    return live.rates_job(benchmark, str(scheme), pool, str(sorted(scheme.identity(0).items())))


def rows(job: Job, negatives: str, *, task: str | None = None, budget: int | None = None) -> DataFrame | None:
    """What the run has left so far of one task, or at one budget; None while there is nothing, or if that was altered: then
    the run has failed, and its panel says why.
    """
    path = cached.jobs().result(job.key, "parquet")
    try:
        return _rows(path, negatives, task, budget)
    except QurdError as error:
        cached.jobs().spoiled(job, str(error))
        return None


def curves(job: Job, task: str, *, hard: bool, rule: metrics.Rule) -> tuple[DataFrame | None, str]:
    """The same as points of lines, and on how many query seeds they rest: `2 of 5`."""
    found = rows(job, cached.negatives(hard), task=task)
    if found is None:
        return None, ""
    return views.budget.curves(found, rule), _seeds(found, job)


def by_task(job: Job, at: int, *, hard: bool) -> tuple[DataFrame | None, str]:
    """What the run has left of its scheme at one budget, a row per task, and on how many query seeds that rests."""
    found = rows(job, cached.negatives(hard), budget=at)
    found = None if found is None else found[found["scheme"] == job.args["scheme"]]
    return (None, "") if found is None or found.empty else (found, _seeds(found, job))


def busy(job: Job) -> bool:
    """Whether the run goes on or waits."""
    status = cached.jobs().status(job.key)
    return status is not None and status.active


def panel(job: Job, benchmark: str, scheme: Scheme, *, needed: bool) -> None:
    """The state of the run, with the one button that fits it; looks again by itself while the run goes on.

    Args:
        needed: whether there is something to run that the records do not have.
    """
    jobs = cached.jobs()
    jobs.warm_up(benchmark)
    if not needed:
        return
    status = jobs.status(job.key)
    busy = status is not None and status.active
    other = None if busy else _elsewhere(benchmark, str(scheme))
    seen = cached.changed(jobs.result(job.key, "parquet"))
    offered = status is None or status.state in ("cancelled", "failed")
    unknown = offered and jobs.expected(job) is None

    @st.fragment(run_every=EVERY if busy or other else RARELY if unknown else None)
    def watch() -> None:
        now = jobs.status(job.key)
        _draw(job, now, benchmark, scheme)  # at once, the rest of the page follows
        turned = busy != (now is not None and now.active) or (unknown and jobs.expected(job) is not None)
        if turned or cached.changed(jobs.result(job.key, "parquet")) != seen:
            st.rerun()

    watch()


def _draw(job: Job, status: Status | None, benchmark: str, scheme: Scheme) -> None:
    if status and status.active:
        progress.bar(status, progress.stand(status, percent=True).capitalize(), "cancel")
        return
    other = _elsewhere(benchmark, str(scheme))
    if other:
        st.caption(f"Another process measures this combination: {other.done} of {other.total} units done.")
    if status and status.state == "done":
        return
    if status and status.state == "cancelled":
        st.caption(links.plain(status.error, 600) if status.error else _stopped(job))
    if status and status.state == "failed":
        st.error(links.plain(progress.why(status), 600))
    label, why = _label(job)
    st.button(label, type="primary", icon=":material/play_arrow:", key="run", help=why, on_click=progress.ask, args=[job])


def _stopped(job: Job) -> str:
    found = rows(job, "unrelated", task="all")
    if found is None:
        return "Stopped before the first query seed. What was computed is stored."
    part = "" if found["budget"].max() == max(rate_records.BUDGETS) else ", small budgets only"
    return f"Stopped in query seed {_seeds(found, job)}{part}. What was computed is stored."


def _label(job: Job) -> tuple[str, str | None]:
    """The words on the button, and what they do not say."""
    seconds = cached.jobs().expected(job)
    if seconds is None:
        return "Run", "How long it takes is being measured on this machine."
    if math.isnan(seconds):
        return "Run", None  # whoever presses it is told why it cannot run
    return f"Run · about {max(1, round(seconds))} s", None


def _elsewhere(benchmark: str, scheme: str) -> Status | None:
    """A run of the command line that computes the same."""
    running = cached.jobs().active()
    return next((one for one in running if live.elsewhere(one.about, benchmark, scheme)), None)


@cached.kept(32, of=cached.changed)
def _rows(path: Path, negatives: str, task: str | None, budget: int | None) -> DataFrame | None:
    return live.rows(path, negatives, task=task, budget=budget)


def _seeds(found: DataFrame, job: Job) -> str:
    return f"{int(found['seeds'].max())} of {job.args['seeds']}"
