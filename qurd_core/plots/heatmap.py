"""Every combination at a glance: samplers as rows, representation and detector as columns, the share caught as colour."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.plots import honest, words
from qurd_core.plots.budget import CONTROL, REFERENCE
from qurd_core.plots.theme import ALWAYS_WHOLE, GLYPHS, HEAT, SCHEMES, Mode, Style, plain
from qurd_core.plots.words import Measured

MAIN = "main"
SPLITS = {"test": "test", "train": "training", "noise": "noise"}  # seed sets in words
NOWHERE = "Not in the records: press Run to measure it."
LONGEST = 26  # letters of a row's name in one line
LETTER = 0.47  # width of a letter, in parts of its size


class Pick(NamedTuple):
    """The combination that is looked at.

    Attributes:
        scheme, sampler, head, label: its text, the two parts of it, and its name if it has one, else its text.
    """

    scheme: str
    sampler: str
    head: str
    label: str

    @property
    def called(self) -> str:
        """Its label; a control says that it is one."""
        control = self.head.partition(" | ")[2].partition("(")[0] == CONTROL
        return f"{self.label} (accuracy only, no fingerprint)" if control else self.label


class Value(NamedTuple):
    """What is known of a combination at one budget.

    Attributes:
        live: how far its run is; empty for recorded values.
        low, high, verdict: the interval over models and the tested verdict against the reference, if they are known.
    """

    value: float
    spread: float
    seeds: int
    reason: str = ""
    live: str = ""
    low: float = math.nan
    high: float = math.nan
    verdict: str | None = None


def families(schemes: pd.DataFrame) -> list[str]:
    """What the columns can be: one per representation, or all detectors of one family of representations."""
    return [MAIN, *dict.fromkeys(map(_family, _heads(schemes)))]


def columns(schemes: pd.DataFrame, family: str) -> list[str]:
    """The heads `representation | detector` of a family. Of each representation, the main ones are those of a published
    scheme, else the first.
    """
    heads = _heads(schemes)
    if family != MAIN:
        return [head for head in heads if _family(head) == family]
    named = schemes[schemes["name"].notna()]
    published = set(named.loc[named["name"] != CONTROL, "head"])
    control = set(named.loc[named["name"] == CONTROL, "head"])
    chosen: dict[str, str] = {}
    for head in sorted(heads, key=lambda head: head not in published):
        if head not in control:
            chosen.setdefault(_name(head), head)
    return [head for head in heads if head in chosen.values()]


def samplers(schemes: pd.DataFrame, split: str) -> list[str]:
    """The samplers of a seed set, those of one seed rule together."""
    return sorted(schemes.loc[schemes["split"] == split, "sampler"].unique(), key=lambda text: (text.split("->")[0], text))


def values(points: pd.DataFrame, at: int, live: str = "", worth: pd.DataFrame = honest.UNKNOWN) -> dict[str, Value]:
    """What is known of every combination at a budget, by its text.

    Args:
        points: from `budget.curves`.
        worth: what is known of intervals and tests of the same points.
    """
    rows = points[points["budget"] == at]
    tests = dict(zip(worth.index, zip(worth["low"], worth["high"], worth["verdict"], strict=True), strict=True))
    names = ["scheme", "label", "value", "spread", "seeds", "reason"]
    facts = rows[names].fillna({"reason": ""}).itertuples(index=False, name=None)
    return {
        scheme: Value(float(value), float(spread), int(seeds), why, live, *tests.get(label, (math.nan, math.nan, None)))
        for scheme, label, value, spread, seeds, why in facts
    }


def compared(source: pd.DataFrame, points: pd.DataFrame, pick: Pick, pooled: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The points of the picked combination and of the reference.

    Args:
        source: where those of the combination are, recorded or live.
        points: the recorded ones.
        pooled: whether the combination was calibrated otherwise than the records, so that only the reference of the same
            run is comparable.
    """
    mine = source[source["scheme"] == pick.scheme] if not pooled or source is not points else points.iloc[:0]
    home = source if pooled and source is not points else points.iloc[:0] if pooled else points
    return mine, home[home["label"] == REFERENCE]


