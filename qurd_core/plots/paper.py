"""The paper's claims and the agreement of benchmarks, from their tables to words and figures."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core import findings
from qurd_core.findings.language import words
from qurd_core.findings.language.words import plain
from qurd_core.paper.names import QUERY_SAMPLING, SEED_SETS, Cell
from qurd_core.paper.row import VERDICTS, Claim
from qurd_core.plots.drawing.notes import box, note
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, STOLEN, Paint, Style, faded, heat, ink_on
from qurd_core.plots.drawing.traces import ALWAYS_WHOLE, hovered, passed, tiles
from qurd_core.schemes import REFERENCE

MARKS = dict(zip(VERDICTS, ("circle", "x", "circle-open"), strict=True))
_PAINTS = dict(zip(VERDICTS, (Paint("#0B7A66", "#5CB8A6"), STOLEN), strict=False))
REBUILT = "†"  # behind the name of a reconstruction
_SHORT = {"joint": "joint<br>detector training"}
GLYPHS = dict(zip(VERDICTS, ("●", "✕", "○"), strict=True))


def colour(verdict: str, style: Style) -> str:
    """The hue of a verdict; its mark tells it too."""
    return style.surface.muted if verdict not in _PAINTS else style.colour(_PAINTS[verdict])


@takes("paper.claims.claims", "id place claim verdict why", kind=Sequence)
def figure(claims: Sequence[Claim], chosen: str, style: Style = PAGE) -> go.Figure:
    """A row per section of the paper, a mark per claim, in the paper's order."""
    sections = [claim.place.partition(", ")[0] for claim in claims]
    places = list(dict.fromkeys(sections))
    y = [places.index(section) for section in sections]
    x = pd.Series(y).groupby(y).cumcount().tolist()
    at = next((number for number, claim in enumerate(claims) if claim.id == chosen), None)
    marks = hovered(
        x=x,
        y=y,
        customdata=[claim.id for claim in claims],
        hovertext=[
            f"<b>{plain(claim.claim)}</b><br>{claim.verdict}: {plain(findings.paper.told(claim.why))}" for claim in claims
        ],
        marker={
            "symbol": [MARKS[claim.verdict] for claim in claims],
            "color": [colour(claim.verdict, style) for claim in claims],
            "size": 1.35 * style.marker,
            "line": {"width": 2.5, "color": [colour(claim.verdict, style) for claim in claims]},
        },
        name="claims",
    )
    ring = passed(
        x=[] if at is None else [x[at]],
        y=[] if at is None else [y[at]],
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": 2.4 * style.marker,
            "color": style.surface.ink,
            "line": {"width": style.line / 1.5},
        },
        name="chosen",
        **ALWAYS_WHOLE,
    )
    axis = {"showgrid": False, "zeroline": False}
    layout = {
        "height": style.height,
        "margin": {"l": 17 * style.text, "r": style.text, "t": style.text, "b": style.text},
        "xaxis": axis | {"visible": False, "range": [-0.7, max(x) + 0.7]},
        "yaxis": axis
        | {
            "tickvals": list(range(len(places))),
            "ticktext": ["<br>".join(map(plain, textwrap.wrap(place, 34))) for place in places],
            "tickfont": {"size": style.text},
            "range": [len(places) - 0.4, -0.6],
        },
        "template": style.template,
    }
    return go.Figure([ring, marks], layout)


@takes("paper.agreement.read", "one other budget shared tau low high")
def agreement_figure(table: pd.DataFrame, at: int, style: Style = PAGE) -> go.Figure:
    """Kendall's tau of every two benchmarks at one budget."""
    rows = table[table["budget"] == at]
    order = list(dict.fromkeys([*rows["one"], *rows["other"]]))
    both = pd.concat([rows, rows.rename(columns={"one": "other", "other": "one"})]).set_index(["one", "other"])
    values, hovers, notes = [], [], []
    for one in order:
        cells = {other: both.loc[(one, other)] for other in order if other != one}
        values.append([float(cells[other]["tau"]) if other in cells else None for other in order])
        hovers.append([f"{one} and {other}<br>{_hover(cells[other])}" if other in cells else "" for other in order])
        for other, cell in cells.items():
            ink = ink_on(heat(style.mode, float(cell["tau"])))
            notes.append(note(_cell(cell), other, one, style, ink=ink))
    shares = tiles(values, style, x=order, y=order, hovertext=hovers, hovertemplate="%{hovertext}<extra></extra>")
    heads = [plain(name).replace("-", "-<br>") for name in order]
    return go.Figure(shares, _layout(heads, order, notes, style, left=11))


