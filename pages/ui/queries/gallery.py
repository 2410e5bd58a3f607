"""Query cards: the image in its photograph, what was made of it, and what victim and suspect say."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui import cached
from pages.ui.queries.sides import Asked, Side
from qurd_core import findings, plots
from qurd_core.benchmarks.photographs import CLASSES
from qurd_core.findings.language import words
from qurd_core.plots.drawing.theme import Style
from qurd_core.schemes import RANDOM, Scheme
from qurd_core.views.query_sets import Array, QuerySet

MASKED = 3  # masked images that a card shows
_INSTEAD = str(Scheme.parse(RANDOM).sampler)  # of a sampler that gives nothing


def look(style: Style, rows: int, *, placed: bool) -> None:
    """The style of the cards, and the photographs, each once however many cards show it.

    Args:
        rows: of cards below one another on stage.
        placed: images were cut out of photographs; others have their room.
    """
    surface = style.surface
    photographs = "".join(
        f".photo-{name}{{aspect-ratio:{'/'.join(map(str, plots.pictures.shape(name)))};"
        f"background-image:url({plots.pictures.thumbnail(name)})}}"
        for name in (CLASSES if placed else ())
    )
    sizes = _STAGE.replace("ROWS", str(rows)) if style.stage else _PAGE if placed else _LARGE
    colours = f":root{{{sizes}--muted:{surface.muted};--line:{surface.border};--ink:{surface.ink};--panel:{surface.panel}}}"
    st.html(f"<style>{colours}{_LOOK}{photographs}</style>")


def cards(
    side: Side, name: str, numbers: list[int], looked: Mapping[int, Array], choose: Callable[[str, Asked, int], None]
) -> None:
    """A grid of cards; a click on one opens it large.

    Args:
        name: of the side, in keys.
        numbers: of the cards, -1 for an empty place.
        looked: card to where the victim looked.
        choose: called for the card that is to be shown large.
    """
    facts = side.queries.facts(side.asked.budget)
    if not len(side.queries):
        empty(name)
        return
    if not any(number >= 0 for number in numbers):
        st.html('<div class="card none">Nothing more on this side</div>')
        return
    last = max(place for place, number in enumerate(numbers) if number >= 0)
    with st.container(key=f"cards-{name}"):
        for place, number in enumerate(numbers[: last + 1]):
            if number < 0:
                st.html('<div class="card none">No query came of this seed image</div>')
                continue
            fact = facts.iloc[number]
            with st.container(key=f"card-{name}-{place}", gap=None):
                st.html(card(side.queries, fact, looked.get(number)))
                st.button(
                    f"Look closely at query {number + 1}",
                    key=f"open-{name}-{place}",
                    width="stretch",
                    on_click=choose,
                    args=[name, side.asked, number],
                )


def card(queries: QuerySet, fact: pd.Series, weight: Array | None = None) -> str:
    """One card as HTML."""
    found = pictures(queries, fact, weight)
    shown = place(fact) + "".join(picture(*one) for one in found)
    faded, beyond = ("", "") if fact["kept"] else (" faded", '<span class="muted"> · beyond the budget</span>')
    row = f'<div class="row">{shown}</div><p>{verdict(queries, fact)}{beyond}</p>'
    return f'<div class="card{faded}" style="{room(fact, len(found))}">{row}</div>'


def room(fact: Mapping[str, Any], shown: int) -> str:
    """How many squares share the width of a card: its pictures, and one and a half for a photograph."""
    return f"--n:{shown};--w:{shown + 1.5 * bool(fact['photograph'])}"


def place(fact: Mapping[str, Any]) -> str:
    """The photograph with the outline of the patch; nothing for noise."""
    name = fact["photograph"]
    if not name:
        return ""
    left, top, width, height = plots.pictures.spot(name, *(int(fact[side]) for side in ("top", "left", "side")))
    box = f"left:{left:.1f}%;top:{top:.1f}%;width:{width:.1f}%;height:{height:.1f}%"
    return _figure(f'<div class="photo photo-{escape(name)}"><i style="{box}"></i></div>', "place", "where")


def pictures(queries: QuerySet, fact: pd.Series, weight: Array | None = None) -> list[tuple[str, str]]:
    """Addresses and captions of the pictures of a card."""
    main = fact["main"]
    seed, query = queries.seed_pixels[main], queries.pixels[main]
    found = [(query, "query")]
    if queries.story == "adversarial":
        found = [
            (seed, "seed"),
            (query, "query"),
            (plots.pictures.difference(query, seed), f"change ×{plots.pictures.AMPLIFIED}"),
        ]
    elif queries.story == "blended" and is_blend(queries, main):
        box = tuple(map(int, queries.more["box"][main]))
        found = [
            (seed, "seed"),
            (queries.more["partner_pixels"][main], "partner"),
            (plots.pictures.boxed(query, box), "query"),
        ]
    elif queries.story == "masked":
        segments = queries.more["segments"][fact["card"]]
        rows = range(fact["first"] + 1, min(fact["first"] + 1 + MASKED, fact["last"] + 1))
        found = [(plots.pictures.cut_up(seed, segments), "superpixels"), *((queries.pixels[row], "query") for row in rows)]
    if weight is not None:
        found = [*found[:2], (plots.pictures.looked(query, weight), "looked at")]
    return [(plots.pictures.address(pixels), caption) for pixels, caption in found]


def is_blend(queries: QuerySet, row: int) -> bool:
    """Whether an image was blended with another: the seeds themselves go first."""
    left, top, right, bottom = queries.more["box"][row] if "box" in queries.more else (0,) * 4
    return bool(right > left and bottom > top)


def picture(source: str, caption: str) -> str:
    """One picture with its caption as HTML."""
    return _figure(f'<img src="{source}" alt="{caption}">', caption)


def verdict(queries: QuerySet, fact: pd.Series) -> str:
    """What is true, what the victim says, and whether the suspect says the same."""
    truth = f'<span class="muted">truth</span> {_label(queries, fact["truth"])}' if fact["truth"] >= 0 else ""
    agrees = mark(bool(fact["agrees"]))
    if queries.story == "masked":
        n = fact["last"] - fact["first"] + 1
        return f'{truth}<br><span class="muted">suspect agrees on</span> <b>{round(fact["agreeing"] * n)} of {n}</b>'
    own, other = (_label(queries, fact[who]) for who in ("victim", "suspect"))
    if queries.story == "adversarial" and fact["victim"] != fact["victim_on_seed"]:
        own = f"{_label(queries, fact['victim_on_seed'])} → {own}"
    elif queries.story == "adversarial":
        own = f"{own} (not moved)"
    said = f'<span class="muted">victim</span> {own}<br><span class="muted">suspect</span> {other} {agrees}'
    return f"{truth} · {said}" if truth else said


def mark(agrees: bool) -> str:
    """Agreement by glyph and word."""
    return "<span class='yes'>✓ agrees</span>" if agrees else "<b class='no'>✗ disagrees</b>"


def empty(name: str) -> None:
    """A side whose sampler gives nothing: why, and a sampler that gives something."""
    with st.container(border=True):
        st.markdown("The victim makes no mistake on these images, so this sampler gives no query.")
        taken = {"on_click": st.session_state.update, "args": [{name: _INSTEAD}]}
        st.button(f"Show {words.sampler(_INSTEAD)}", key=f"instead-{name}", **taken)


def title(side: Side, reveal: str) -> None:
    """The sampler above its cards, with the number of queries that the budget buys and the schemes that send them."""
    said = [] if side.queries is None else [f"{_bought(side)} of {side.asked.budget} queries"]
    if side.queries is not None and side.queries.story == "blended":
        blends = [row for row in range(len(side.queries)) if is_blend(side.queries, row)]
        said += [f"blends from query {blends[0] + 1} on" if blends else "seed images go first, blends need more queries"]
    notes, name = " · ".join(said), escape(words.sampler(side.asked.sampler))
    senders = escape(findings.queries.senders(cached.schemes(), side.asked.sampler, reveal))
    st.html(f"<p class='sampler'><b>{name}</b> <span class='muted'>{notes}</span><small>{senders}</small></p>")


def _bought(side: Side) -> int:
    facts = side.queries.facts(side.asked.budget)
    return int(facts.loc[facts["kept"], "last"].max() + 1) if facts["kept"].any() else 0


def _label(queries: QuerySet, label: int) -> str:
    return f"<b>{escape(queries.classes[label])}</b>"


def _figure(inside: str, caption: str, kind: str = "") -> str:
    return f'<figure class="{kind}">{inside}<figcaption>{caption}</figcaption></figure>'


_LARGE = "--grid:1fr 1fr;--most:8rem;--text:.85rem;--told:5.5rem;"  # images that have no photograph beside them
_PAGE = "--grid:1fr 1fr;--most:5.2rem;--text:.85rem;--told:3.6rem;"
# The cards and their pages, or five of discriminative images, fit below a headline of two lines, above a step's sentence.
_STAGE = (
    "--senders:none;--grid:1fr;--most:clamp(3.5rem, calc((100vh - 34rem) / ROWS), 13rem);--text:1.05rem;"
    "--told:clamp(3rem, calc((100vh - 28.5rem) / 5), 4.6rem);"
)
_LOOK = """
[class*="st-key-cards-"] { display: grid !important; grid-template-columns: var(--grid); gap: .6rem; }
[class*="st-key-card-"] { position: relative; }
[class*="st-key-card-"] [data-testid="stElementContainer"]:has(button) { position: absolute !important; inset: 0; }
[class*="st-key-card-"] [data-testid="stButton"], [class*="st-key-card-"] button { width: 100% !important; height: 100%; }
[class*="st-key-card-"] button { background: none !important; border-color: transparent; color: transparent !important; }
[class*="st-key-card-"] button:hover, [class*="st-key-card-"] button:focus-visible { border-color: var(--ink); }
[class*="st-key-card-"] button p { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.card { border: 1px solid var(--line); border-radius: .6rem; padding: .5rem .6rem .4rem; height: 100%; }
.card { box-sizing: border-box; }
.card { container-type: inline-size; }
.card .row { --h: min(var(--most), calc((100cqw - .35rem * var(--n)) / var(--w))); display: flex; gap: .35rem; }
.card figure { margin: 0; }
.card figcaption { color: var(--muted); font-size: .72rem; line-height: 1.3; text-align: center; white-space: nowrap; }
.card img { height: var(--h); aspect-ratio: 1; image-rendering: pixelated; border-radius: .25rem; display: block; }
.card img { outline: 1px solid var(--line); outline-offset: -1px; }
.card p { margin: .3rem 0 0; font-size: var(--text); line-height: 1.35; }
.card .muted, .muted { color: var(--muted); }
.card.faded .row { opacity: .3; }
.card.none { color: var(--muted); display: grid; place-items: center; border-style: dashed; min-height: 6rem; }
.card.none { font-size: .85rem; }
.card.large { border: 0; padding: 0; }
.card.large .row { --h: min(12rem, calc((100cqw - .35rem * var(--n)) / var(--w))); }
.card.tiles { border: 0; padding: 0; }
.card.tiles .row { --h: 4rem; flex-wrap: wrap; }
.bars { width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
.bars th { text-align: left; color: var(--muted); font-weight: 400; }
.bars td { padding: .12rem .3rem .12rem 0; width: 42%; white-space: nowrap; }
.bars td:first-child { width: 16%; }
.bars i { display: inline-block; height: .75rem; min-width: 1px; background: var(--ink); vertical-align: middle; }
.bars i.suspect { background: repeating-linear-gradient(135deg, var(--ink) 0 2px, transparent 2px 5px); outline: 1px solid; }
.no, .yes { white-space: nowrap; }
.photo { position: relative; background-size: cover; border-radius: .25rem; height: var(--h); }
.photo i { position: absolute; outline: 2px solid #FFF; box-shadow: 0 0 0 3px #000; box-sizing: border-box; }
.sampler { margin: 0; font-size: 1.05rem; }
.sampler small { display: var(--senders, block); color: var(--muted); font-size: .85rem; }
.skeletons { display: grid; grid-template-columns: var(--grid); gap: .6rem; }
.skeleton { height: 8.3rem; border-radius: .6rem; background: var(--panel); animation: wait 1.4s ease-in-out infinite; }
@keyframes wait { 50% { opacity: .45; } }
"""