def cells(
    schemes: pd.DataFrame,
    known: Mapping[str, Value],
    *,
    split: str,
    family: str,
    pick: Pick,
    reason: Callable[[str], str | None] = lambda scheme: None,
) -> pd.DataFrame:
    """A row per cell of the map: samplers and heads of which something is known, and those of the picked combination.

    Args:
        known: what is known, by the text of the combination.
        reason: why the parts of a combination do not go together, or None.

    Returns:
        rows of row, column, sampler, head, scheme, name, value, spread, seeds, reason (where there is no value) and live;
        texts are empty where there is nothing to say.
    """
    here = schemes[schemes["scheme"].isin(known)]
    rows = [*dict.fromkeys([*samplers(here, split), pick.sampler])]
    heads = [*dict.fromkeys([*(columns(here[here["split"] == split], family) or columns(here, family)), pick.head])]
    named = schemes[schemes["name"].notna()]
    names = dict(zip(named["scheme"], named["name"], strict=True))
    found = []
    for row, sampler in enumerate(rows):
        for column, head in enumerate(heads):
            scheme = f"{sampler} | {head}"
            value = known.get(scheme) or Value(math.nan, math.nan, 0, reason(scheme) or NOWHERE)
            found.append((row, column, sampler, head, scheme, names.get(scheme, ""), *value))
    places = ["row", "column", "sampler", "head", "scheme", "name", *Value._fields]
    return pd.DataFrame(found, columns=places)


def marked(found: pd.DataFrame, pick: Pick, pins: Sequence[str]) -> list[str]:
    """The labels of the cells that are outlined, pinned or picked."""
    labels = found["name"].where(found["name"] != "", found["scheme"])
    return labels[labels.isin([*SCHEMES, *pins, pick.label])].tolist()


def taken_away(found: pd.DataFrame, pick: Pick, value: Value | None, pool: Sequence[str]) -> pd.DataFrame:
    """The cells as a table to take away, with `pool`: where lineages calibrate the picked combination, its value is a row of
    its own, because the map shows all values as recorded.
    """
    table = found.assign(pool="")
    if not pool or value is None:
        return table
    own = found[found["scheme"] == pick.scheme].assign(**value._asdict(), pool=", ".join(pool))
    return pd.concat([table, own], ignore_index=True)


def headline(pick: Pick, value: Value | None, reference: Value | None, at: int) -> str:
    """What the picked combination catches, and what that is against the reference."""
    if value is None:
        return f"{pick.called} has not been measured yet"
    if math.isnan(value.value):
        return f"{pick.called} has no value at {words.counted(at, 'query')}"
    caught = f"{pick.called} catches {words.percent(value.value)}"
    if pick.label == REFERENCE or reference is None or math.isnan(reference.value):
        return f"{caught} of the stolen models with {words.counted(at, 'query')}"
    gap = round(100 * (value.value - reference.value))
    found = value.verdict or words.verdict(Measured(*value[:3]), Measured(*reference[:3]))
    if (found in ("not distinguished", "on par") and value.seeds > 1) or not gap:
        return f"{caught} at {words.counted(at, 'query')} and does not differ significantly from {REFERENCE}"
    few = ", on one query seed" if value.seeds == 1 else ""
    apart = f"{words.counted(abs(gap), 'point')} {'above' if gap > 0 else 'below'} {REFERENCE}"
    return f"{caught} at {words.counted(at, 'query')}, {apart}{few}"


def subline(found: pd.DataFrame, at: int, basis: str) -> str:
    """What the map shows, and what its numbers rest on."""
    measured = int(found["value"].notna().sum())
    shown = words.counted(measured, "combination")
    return (
        f"TPR@5% of {shown} at {words.counted(at, 'query')} · outlined: published · dot: no value, hover for why · {basis}"
    )


def alt(found: pd.DataFrame, pick: Pick, at: int) -> str:
    """The map in one sentence, for those who do not see it."""
    measured = found.dropna(subset="value")
    if measured.empty:
        return f"A map of combinations at {at} queries. None has a value."
    best = measured.loc[measured["value"].idxmax()]
    size = f"{found['sampler'].nunique()} samplers by {found['head'].nunique()} representations with detectors"
    return (
        f"A map of {size}. The best"
        f" at {at} queries is {best['scheme']} with {words.percent(best['value'])}. Picked: {pick.label}."
    )


