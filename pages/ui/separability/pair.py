"""One pair of models: where the two differ, and which mistakes they share."""

from html import escape
from typing import Any

import streamlit as st
from pandas import DataFrame

from pages.ui import cached, controls, links
from qurd_core import plots
from qurd_core.akh import official
from qurd_core.findings.language import words
from qurd_core.plots.bound import KINDS
from qurd_core.plots.drawing.theme import Style
from qurd_core.records import evidence, rate_records
from qurd_core.records.bank import Bank
from qurd_core.views.differences import SharedMistake, by_class, shared_mistakes
from qurd_core.views.separability import Pick

CHART = "apart"  # key of the chart whose marks are clicked
MISTAKES = 4  # kinds of shared mistakes that are shown
SHOWN = 8  # images of each


def choose(pairs: DataFrame, style: Style) -> Pick | None:
    """The pair that was clicked in the chart or is chosen here."""
    victims = list(dict.fromkeys(pairs["victim"]))
    with st.container(key="pairing"):
        left, right = st.columns([1, 2], gap="medium")
    if style.stage:
        st.html("<style>.st-key-pairing { display: none }</style>")
    with left:
        victim = controls.model("Victim", victims, "victim", "victim")
    suspects = pairs.loc[pairs["victim"] == victim, "suspect"].tolist()
    with right:
        hint = "Click a mark in the chart, or choose a model"
        suspect = controls.model("Suspect", suspects, "pair", "suspect", index=None, placeholder=hint)
    return Pick(victim, suspect) if suspect else None


def take() -> None:
    """Choose the pair whose mark was clicked in the chart, or let it go."""
    points = st.session_state[CHART].selection.points
    if not points:
        return
    victim, suspect, benchmark = points[0]["customdata"]
    again = (st.session_state.get("victim"), st.session_state.get("pair")) == (victim, suspect)
    st.session_state.update(
        {"victim": victim, "pair": None if again else suspect} | ({"bench": benchmark} if benchmark else {})
    )


def make_room() -> None:
    """Lower the chart, so that the pair is seen without scrolling."""
    st.html("<style>div:has(> .st-key-hero) { flex-basis: clamp(21rem, calc(100vh - 36rem), 50rem) !important; }</style>")


def show(benchmark: str, pick: Pick, style: Style) -> None:
    """Facts, distances per class, and the commonest shared mistakes."""
    pairs = cached.pairs(benchmark)
    row = pairs[(pairs["victim"] == pick.victim) & (pairs["suspect"] == pick.suspect)].iloc[0]
    if evidence.base_of(benchmark) in rate_records.PUBLISHED:
        st.markdown(_facts(row))
        st.caption("On which images the two models differ was not published, only how often.")
        return
    bank = cached.bank(benchmark)
    st.html(_LOOK.format(muted=style.surface.muted, border=style.surface.border, ink=style.surface.ink))
    left, right = st.columns([1, 1.15], gap="large")
    with left:
        st.markdown(_facts(row))
        st.html(_classes(by_class(bank, *pick), style.colour(KINDS[row["kind"]].paint)))
    with right:
        found = shared_mistakes(bank, *pick, most=MISTAKES)
        wrong = int((bank.of(pick.victim) != bank.truth).sum())
        st.markdown(
            f"**Commonest shared mistakes**, of {words.counted(wrong, 'mistake')} of the victim"
            if found
            else "**The suspect repeats no mistake of the victim**"
        )
        cut = bool(found) and bank.places is not None
        places = cut and st.toggle("Show the patches in their photographs", key="places")
        st.html("".join(_mistake(one, bank, places=places) for one in found))


def _facts(row: DataFrame) -> str:
    """The pair in two lines."""
    kind = KINDS[row["kind"]].name
    tasks = words.tasks(row["tasks"]) if len(row["tasks"]) < 3 else words.counted(len(row["tasks"]), "task")
    right = (
        f"right on {words.percent(row['accuracy_victim'])} (victim) and {words.percent(row['accuracy_suspect'])} (suspect)"
    )
    bound = f"{row['bound']:.3f}".replace("-", "−")
    apart = f"δ **{row['delta']:.3f}** · δ\\_C **{row['delta_c']:.3f}** = bound {bound} + slack {row['slack']:.3f}"
    apart += f" · by the authors’ formula {official(row['delta_c'], row['accuracy_victim']):.3f}"
    return f"**{kind}** · {links.plain(tasks)} · {right}  \n{apart}"


