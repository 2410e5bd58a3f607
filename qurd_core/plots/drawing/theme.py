"""One look for all charts: colour, marker and dash per scheme, surfaces of both modes, sizes of page and stage."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import plotly.graph_objects as go

from qurd_core.schemes import VARIANTS

Mode = Literal["light", "dark"]


class Paint(NamedTuple):
    """One colour in both modes."""

    light: str
    dark: str


class Mark(NamedTuple):
    """How the line of a scheme looks."""

    paint: Paint
    symbol: str
    dash: str = "solid"


# Checked by a test: how far apart they stay for colour-blind eyes, and from the background. Names stay the same everywhere.
SCHEMES = {
    "AKH": Mark(Paint("#14181F", "#F4F6FA"), "diamond", "dash"),
    "Random": Mark(Paint("#868C96", "#858D9A"), "x", "dot"),
    "SAC": Mark(Paint("#C2410C", "#BD4D12"), "circle"),
    "ModelDiff": Mark(Paint("#0B4F9E", "#ABC3FF"), "square"),
    "IPGuard": Mark(Paint("#A65AF5", "#B06CFA"), "triangle-up"),
    "ZestOfLIME": Mark(Paint("#00966B", "#2FB574"), "star"),
    "FBI": Mark(Paint("#C08A0D", "#F9BF24"), "hexagon"),
    "ModelGif": Mark(Paint("#716F44", "#CCD586"), "cross", "dashdot"),
    "MetaV": Mark(Paint("#004433", "#4BFAC7"), "star-square"),
    "DeepJudge": Mark(Paint("#7995BF", "#3F7BAE"), "pentagon"),
    "FCAE": Mark(Paint("#5E245D", "#E222BE"), "triangle-down", "longdash"),
    "AFA-like": Mark(Paint("#8B1A40", "#9F6778"), "triangle-left", "longdash"),
    "hinge-probe": Mark(Paint("#F1536F", "#EC0056"), "triangle-right", "longdash"),
    "FUAP": Mark(Paint("#2F7591", "#80CBC7"), "hourglass"),
    "DeepFoolF": Mark(Paint("#A30A03", "#E37935"), "bowtie", "longdash"),
    "SSF": Mark(Paint("#824F65", "#AD9FCB"), "hexagram", "dashdot"),
}
# A variant looks like its scheme, hollow: they stand beside each other, and are told apart by name.
for _name, _known in VARIANTS.items():
    _paint, _symbol, _ = SCHEMES[_known]
    _first = next(name for name, known in VARIANTS.items() if known == _known) == _name
    SCHEMES[_name] = Mark(_paint, f"{_symbol}-open", "dash") if _first else Mark(_paint, f"{_symbol}-open-dot", "dot")
OTHERS = Paint("#C3C9D3", "#59637A")
STOLEN, UNRELATED = Paint("#B5123E", "#FF8FAB"), Paint("#7C93A8", "#3F6C99")
SUSPECT = Paint("#8A5A00", "#FFC857")
UNRELATED_TEXT = Paint("#566F86", "#7FA9D1")  # the same, legible as text

# From little to much, for tiles and counts.
HEAT = {"light": ("#F2F5FA", "#A9C1E8", "#3F72C4", "#0B2F6B"), "dark": ("#182238", "#2B4479", "#4F7FD6", "#CFE0FF")}

# Pinned mixes have no colour of their own, so that no chart holds more than the colours that were checked together.
PIN_SYMBOLS = ("circle-open", "square-open", "diamond-open", "triangle-up-open", "triangle-down-open", "star-diamond-open")


# The same marks in running text.
GLYPHS = {
    "diamond": "◆",
    "x": "✖",
    "circle": "●",
    "square": "■",
    "triangle-up": "▲",
    "star": "★",
    "hexagon": "⬢",
    "cross": "✚",
    "pentagon": "⬟",
    "triangle-left": "◀",
    "triangle-right": "▶",
    "bowtie": "⧓",
    "hexagram": "✶",
    "circle-open": "○",
    "square-open": "□",
    "diamond-open": "◇",
    "triangle-up-open": "△",
    "triangle-down-open": "▽",
    "star-diamond-open": "✧",
    "hexagon-open": "⬡",
    "star-open": "☆",
    "pentagon-open": "⬠",
    "pentagon-open-dot": "⬠",
}


class Surface(NamedTuple):
    """What a chart lies on."""

    background: str
    panel: str
    border: str
    ink: str
    muted: str


SURFACES = {
    "light": Surface("#FFFFFF", "#F5F7FA", "#E1E6ED", "#14181F", "#5B6472"),
    "dark": Surface("#0E1320", "#171E2E", "#2A3347", "#F4F6FA", "#A7B0BE"),
}
READABLE = 4.5  # the least contrast of text
FONT = '"Source Sans", "Source Sans 3", sans-serif'


@dataclass(frozen=True)
class Style:
    """The mode of the page, and whether it is read from the back row."""

    mode: Mode = "light"
    stage: bool = False

    @property
    def surface(self) -> Surface:
        return SURFACES[self.mode]

    @property
    def text(self) -> int:
        """Pixels of ordinary text in a chart."""
        return 24 if self.stage else 14

    @property
    def height(self) -> int:
        return 800 if self.stage else 540

    @property
    def line(self) -> float:
        return 5.5 if self.stage else 3

    @property
    def marker(self) -> float:
        return 20 if self.stage else 11

    @property
    def scale(self) -> list[list[float | str]]:
        """The colours of a heat map, as Plotly takes them."""
        return [[stop, colour] for stop, colour in zip(HEAT_STOPS, HEAT[self.mode], strict=True)]

    def colour(self, paint: Paint) -> str:
        return getattr(paint, self.mode)

    def mark(self, scheme: str, pins: tuple[str, ...] = ()) -> tuple[str, str, str]:
        """Colour, symbol and dash of a scheme; a mix without a name takes the symbol of its place among the pinned ones."""
        if scheme in SCHEMES:
            mark = SCHEMES[scheme]
            return self.colour(mark.paint), mark.symbol, mark.dash
        unnamed = [pin for pin in pins if pin not in SCHEMES]
        return self.surface.muted, PIN_SYMBOLS[unnamed.index(scheme) % len(PIN_SYMBOLS)], "solid"

    def legible(self, colour: str, strength: float = 1.0) -> str:
        """A hex colour for text: weakened towards the background, then drawn towards the ink until it can be read."""
        weak = _mixed(self.surface.background, colour, strength)
        shades = (_mixed(weak, self.surface.ink, step / 40) for step in range(41))
        return next(shade for shade in shades if contrast(shade, self.surface.background) >= READABLE)

    @cached_property
    def template(self) -> go.layout.Template:
        """What all charts share: no frame, no legend, horizontal grid lines only, no zoom by accident."""
        text = {"family": FONT, "size": self.text, "color": self.surface.ink}
        muted = text | {"color": self.surface.muted}
        axis = {"zeroline": False, "ticks": "", "tickfont": muted, "title": {"font": muted}, "fixedrange": True}
        layout = go.Layout(
            font=text,
            # The page's own colour, not transparent: a chart stays legible if the mode changes before it is redrawn.
            paper_bgcolor=self.surface.background,
            plot_bgcolor=self.surface.background,
            margin={"l": 8, "r": 8, "t": 8, "b": 8},
            showlegend=False,
            dragmode=False,
            hovermode="closest",
            hoverlabel={
                "bgcolor": self.surface.panel,
                "bordercolor": self.surface.border,
                "font": text | {"size": self.text - 1},
                "align": "left",
            },
            modebar={"bgcolor": "rgba(0,0,0,0)", "color": self.surface.muted, "activecolor": self.surface.ink},
            xaxis=axis | {"showgrid": False},
            yaxis=axis | {"gridcolor": faded(self.surface.ink, 0.08), "showline": False},
        )
        return go.layout.Template(layout=layout)


PAGE = Style()


def faded(colour: str, alpha: float) -> str:
    """A hex colour as rgba with an opacity."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


HEAT_STOPS = (0.0, 0.35, 0.7, 1.0)


def heat(mode: Mode, share: float) -> str:
    """The colour of a heat map at a share of its range."""
    share, stops = min(max(share, 0.0), 1.0), HEAT_STOPS
    above = next(place for place, stop in enumerate(stops) if share <= stop) or 1
    along = (share - stops[above - 1]) / (stops[above] - stops[above - 1])
    return _mixed(HEAT[mode][above - 1], HEAT[mode][above], along)


def ink_on(colour: str) -> str:
    """The text colour that is easier to read on a colour. Only pure black and white can be read on every one."""
    return max(("#FFFFFF", "#000000"), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """How far two hex colours are apart for reading, from 1 to 21 (WCAG 2)."""
    dark, bright = sorted(map(_luminance, (one, other)))
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (part / 255 for part in bytes.fromhex(colour[1:]))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(low: str, high: str, along: float) -> str:
    """A hex colour between two others."""
    pairs = zip(bytes.fromhex(low[1:]), bytes.fromhex(high[1:]), strict=True)
    return "#" + bytes(round(one + along * (other - one)) for one, other in pairs).hex().upper()