def figure(found: pd.DataFrame, pick: Pick, *, pins: Sequence[str] = (), style: Style | None = None) -> go.Figure:
    """The map: colour and number per cell, published ones outlined in the scheme's colour, the picked one dashed.

    Args:
        found: from `cells`.
        pins: labels of pinned combinations, which show their mark.
    """
    style, pins = style or Style(), tuple(pins)
    grid = found.pivot(index="row", columns="column", values="value").to_numpy()
    scale = [[place, colour] for place, colour in zip((0, 1 / 3, 2 / 3, 1), HEAT[style.mode], strict=True)]
    heat = go.Heatmap(
        z=grid, zmin=0, zmax=1, colorscale=scale, showscale=False, xgap=3, ygap=3, hoverinfo="skip", name="shares caught"
    )
    traces = [heat, *_numbers(found, pins, style), _targets(found)]
    return go.Figure(traces, _layout(found, pick, style) | {"template": style.template})


def least(found: pd.DataFrame) -> dict[str, float]:
    """The least pixels of the map that keep its labels apart on a page: `wide` and `high`.

    Args:
        found: from `cells`.
    """
    style = Style()
    margin, heads = _margin(found, style), found["head"].unique()
    longest = max(len(line) for head in heads for line in re.sub("</?b>", "", _head(head)).split("<br>"))
    column = LETTER * _small(style) * longest + 5
    return {
        "wide": margin["l"] + margin["r"] + column * len(heads),
        "high": margin["t"] + margin["b"] + 3.2 * _small(style) * found["row"].nunique(),
    }


def text_colour(share: float, mode: Mode) -> str:
    """Black or white, whichever is easier to read on the colour of a share."""
    ground = _luminance(_on_scale(share, mode))
    return "#14181F" if (ground + 0.05) ** 2 > (_luminance((20, 24, 31)) + 0.05) * 1.05 else "#FFFFFF"


def _heads(schemes: pd.DataFrame) -> list[str]:
    """All heads, those that need less of the suspect first."""
    first = schemes.drop_duplicates("head").assign(order=lambda table: table["head"].map(_family))
    return first.sort_values(["level", "order", "head"], kind="stable")["head"].tolist()


def _name(head: str) -> str:
    """The representation of a head, without its parameters."""
    return head.partition(" | ")[0].partition("(")[0]


def _family(head: str) -> str:
    return _name(head).removeprefix("hard_")


def _numbers(found: pd.DataFrame, pins: tuple[str, ...], style: Style) -> list[go.Scatter]:
    """The texts of the cells, a trace per colour: Plotly fades what is not selected to one colour per trace."""
    inks = [style.surface.muted if math.isnan(value) else text_colour(value, style.mode) for value in found["value"]]
    traces = []
    for ink, rows in found.groupby(inks, sort=True):
        always = {"textfont": {"color": ink}}
        traces.append(
            go.Scatter(
                x=rows["column"],
                y=rows["row"],
                text=[_text(row, pins, style) for row in rows.itertuples()],
                mode="text",
                textfont={"color": ink, "size": style.text * 0.93},
                hoverinfo="skip",
                name="numbers",
                selected=always,
                unselected=always,
            )
        )
    return traces


def _text(row: tuple, pins: tuple[str, ...], style: Style) -> str:
    if math.isnan(row.value):
        return f"<b>{row.name}</b><br>·" if row.name in SCHEMES else "·"
    label = row.name or row.scheme
    mark = f"{GLYPHS.get(style.mark(label, pins)[1], '●')} " if label in pins else ""
    number = f"{mark}{words.percent(row.value)}"
    if row.name in SCHEMES:
        return f"<span style='font-size:{style.text * 0.78:.1f}px'><b>{row.name}</b></span><br>{number}"
    return f"{number}<br><span style='font-size:{style.text * 0.72:.1f}px'>live {row.live}</span>" if row.live else number


def _targets(found: pd.DataFrame) -> go.Scatter:
    """Invisible marks that take the pointer, because heat maps do not report clicks. Every one does, drawn or not."""
    return go.Scatter(
        x=found["column"],
        y=found["row"],
        customdata=found["scheme"],
        hovertext=[_hover(row) for row in found.itertuples()],
        hovertemplate="%{hovertext}<extra></extra>",
        mode="markers",
        marker={"opacity": 0, "maxdisplayed": 1},
        name="cells",
        **ALWAYS_WHOLE,
    )