def _classes(rows: DataFrame, colour: str) -> str:
    """A table with a bar for delta and one for delta_C per class."""
    head = "<tr><th>Class</th><th>δ: all images</th><th>δ<sub>C</sub>: where the victim is wrong</th></tr>"
    body = "".join(_class(row, colour) for row in rows.itertuples())
    return f'<table class="classes"><thead>{head}</thead><tbody>{body}</tbody></table>'


def _class(row: tuple, colour: str) -> str:
    whole = _bar(row.delta, row.differ, row.images, colour)
    wrong = _bar(row.delta_c, row.differ_wrong, row.wrong, colour) if row.wrong else "<small>no mistake</small>"
    return f"<tr><td>{escape(row.name)}</td><td>{whole}</td><td>{wrong}</td></tr>"


def _bar(share: float, number: int, total: int, colour: str) -> str:
    """A share as a bar, with the counts that it comes from."""
    bar = f'<i><u style="width:{100 * share:.1f}%;background:{colour}"></u></i>'
    return f"{bar}<b>{words.percent(share)}</b> <small>{number} of {total}</small>"


def _mistake(one: SharedMistake, bank: Bank, *, places: bool) -> str:
    """A sentence, the images, and where they lie in their photograph."""
    said = f"Both models call {escape(one.truth)} <b>{escape(one.answer)}</b>: {one.repeated} of {one.made} times"
    shown = one.images[:SHOWN]
    images = "".join(
        f'<img src="{plots.pictures.address(pixels)}" alt="image of {escape(one.truth)}">' for pixels in bank.pictures(shown)
    )
    more = f"<small>and {one.repeated - SHOWN} more</small>" if one.repeated > SHOWN else ""
    spots = [bank.place(item) for item in shown] if places else []
    where = "".join(_photograph(name, spots) for name in dict.fromkeys(spot["photograph"] for spot in spots))
    return f'<div class="mistake">{said}<div>{images}{more}</div>{where}</div>'


def _photograph(name: str, spots: list[dict[str, Any]]) -> str:
    """A photograph with the patches outlined."""
    boxes = ""
    for spot in (spot for spot in spots if spot["photograph"] == name):
        x, y, width, height = plots.pictures.spot(name, spot["top"], spot["left"], spot["side"])
        boxes += f'<s style="left:{x:.2f}%;top:{y:.2f}%;width:{width:.2f}%;height:{height:.2f}%"></s>'
    picture = f'<img src="{plots.pictures.thumbnail(name)}" alt="the photograph of {escape(name)}, patches outlined">'
    return f'<div class="photograph">{picture}{boxes}</div>'


_LOOK = """
<style>
.classes {{ width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }}
.classes th {{ color: {muted}; font-weight: 400; text-align: left; }}
.classes td, .classes th {{ padding: .18rem .4rem .18rem 0; border-bottom: 1px solid {border}; white-space: nowrap; }}
.classes i {{ display: inline-block; width: 5.5rem; height: .7rem; margin-right: .5rem; background: {border}; }}
.classes u {{ display: block; height: 100%; }}
.classes b {{ display: inline-block; width: 2.6rem; text-align: right; }}
.classes small, .mistake small {{ color: {muted}; font-size: inherit; }}
.mistake {{ margin-bottom: .7rem; }}
.mistake div:not(.photograph) {{ display: flex; flex-wrap: wrap; gap: .35rem; align-items: center; margin-top: .2rem; }}
.mistake div:not(.photograph) > img {{ width: 64px; height: 64px; image-rendering: pixelated; border: 1px solid {border}; }}
.photograph {{ position: relative; width: 20rem; margin-top: .4rem; }}
.photograph img {{ width: 100%; display: block; }}
.photograph s {{ position: absolute; outline: 2px solid #FFFFFF; box-shadow: 0 0 0 3px #14181F; }}
</style>
"""
