"""The controls of the Queries page."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from pandas import DataFrame

from pages.ui import cached, controls, links
from pages.ui.queries.sides import Asked, Side
from pages.ui.suspect import switch
from qurd_core import findings, views
from qurd_core.findings.language import words
from qurd_core.records import evidence
from qurd_core.views import query_sets

VIEWS = {"queries": "queries", "telling": "discriminative images"}
ONLY = {"all": "all", "disagrees": "disagreements"}
LOOKS = ("none", "integrated_gradients", "saliency", "occlusion")
DEFAULTS = {"left": "uniform(test)->pgd", "right": "negative(test)"}


@dataclass(frozen=True)
class Choice:
    """What the controls say; `left` and `right` are empty in the view of discriminative images."""

    view: str
    victim: str
    suspect: str = ""
    left: Asked | None = None
    right: Asked | None = None
    only: str = "all"
    look: str = "none"
    reveal: str = switch.USUAL


def choice(bench: str) -> Choice:
    """Draw the controls."""
    pairs, bank = cached.pairs(bench), cached.bank(bench)
    with st.container(key="controls"):
        first, second, third, fourth, fifth = st.columns([1.8, 1.2, 2, 0.75, 1.2], gap="medium")
        with first:
            view = controls.segments("View", [*VIEWS], "view", "view", VIEWS.get)
        with second:
            victim = controls.model("Victim", pairs["victim"].unique().tolist(), "victim", "victim")
        if view == "telling":
            return Choice(view, victim)
        with third:
            suspect = controls.model("Suspect", suspects(pairs, victim), "suspect", "suspect")
        with fourth:
            seed = controls.select("Query seed", list(range(len(next(iter(bank.draws.values()))))), "seed", "seed")
        with fifth:
            budget = controls.budget()
        samplers = query_sets.samplers(cached.schemes(), views.leaderboard.lacking(cached.schemes(), bench))
        first, second, third, fourth, fifth = st.columns([1.9, 1.9, 1.4, 1.45, 1.4], gap="medium")
        chosen = {}
        for column, side in ((first, "left"), (second, "right")):
            with column:
                first_default = sorted(samplers, key=lambda sampler, own=DEFAULTS[side]: sampler != own)
                sampler = controls.choose(f"{side.title()} sampler", first_default, side, said=words.sampler)
            chosen[side] = Asked(bench, victim, suspect, seed, budget, sampler)
        with third:
            only = controls.segments("Show", [*ONLY], "only", "filter", ONLY.get)
        with fourth:
            looks = LOOKS if evidence.has_models(bench) else LOOKS[:1]
            look = controls.select("What the victim looked at", looks, "look", "look", lambda how: how.replace("_", " "))
        with fifth:
            reveal = switch.revealed(bench)
    return Choice(view, victim, suspect, **chosen, only=only, look=look, reveal=reveal)


def suspects(pairs: DataFrame, victim: str) -> list[str]:
    """The suspects of a victim: stolen ones, unrelated ones, hard ones, each from those that agree with it most.

    The victim itself comes last among the stolen ones: it agrees with itself.
    """
    own = pairs[pairs["victim"] == victim]
    order = own["kind"].map({"positive": 0, "suspect": 0, "negative": 1, "hard": 2}) + 0.5 * (own["suspect"] == victim)
    return own.assign(order=order).sort_values(["order", "delta"], kind="stable")["suspect"].unique().tolist()


def finding(bench: str, chosen: Choice, both: Sequence[Side]) -> str:
    """What the suspect does, and where the bank knows it what models of the other kind do on the same queries."""
    pairs, bank, budget = cached.pairs(bench), cached.bank(bench), chosen.left.budget
    own = pairs[pairs["victim"] == chosen.victim]
    kind = own.loc[own["suspect"] == chosen.suspect, "kind"].iloc[0]
    said = findings.queries.headline(*(side.queries for side in both), budget, kind)
    known = [side for side in both if query_sets.is_banked(bank, side.asked.sampler, chosen.victim) and len(side.queries)]
    others = own.loc[own["kind"] == ("negative" if kind in ("positive", "suspect") else "positive"), "suspect"]
    others = others[others != chosen.victim].unique().tolist()
    if not known or not others:
        return said
    queries = max((side.queries for side in known), key=lambda queries: queries.story == "mistakes")
    mean = query_sets.shared(bank, queries, chosen.victim, others, budget)
    return said + findings.queries.beside(queries.story, kind, mean, min(budget, len(queries)))


def subline(bench: str, chosen: Choice) -> str:
    """Who the suspect is, and whether both sides start from the same seed images."""
    pairs = cached.pairs(bench)
    pair = pairs[(pairs["victim"] == chosen.victim) & (pairs["suspect"] == chosen.suspect)].iloc[0]
    return findings.queries.subline(
        pair["kind"], list(pair["tasks"]), chosen.left.sampler, chosen.right.sampler, chosen.left.budget
    )


def page(rows: int, per_page: int, *, whole: bool) -> int:
    """Which page of cards, counted from 0.

    Args:
        whole: all rows are known; until then the page that a link asks for is kept.
    """
    pages, asked = max(1, -(-rows // per_page)), st.query_params.get("page", "")
    if not whole and asked.isdecimal() and len(asked) < 4:
        pages = max(pages, int(asked))
    if "page" not in st.session_state:
        links.check("page", range(1, pages + 1), "page")
    elif st.session_state["page"] > pages:
        st.session_state["page"] = pages
    return st.pagination(pages, key="page", **controls.LINKED) - 1