def _layout(
    heads: list[str], rows: list[str], notes: list[dict[str, Any]], style: Style, *, left: int, above: int = 3
) -> dict[str, Any]:
    """Heads above and rows to the left of tiles, with room for them in letters.

    Args:
        heads, rows: what stands at each, in the order of the tiles.
    """
    axis = {"tickfont": {"size": style.text}, "showgrid": False}
    across, down = ({"tickvals": [*range(len(names))], "ticktext": names} for names in (heads, rows))
    return {
        "height": style.height,
        "margin": {"l": left * style.text, "r": style.text, "t": above * style.text, "b": style.text},
        "xaxis": axis | {"side": "top", "automargin": "top"} | across,  # narrow windows turn the heads
        "yaxis": axis | {"autorange": "reversed"} | down,
        "annotations": notes,
        "template": style.template,
    }


def _cell(row: pd.Series) -> str:
    interval = "" if pd.isna(row["low"]) else f"<br>{row['low']:.2f} to {row['high']:.2f}"
    return f"<b>{row['tau']:.2f}</b>{interval}"


def _hover(row: pd.Series) -> str:
    return f"Kendall's tau {row['tau']:.3f} over {words.counted(int(row['shared']), 'shared combination')}"


@takes("paper.tables.table2", "task dataset benchmark printed stolen victims unrelated lineages")
def tasks_figure(rows: pd.DataFrame, style: Style = PAGE) -> go.Figure:
    """Tasks by data sets: the printed mark, and how many models stand behind it."""
    rows = rows.assign(task=rows["task"].map(words.task))
    tasks, heads = list(dict.fromkeys(rows["task"])), dict(zip(rows["dataset"], rows["benchmark"], strict=True))
    apart, notes, fills = findings.paper.tasks_apart(rows), [], []
    for task in tasks:
        cells = rows[rows["task"] == task]
        fills.append([_HAS if stolen else None for stolen in cells["stolen"]])
        for cell in cells.itertuples():
            ink = ink_on(heat(style.mode, _HAS)) if cell.stolen else style.surface.muted
            notes.append(note(_counts(cell), cell.dataset, task, style, ink=ink))
    shares = tiles(fills, style, x=list(heads), y=tasks, hovertemplate="%{y} on %{x}<extra></extra>")
    columns = [f"{plain(benchmark)} · {plain(dataset)}" for dataset, benchmark in heads.items()]
    called = [f"<b>{plain(task)}</b>" + "<br>not in both" * (task in apart) for task in tasks]
    return go.Figure(shares, _layout(columns, called, notes, style, left=13))


_HAS = 0.3  # where on the heat scale a task that is there has its colour


def _counts(cell: tuple) -> str:
    mark = "✓" if cell.printed else "×"
    if not cell.stolen:
        return f"<b>{mark}</b>"
    against = f"{words.counted(cell.unrelated, 'unrelated model')}, {words.counted(cell.lineages, 'lineage')}"
    return f"<b>{mark} {cell.stolen} stolen</b> of {words.counted(cell.victims, 'victim')}<br>{against}"


