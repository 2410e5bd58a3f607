"""The Benchmark page's images: test patches of every class, and where in its photograph they lie."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO

import streamlit as st
from PIL import Image, ImageDraw
from streamlit.delta_generator import DeltaGenerator

from pages.ui import cached, export
from qurd_core.benchmarks.photographs import SIDE, cut, photograph, photograph_names
from qurd_core.findings.language import again
from qurd_core.plots.drawing.theme import STOLEN, Style
from qurd_core.views import contents

SHOWN = 6  # patches of a class
THUMB = 220  # pixels of the longer side of a photograph

Place = Sequence[int]


def show(bench: str, style: Style, others: Sequence[DeltaGenerator], say: Callable[[str, str], None]) -> None:
    """Draw the section, and say its headline with the line under it."""
    bank = cached.bank(bench)
    places, right = contents.samples(bank, SHOWN), contents.recognised(bank)
    hardest, easiest = min(right, key=right.__getitem__), max(right, key=right.__getitem__)
    number = f"{len(bank.truth):,}".replace(",", " ")
    say(
        f"The victims classify {right[easiest]:.0%} of the {easiest} patches correctly, "
        f"but only {right[hardest]:.0%} of {hardest}",
        f"{number} test patches of {SIDE} x {SIDE} pixels, {len(bank.classes)} classes, a photograph each; "
        "from blocks that no model has seen. Frames: where the patches were cut. "
        "Percent: right answers, mean of the victims",
    )
    code = again.code(
        again.call("contents.places", again.call("evidence.bank", bench)), "records.evidence", "views.contents"
    )
    export.offer(contents.places(bank), f"patches-{bench}", again.Again("", code, again.NO_COMMAND))
    cards = "".join(_card(name, some, right[name], style) for name, some in places.items())
    st.html(f'{_LOOK.format(muted=style.surface.muted, border=style.surface.border)}<div class="classes">{cards}</div>')


def _card(name: str, places: Sequence[Place], right: float, style: Style) -> str:
    thumb, strip = _pictures(name, tuple(map(tuple, places)), style.colour(STOLEN))
    return (
        f"<figure><figcaption><b>{escape(name)}</b> <small>{right:.0%}</small></figcaption><div>"
        f'<img src="{thumb}" alt="the photograph of {escape(name)} with the places of the patches">'
        f'<img class="strip" src="{strip}" alt="{len(places)} test patches of {escape(name)}"></div></figure>'
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _pictures(name: str, places: tuple[tuple[int, ...], ...], colour: str) -> tuple[str, str]:
    """The photograph with frames, and the patches side by side, as data for `img`."""
    source = Image.fromarray(photograph(name))
    ratio = THUMB / max(source.size)
    thumb = source.resize([round(ratio * length) for length in source.size])
    pen = ImageDraw.Draw(thumb)
    strip = Image.new("RGBA", (SHOWN // 2 * (SIDE + 2) - 2, 2 * SIDE + 2), (0, 0, 0, 0))
    for number, (owner, top, left, side, turn) in enumerate(places):
        box = [ratio * edge for edge in (left, top, left + side, top + side)]
        pen.rectangle(box, outline=colour, width=2)
        patch = Image.fromarray(cut(photograph_names()[owner], top, left, side, turn))
        strip.paste(patch, (number % (SHOWN // 2) * (SIDE + 2), number // (SHOWN // 2) * (SIDE + 2)))
    return _data(thumb, "JPEG", quality=85), _data(strip, "PNG")


def _data(picture: Image.Image, kind: str, **options: int) -> str:
    written = BytesIO()
    picture.save(written, kind, **options)
    return f"data:image/{kind.lower()};base64,{b64encode(written.getvalue()).decode()}"


_LOOK = """
<style>
.classes {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(max(9rem, 18%), 1fr)); gap: .7rem; }}
.classes figure {{ margin: 0; padding: .4rem .7rem .7rem; border: 1px solid {border}; border-radius: .6rem; }}
.classes figure div {{ display: flex; flex-direction: column; gap: .4rem; }}
.classes img {{ border-radius: .2rem; max-width: 100%; object-fit: contain; object-position: left; }}
.classes img:first-child {{ height: 5.4rem; }}
.classes .strip {{ height: 7.4rem; image-rendering: pixelated; }}
.classes small {{ color: {muted}; font-size: inherit; }}
</style>
"""