def _hover(row: tuple) -> str:
    title = f"<b>{plain(row.name)}</b><br>{plain(row.scheme)}" if row.name else plain(row.scheme)
    if math.isnan(row.value):
        return f"{title}<br>{plain(_sentence(row.reason or NOWHERE))}"
    rest = f"live, {row.live} query seeds" if row.live else words.counted(row.seeds, "query seed")
    return f"{title}<br>{words.precise(row.value, row.spread)}, {rest}{honest.hovered(row.low, row.high)}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _layout(found: pd.DataFrame, pick: Pick, style: Style) -> dict[str, Any]:
    rows = found.drop_duplicates("row").set_index("row")["sampler"]
    heads = found.drop_duplicates("column").set_index("column")["head"]
    axis = {"showgrid": False, "tickfont": {"size": _small(style), "color": style.surface.ink}, "ticks": ""}
    return {
        "height": style.height,
        "margin": _margin(found, style),
        # Without ranges the marks would widen the axes. To the right there is room for the camera.
        "xaxis": axis
        | {
            "side": "top",
            "tickvals": list(heads.index),
            "ticktext": [*map(_head, heads)],
            "tickangle": 0,
            "ticklabelstandoff": 4,
        }
        | {"range": [-0.5, len(heads) - 0.5]},
        "yaxis": axis
        | {"tickvals": list(rows.index), "ticktext": [*map(_row, rows)], "range": [len(rows) - 0.5, -0.5]}
        | {"ticklabelstandoff": 4},
        "hoverdistance": -1,  # the nearest mark is that of the cell under the pointer
        "shapes": [*_outlines(found, style), *_dashes(found, pick, style)],
    }


def _small(style: Style) -> float:
    """Pixels of the text at the edges, which is more than that of other charts."""
    return style.text * (0.9 if style.stage else 0.8)


def _margin(found: pd.DataFrame, style: Style) -> dict[str, float]:
    lines = max(_head(head).count("<br>") for head in found["head"].unique()) + 1
    longest = max(len(line) for sampler in found["sampler"].unique() for line in _row(sampler).split("<br>"))
    return {"l": LETTER * _small(style) * longest + 10, "r": 34, "t": 1.3 * _small(style) * lines + 12, "b": 4}


def _outlines(found: pd.DataFrame, style: Style) -> list[dict[str, Any]]:
    named = found[found["name"].isin([*SCHEMES])]
    return [_box(row.row, row.column, {"color": style.mark(row.name)[0], "width": style.line}) for row in named.itertuples()]


def _dashes(found: pd.DataFrame, pick: Pick, style: Style) -> list[dict[str, Any]]:
    """Dashes in ink on a ground of their own, so that they show on any colour and around any outline."""
    picked = found[found["scheme"] == pick.scheme]
    lines = (
        {"color": style.surface.background, "width": style.line * 1.2},
        {"color": style.surface.ink, "width": style.line * 0.9, "dash": "5px,3px"},
    )
    return [_box(row.row, row.column, line, 0.495) for row in picked.itertuples() for line in lines]


def _box(row: int, column: int, line: dict[str, Any], half: float = 0.46) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": column - half,
        "x1": column + half,
        "y0": row - half * 0.96,
        "y1": row + half * 0.96,
        "line": line,
    }


def _head(head: str) -> str:
    """A head in short lines: representation, what it is made of, detector."""
    representation, _, detector = head.partition(" | ")
    name, _, options = representation.partition("(")
    lines = [f"<b>{line}</b>" for line in plain(name).split("_")]
    lines += [plain(options.rstrip(")"))] * bool(options) + plain(detector).split("_")
    return "<br>".join(lines)


def _row(sampler: str) -> str:
    """A sampler, in two lines if it is long."""
    seeds, arrow, craft = sampler.partition("->")
    return plain(sampler) if len(sampler) <= LONGEST or not arrow else f"{plain(seeds)}<br>{plain(arrow + craft)}"


def _on_scale(share: float, mode: Mode) -> tuple[float, ...]:
    """The colour of a share, as red, green and blue from 0 to 255."""
    stops = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in HEAT[mode]], float)
    places = np.linspace(0, 1, len(stops))
    return tuple(float(np.interp(share, places, channel)) for channel in stops.T)


def _luminance(colour: Sequence[float]) -> float:
    """Relative luminance as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