@takes("paper.tables.table3", "fingerprint task tpr")
def table_figure(rows: pd.DataFrame, style: Style = PAGE) -> go.Figure:
    """Tasks by schemes; a row that rests on fewer data sets says so."""
    rows = rows.assign(task=rows["task"].map(words.task))
    schemes, tasks = list(dict.fromkeys(rows["fingerprint"])), list(dict.fromkeys(rows["task"]))
    cells = rows.set_index(["fingerprint", "task"])
    grid = [[cells["tpr"].get((scheme, task)) for task in tasks] for scheme in schemes]
    notes = []
    for row, scheme in enumerate(schemes):
        for place, task in enumerate(tasks):
            value = grid[row][place]
            known = value is not None and not pd.isna(value)
            text = _rate(cells.loc[(scheme, task)]) if known else "refused" if value is not None else "–"
            ink = ink_on(heat(style.mode, value)) if known else style.surface.muted
            notes.append(note(text, task, scheme, style, ink=ink))
    covers = [""] * len(schemes)
    if "covers" in rows:
        covers = [rows.loc[rows["fingerprint"] == scheme, "covers"].iloc[0] for scheme in schemes]
        covers = ["" if text.startswith(text.split()[2]) else f"<br>{text}" for text in covers]
    hovers = [
        [_why(cells.loc[(scheme, task)]) if (scheme, task) in cells.index else "" for task in tasks] for scheme in schemes
    ]
    hover = "%{y} on %{x}%{hovertext}<extra></extra>"
    shares = tiles(grid, style, x=tasks, y=schemes, hovertext=hovers, hovertemplate=hover)
    heads = ["<br>".join(map(plain, textwrap.wrap(task, 16))) for task in tasks]
    called = [f"<b>{plain(scheme)}</b>{cover}" for scheme, cover in zip(schemes, covers, strict=True)]
    return go.Figure(shares, _layout(heads, called, notes, style, left=9))


def _rate(cell: pd.Series) -> str:
    """As printed: `91 ± 1`; honest: the interval over models below it, with the verdict where a test has one."""
    if "low" not in cell:
        return f"<b>{100 * cell['tpr']:.0f}</b>" + (f" ± {100 * cell['plus_minus']:.0f}" if "plus_minus" in cell else "")
    told = f" {cell['verdict']}" if cell["verdict"] in ("beats", "trails") else ""
    return f"<b>{100 * cell['tpr']:.0f}</b>{told}<br>{100 * cell['low']:.0f} to {100 * cell['high']:.0f}"


def _why(cell: pd.Series) -> str:
    """How an honest cell stands against the reference, and on what that rests."""
    if "low" not in cell:
        return ""
    if isinstance(cell["reason"], str):
        return _lines(cell["reason"])
    victims = f"<br>{words.counted(int(cell['independent_victims']), 'independent victim')}"
    if not isinstance(cell["verdict"], str):
        return victims
    interval = f"{words.points(cell['diff_low'])} to {words.points(cell['diff_high'])}"
    said = cell["notes"] if isinstance(cell["notes"], str) else ""
    against = f"<br>{words.PHRASES[cell['verdict']][0]} {REFERENCE}: {words.points(cell['diff'])}, 95 % {interval}"
    return f"{victims}{against}, p {cell['p']:.2g}{_lines(said)}"


def _lines(text: str) -> str:
    return "".join(f"<br>{plain(line)}" for line in textwrap.wrap(text, 70))


@takes("findings.paper.beyond", "row column scheme printed here access reconstruction withheld")
def atlas_figure(rows: pd.DataFrame, examples: Mapping[Cell, str], style: Style = PAGE) -> go.Figure:
    """Seed set x way of making queries: names of schemes. Grey are those that do not run here, and with what they need in
    brackets those that need more than the suspect reveals; a cell without any other has no colour.

    Args:
        rows: from `findings.paper.beyond`.
        examples: a combination for every cell that has one, from `tables.compatible`.
    """
    cells = list(product(SEED_SETS, QUERY_SAMPLING))
    held = dict(iter(rows.groupby(["row", "column"], sort=False)))
    bands = _bands(rows)
    places = {cell: ([*QUERY_SAMPLING].index(cell[1]), sum(bands[cell[0]]) / 2) for cell in cells}
    shapes = [_tile(places[cell][0], bands[cell[0]], cell in held and _works(held[cell]).any(), style) for cell in cells]
    texts = {cell: _schemes(held[cell], style) for cell in cells if cell in held}
    notes = [note(text, *places[cell], style, ink=style.surface.ink) for cell, text in texts.items()]
    empty = [cell for cell in cells if cell not in held]
    notes += [note("try it" if cell in examples else "no part here", *places[cell], style) for cell in empty]
    clicked = [cell for cell in cells if cell in examples]
    marks = hovered(
        x=[places[cell][0] for cell in clicked],
        y=[places[cell][1] for cell in clicked],
        customdata=[examples[cell] for cell in clicked],
        hovertext=[_told(cell, held.get(cell), examples[cell]) for cell in clicked],
        marker={"symbol": "square", "size": 90 if style.stage else 60, "opacity": np.zeros(len(clicked))},
        name="cells",
    )
    layout = _grid(bands, style) | {"shapes": shapes, "annotations": notes, "template": style.template}
    return go.Figure([marks], layout)


