"""The Benchmark page's images: some of every class, and where in its photograph each lies, if in any."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw
from streamlit.delta_generator import DeltaGenerator

from pages.ui import cached, export
from qurd_core.benchmarks.photographs import photograph
from qurd_core.findings.language import again
from qurd_core.findings.language.words import percent
from qurd_core.plots.drawing.theme import STOLEN, Style
from qurd_core.records.bank import Bank, Ints
from qurd_core.views import contents

SHOWN, COLUMNS = 6, 3  # images of a class, in so many columns
GAP = 2  # pixels between them
THUMB = 220  # pixels of the longer side of a photograph


def show(bench: str, style: Style, others: Sequence[DeltaGenerator], say: Callable[[str, str], None]) -> None:
    """Draw the section, and say its headline with the line under it."""
    bank = cached.bank(bench)
    items, right = contents.samples(bank, SHOWN), contents.recognised(bank)
    hardest, easiest = min(right, key=right.__getitem__), max(right, key=right.__getitem__)
    number, side = f"{len(bank.truth):,}".replace(",", " "), bank.pictures(next(iter(items.values()))).shape[1]
    cut = bank.places is not None
    made = ", a photograph each; from blocks that no model has seen. Frames: where the patches were cut" if cut else ""
    shown = bank.look is None or bank.look.pixels is not None
    what = ("patches" if cut else "images") + f" of {side} x {side} pixels" if shown else "items without a picture"
    say(
        f"The victims classify {percent(right[easiest])} of class {easiest} correctly, but only {percent(right[hardest])} of"
        f" {hardest}"
        if not shown
        else f"The victims classify {percent(right[easiest])} of the {easiest} images correctly, "
        f"but only {percent(right[hardest])} of {hardest}",
        f"{number} test {what}, {len(bank.classes)} classes{made}. Percent: right answers, mean of the victims",
    )
    code = again.code(
        again.call("contents.images", again.call("evidence.bank", bench)), "records.evidence", "views.contents"
    )
    export.offer(contents.images(bank), f"images-{bench}", again.Again("", code, again.NO_COMMAND))
    cards = "".join(_card(bank, name, some, right[name], style) for name, some in items.items())
    look = _LOOK.format(muted=style.surface.muted, border=style.surface.border)
    st.html(f'{look}<div class="classes{"" if cut else " plain"}">{cards}</div>')


def _card(bank: Bank, name: str, items: Ints, right: float, style: Style) -> str:
    pictures = _strip(bank.pictures(items), name)
    if bank.places is not None:
        pictures = _places(bank, name, items, style.colour(STOLEN)) + pictures
    title = f"<b>{escape(name)}</b> <small>{percent(right)}</small>"
    return f"<figure><figcaption>{title}</figcaption><div>{pictures}</div></figure>"


def _strip(images: np.ndarray, name: str) -> str:
    """Images side by side."""
    side = images.shape[1]
    rows = -(-len(images) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * (side + GAP) - GAP, rows * (side + GAP) - GAP), (0, 0, 0, 0))
    for number, pixels in enumerate(images):
        row, column = divmod(number, COLUMNS)
        sheet.paste(Image.fromarray(pixels), (column * (side + GAP), row * (side + GAP)))
    return f'<img class="strip" src="{_data(sheet, "PNG")}" alt="{len(images)} test images of {escape(name)}">'


def _places(bank: Bank, name: str, items: Ints, colour: str) -> str:
    """The photograph of a class, with a frame where each image was cut."""
    source = Image.fromarray(photograph(name))
    ratio = THUMB / max(source.size)
    thumb = source.resize([round(ratio * length) for length in source.size])
    pen = ImageDraw.Draw(thumb)
    for spot in map(bank.place, items):
        top, left, side = (spot[edge] for edge in ("top", "left", "side"))
        pen.rectangle([ratio * edge for edge in (left, top, left + side, top + side)], outline=colour, width=2)
    told = f"the photograph of {escape(name)} with the places of the patches"
    return f'<img src="{_data(thumb, "JPEG", quality=85)}" alt="{told}">'


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
.classes:not(.plain) img:first-child {{ height: 5.4rem; }}
.classes .strip {{ height: 7.4rem; image-rendering: pixelated; }}
.classes.plain .strip {{ height: auto; width: 100%; }}
.classes small {{ color: {muted}; font-size: inherit; }}
</style>
"""
