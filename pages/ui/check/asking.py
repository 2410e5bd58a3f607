"""The controls of the Check page, and the question that they make."""

from dataclasses import dataclass, field

import streamlit as st

from pages.ui import cached, controls, links, progress
from pages.ui.hosting import visitor
from qurd_core.findings.language.model_names import readable
from qurd_core.jobs import live
from qurd_core.jobs.queue import Job
from qurd_core.records import evidence
from qurd_core.schemes import ORDER, Scheme, story_of
from qurd_core.statistics.verdicts import Stop
from qurd_core.views.check.checked import ENDING
from qurd_core.views.check.pool import MOST, Pool, candidates, pool

VIEWS = {"dots": "distances", "path": "path", "duel": "duel"}
EARLY: dict[Stop, str] = {"none": "no", "peak": "by peaks", "bound": "by a bound"}
HELP = (
    "When a verdict may be said before all queries are answered. By peaks: the evidence of a suspect passes the highest peak"
    " of every unrelated lineage; whoever looks may stop at any time. By a bound: a bet against the rate at which unrelated"
    " models repeat the victim's mistakes."
)


@dataclass(frozen=True)
class Asked:
    """What the controls say.

    Attributes:
        suspects: none, or as many as `MOST`.
        scheme: its label.
        remote: suspects that are asked over a network.
        pool: what a verdict rests on.
    """

    bench: str
    victim: str
    suspects: tuple[str, ...]
    scheme: str
    budget: int
    stop: Stop
    view: str
    remote: tuple[str, ...]
    pool: Pool = field(compare=False)

    @property
    def known(self) -> int:
        """The victim and the models of known origin, which are asked first."""
        return 1 + self.pool.models + self.pool.hard + self.pool.thieves

    @property
    def may_ask(self) -> bool:
        """Whether the session may have everybody asked."""
        return not self.remote or visitor.asks_apis()

    @property
    def job(self) -> Job:
        """What asks."""
        identity = str(sorted(Scheme.parse(self.scheme).identity(0).items()))
        return live.check_job(self.bench, self.victim, self.suspects, self.scheme, self.budget, self.stop, identity=identity)


def choose(bench: str) -> Asked:
    """Draw the controls; the button among them is the only thing that asks anybody."""
    pairs, unknown = cached.pairs(bench), evidence.suspects(bench)
    with st.container(key="controls"):
        first = st.columns([1.35, 5, 0.85], gap="small", vertical_alignment="bottom")
        places = st.columns([1.35, 1.6, 1.35, 2.9], gap="small", vertical_alignment="bottom")
    with first[0]:
        victim = controls.choose_model("Victim", pairs["victim"].unique().tolist(), "victim")
    with first[1]:
        suspects = _suspects(candidates(pairs, victim, unknown))
        remote = tuple(name for name in suspects if name in evidence.remote(bench))
    with places[0]:
        scheme = controls.choose("Scheme", _schemes(), "scheme")
    with places[1]:
        budget = controls.budget()
    with places[2]:
        stop = controls.choose("Stop early", _stops(scheme, remote), "stop", said=EARLY.get, help=lambda stop: HELP)
    with places[3]:
        view = controls.segments(
            "View", [*VIEWS][: 3 if len(suspects) == 2 and stop == "peak" else 2], "view", "view", VIEWS.get
        )
    asked = Asked(bench, victim, suspects, scheme, budget, stop, view, remote, pool(pairs, victim, suspects, stop))
    with first[2]:
        _button(asked)
    return asked


def _suspects(models: list[str]) -> tuple[str, ...]:
    """The models that are asked about, found by typing."""
    links.check("suspect", models, "suspect", MOST)
    search = f"Up to {MOST} of {len(models)} models"
    found = controls.worded(st.multiselect, "Suspects", models, "suspect", readable, max_selections=MOST, placeholder=search)
    return tuple(found)


def _schemes() -> list[str]:
    """The named schemes, the reference first."""
    recorded = {*cached.schemes()["name"].dropna()}
    return [name for name in ORDER if name in recorded]


def _stops(scheme: str, remote: tuple[str, ...]) -> list[Stop]:
    """How a verdict of a scheme may be said early, the usual way first: peaks where a suspect is asked over a network. It
    gives way to another usual one unless somebody chose otherwise.
    """
    parsed = Scheme.parse(scheme)
    mistakes = parsed.natural and story_of(str(parsed.sampler)) == "mistakes"
    stops: list[Stop] = ["none", *["peak"] * parsed.counts_agreements, *["bound"] * (parsed.counts_agreements and mistakes)]
    usual = "peak" if remote and "peak" in stops else "none"
    before = st.session_state.get("stop-usual", usual)
    if st.session_state.get("stop") == before != usual:
        st.session_state["stop"] = usual
    st.session_state["stop-usual"] = usual
    return sorted(stops, key=lambda stop: stop != usual)


def _button(asked: Asked) -> None:
    ready = bool(asked.suspects) and asked.pool.may_tell and asked.may_ask
    job = asked.job if ready else None
    status = cached.jobs().status(job.key) if job else None
    gone = status is not None and status.state == "done" and not cached.jobs().result(job.key, ENDING).is_file()
    busy = status is not None and not gone  # what was stopped or failed has a button of its own, to go on
    st.button(
        "Check",
        type="primary",
        key="ask",
        width="stretch",
        shortcut="Enter",
        disabled=not ready or busy,
        on_click=progress.ask,
        args=[job],
        kwargs={"anew": True},
    )