def _bands(rows: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Upper and lower edge of every row, which is as high as its fullest cell needs."""
    fullest = rows.groupby(["row", "column"]).size().groupby("row").max()
    edges, top = {}, 0.0
    for row in SEED_SETS:
        edges[row] = top, top + max(2.5, 1 + fullest.get(row, 0))
        top = edges[row][1]
    return edges


def _tile(x: int, band: tuple[float, float], here: bool, style: Style) -> dict[str, Any]:
    empty = {"color": style.surface.border, "width": style.line / 2, "dash": "dot"}
    full = {"color": style.colour(STOLEN), "width": 1}
    fill = faded(style.colour(STOLEN), 0.16) if here else "rgba(0,0,0,0)"
    look = {"fillcolor": fill, "line": full if here else empty}
    return box(x - 0.47, x + 0.47, band[0] + 0.15, band[1] - 0.15, layer="below", **look)


def _schemes(part: pd.DataFrame, style: Style) -> str:
    """The schemes of a cell, a line each."""
    muted = style.surface.muted
    lines = [
        f"<b>{plain(row.scheme)}</b>{REBUILT if row.reconstruction else ''}"
        if works
        else f"<span style='color:{muted}'>{plain(row.scheme)}{_needs(row)}</span>"
        for row, works in zip(part.itertuples(), _works(part), strict=True)
    ]
    return "<br>".join(lines)


def _works(part: pd.DataFrame) -> pd.Series:
    """Which schemes run here, with what the suspect reveals."""
    return part["here"] & (part["withheld"] == "")


def _needs(row: Any) -> str:
    """`† (logits)` behind the name of a scheme that runs here with more than the suspect reveals."""
    return f"{REBUILT if row.reconstruction else ''} ({row.access})" if row.here else ""


def _told(cell: Cell, part: pd.DataFrame | None, example: str) -> str:
    row, column = cell
    lines = [f"<b>{QUERY_SAMPLING[column]}, {SEED_SETS[row]}</b>"]
    for one in () if part is None else part.itertuples():
        table = "both tables" if one.here and one.printed else "here" if one.here else "printed only"
        access = f", {one.withheld or f'needs {one.access}'}" if one.here else ""
        lines.append(f"{plain(one.scheme)}: {table}{access}")
    return "<br>".join([*lines, f"Click: {plain(words.sampler(example.split(' | ')[0]))}"])


def _grid(bands: Mapping[str, tuple[float, float]], style: Style) -> dict[str, Any]:
    axis = {"showgrid": False, "zeroline": False, "fixedrange": True, "tickangle": 0}
    axis |= {"tickfont": {"color": style.surface.ink, "size": style.text}}
    heads, sides = [_SHORT.get(key, said) for key, said in QUERY_SAMPLING.items()], [*SEED_SETS.values()]
    return {
        "height": style.height,
        "margin": {"l": style.text * (1 + 0.5 * max(map(len, sides))), "t": 3.4 * style.text, "r": 8, "b": 8},
        "xaxis": axis
        | {"side": "top", "range": [-0.5, len(heads) - 0.5], "tickvals": [*range(len(heads))], "ticktext": heads},
        "yaxis": axis
        | {"range": [max(low for _, low in bands.values()), 0], "ticktext": sides}
        | {"tickvals": [sum(band) / 2 for band in bands.values()]},
    }
