"""The palette holds for colour-blind eyes and against its background."""

import itertools

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.theme import (
    GLYPHS,
    PIN_SYMBOLS,
    SCHEMES,
    STOLEN,
    SURFACES,
    UNRELATED,
    UNRELATED_TEXT,
    Style,
    faded,
)
from qurd_core.plots.leaderboard import FAINT
from qurd_core.schemes import NAMED, ORDER, VARIANTS

# Machado, Oliveira, Fernandes 2009, severity 1, for linear RGB.
EYES = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
CORE = ("AKH", "Random", "SAC", "ModelDiff", "IPGuard", "ZestOfLIME")


def linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def seen(colour: str, eye: str) -> np.ndarray:
    """The colour in CIELAB as this eye sees it."""
    light = (np.array(EYES[eye]) @ linear(colour)).clip(0, 1)
    return rgb2lab(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def nearest(colours: list[str]) -> float:
    pairs = itertools.product(EYES, itertools.combinations(colours, 2))
    return min(float(deltaE_ciede2000(seen(one, eye), seen(other, eye))) for eye, (one, other) in pairs)


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("mode", "core", "every", "pair"), [("light", 15.0, 10.0, 33), ("dark", 14.0, 8.8, 23)])
def test_colours_stay_apart_for_every_eye(mode, core, every, pair):
    paints = {name: getattr(mark.paint, mode) for name, mark in SCHEMES.items() if name not in VARIANTS}
    assert nearest([paints[name] for name in CORE]) > core
    assert nearest(list(paints.values())) > every
    assert nearest([getattr(STOLEN, mode), getattr(UNRELATED, mode)]) > pair


def hue(colour: str) -> float:
    """Degrees in CIELAB."""
    _, a, b = seen(colour, "normal")
    return float(np.degrees(np.arctan2(b, a)))


@pytest.mark.parametrize("name", ["SAC", "FBI", "ModelDiff", "IPGuard", "ZestOfLIME"])
def test_a_scheme_keeps_its_colour_between_light_and_dark(name):
    """Nor does it take one that another scheme has in the other mode."""
    turns = {
        other: abs((hue(SCHEMES[name].paint.light) - hue(mark.paint.dark) + 180) % 360 - 180)
        for other, mark in SCHEMES.items()
        if other in ("SAC", "FBI", "ModelDiff", "IPGuard", "ZestOfLIME")
    }
    assert min(turns, key=turns.__getitem__) == name and turns[name] <= 15


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_scheme_stands_out_from_its_background(mode):
    surface = SURFACES[mode]
    for name, mark in SCHEMES.items():
        assert contrast(getattr(mark.paint, mode), surface.background) >= 3, name
    for text in (surface.muted, getattr(STOLEN, mode), getattr(UNRELATED_TEXT, mode)):
        assert contrast(text, surface.background) >= 4.5
    assert contrast(surface.ink, surface.background) >= 7


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_name_in_a_chart_can_be_read_also_where_it_is_weak(mode):
    style = Style(mode)
    for name in SCHEMES:
        for strength in (1.0, FAINT):
            shade = style.legible(style.mark(name)[0], strength)
            assert contrast(shade, style.surface.background) >= 4.5, name
    assert style.legible(style.mark("AKH")[0]) == style.mark("AKH")[0], "what can be read stays as it is"


def test_no_two_schemes_share_a_marker():
    assert len({mark.symbol for mark in SCHEMES.values()}) == len(SCHEMES)


def test_a_variant_has_the_colour_of_its_scheme_and_a_hollow_marker():
    for variant, scheme in VARIANTS.items():
        assert SCHEMES[variant].paint == SCHEMES[scheme].paint
        assert SCHEMES[variant].symbol.startswith(f"{SCHEMES[scheme].symbol}-open")
        assert SCHEMES[variant].dash != SCHEMES[scheme].dash


def test_every_marker_of_a_chart_can_be_written():
    assert {SCHEMES[name].symbol for name in ORDER if name in NAMED} <= set(GLYPHS)


def test_pinned_mixes_take_markers_in_order_and_no_colour():
    style, pins = Style("dark"), ("b | c | d", "SAC", "a | c | d")
    assert [style.mark(pin, pins)[1] for pin in pins] == [PIN_SYMBOLS[0], "circle", PIN_SYMBOLS[1]]
    assert style.mark(pins[0], pins)[0] == SURFACES["dark"].muted
    assert set(PIN_SYMBOLS) < set(GLYPHS)


def test_stage_is_larger_in_everything():
    page, stage = Style(), Style(stage=True)
    assert (stage.text, stage.height) == (24, 800)
    assert stage.line > page.line
    assert stage.marker > page.marker


def test_names_are_data():
    assert plain("<b>&</b>") == "&lt;b&gt;&amp;&lt;/b&gt;"
    assert faded("#FF8000", 0.5) == "rgba(255,128,0,0.5)"
