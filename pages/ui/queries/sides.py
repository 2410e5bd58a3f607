"""The two sides of the Queries page: what was asked of each, where its queries come from, and what is shown until then."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import streamlit as st

from pages.ui import cached, progress
from qurd_core.errors import QurdError
from qurd_core.jobs.queue import Job
from qurd_core.views import query_sets
from qurd_core.views.query_sets import Array, QuerySet

SKELETONS = 8


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


def fetch(asked: Asked, place: str) -> Side:
    """The queries at once if they follow from the bank or were made before; else the job that makes them."""
    if query_sets.is_banked(cached.bank(asked.bench), asked.sampler, asked.victim):
        size = query_sets.size_for(asked.budget)
        found = cached.natural_queries(asked.bench, asked.sampler, asked.victim, asked.suspect, asked.seed, size)
        return Side(asked, found)
    return made(asked, place)


def made(asked: Asked, place: str) -> Side:
    """The queries of a worker, which knows the probabilities too.

    Args:
        place: on the page that they are for.
    """
    job, classes = asked.job(), cached.bank(asked.bench).classes
    status = progress.finished(job, place)
    if status.state != "done":
        return Side(asked, job=job, trouble=progress.why(status))
    try:
        return Side(asked, cached.made_queries(cached.jobs().result(job.key, progress.ENDING), asked.sampler, classes))
    except QurdError as error:
        return Side(asked, job=job, trouble=str(error))


def look(side: Side, how: str, cards: list[int], key: str) -> dict[int, Array]:
    """For the cards on screen, where the victim looked. Until that is known: nothing, and a line that says so."""
    rows = side.queries.facts(side.asked.budget).set_index("card").loc[cards, "main"].tolist()
    if how == "none" or not rows:
        return {}
    # What the victim looked at does not depend on the suspect: one answer serves all.
    job = replace(side.asked, suspect=side.asked.victim).job(look=how, rows=rows)
    status = progress.finished(job, f"look-{key}")
    sentence = progress.why(status)
    if status.state == "done":
        try:
            found = query_sets.tensors(cached.jobs().result(job.key, progress.ENDING))["attribution"]
            return dict(zip(cards, found, strict=True))
        except (QurdError, KeyError, ValueError) as error:
            sentence = str(error)
    if sentence:
        progress.trouble(sentence, job, f"look-{key}")
    else:
        progress.wait(job, "Computing what the victim looked at", f"look-{key}")
    return {}


def pending(side: Side, key: str) -> None:
    """A side without queries: what went wrong, or how far they are."""
    if side.trouble:
        progress.trouble(side.trouble, side.job, key)
    else:
        progress.wait(side.job, f"Making queries by {side.asked.sampler} for this victim", key)
        st.html('<div class="skeletons">' + '<div class="skeleton"></div>' * SKELETONS + "</div>")
