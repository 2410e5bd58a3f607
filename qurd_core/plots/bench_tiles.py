"""Your benchmark: a tile per pair, filled while it is in, hollow once it is out."""

from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from qurd_core.plots import words
from qurd_core.plots.lineages import readable
from qurd_core.plots.theme import ALWAYS_WHOLE, OTHERS, STOLEN, UNRELATED, Style, plain
from qurd_core.statistics.printed import fixed
from qurd_core.views.designer import Pairs, groups, keys, spread
from qurd_core.views.suggest import Suggestion

PER_ROW, FEW, MANY = 10, 5, 4  # tiles of one victim beside each other: fewer where there are many victims
GAP = 1.5  # tiles between the blocks of two victims
HEAD = -1.3  # line of the squares above the victims
GROUP, VICTIM, PAIR = "group", "victim", "pair"  # what a click can name

_ORDER = ("positive", "hard", "negative")


def tiles(table: pd.DataFrame) -> pd.DataFrame:
    """Where every pair stands.

    Args:
        table: from `evidence.pairs`.

    Returns:
        rows of victim, suspect, kind, group, line (counted from the top over all groups), left (where the victim's block
        begins) and x.
    """
    found = table[["victim", "suspect", "kind"]].assign(group=groups(table))
    victims = list(dict.fromkeys(table["victim"]))
    wide = PER_ROW if len(victims) <= MANY else FEW
    order = found["kind"].map(_ORDER.index).sort_values(kind="stable").index
    found = found.loc[order].reset_index(drop=True)
    number = found.groupby(["victim", "group"], sort=False).cumcount()
    lines = (number // wide).groupby(found["group"], sort=False).max() + 1
    above = lines.cumsum() - lines
    left = found["victim"].map(victims.index) * (wide + GAP)
    return found.assign(line=found["group"].map(above) + number // wide, left=left, x=left + number % wide)


def headline(found: pd.DataFrame, out: Pairs, table: pd.DataFrame) -> str:
    """What the selection changes.

    Args:
        found: from `designer.compare`.
        out: what is left out.
        table: all pairs.
    """
    before, after = (spread(found[name].to_numpy(float)) for name in ("before", "after"))
    schemes = words.counted(int(found["after"].notna().sum()), "named scheme")
    gone = len(out.intersection(keys(table)))
    if gone and found["after"].isna().all():
        return f"Without {words.counted(gone, 'pair')} nothing can be measured"
    if not gone:
        return f"With every pair in, the {schemes} differ by {_points(before)} (s.d.)"
    told = f"Without {words.counted(gone, 'pair')} the {schemes}"
    if _points(after) == _points(before):
        return f"{told} still differ by {_points(after)} (s.d.)"
    return f"{told} differ by {_points(after)} instead of {_points(before)} (s.d.)"


def moved(found: pd.DataFrame) -> str:
    """The scheme that the selection moves most, in one sentence; empty where none moves."""
    change = found.dropna(subset=["change"])
    change = change[change["change"].abs() >= 0.0005]
    if change.empty:
        return ""
    row = change.loc[change["change"].abs().idxmax()]
    return f"largest change: {row['label']}, {words.points(row['change'])}"


def suggested(found: Suggestion) -> str:
    """What is suggested, in one sentence."""
    victims = words.counted(len(found.chosen_on + found.reported_on), "victim")
    models = words.counted(len(found.pairs), "stolen model")
    thefts = words.counted(len(found.recipes), "theft")
    return f"{thefts}, the same for every victim ({models} of {victims}), on which the named schemes differ most:"


def told(found: Suggestion) -> str:
    """The two numbers of a suggestion, and the halves that they belong to."""
    chosen, reported = (words.counted(len(half), "victim") for half in (found.chosen_on, found.reported_on))
    return (
        f"With these stolen models alone, the named schemes differ by {_points(found.chosen)} (s.d.) on the selection half "
        f"({chosen}) and by {_points(found.reported)} on the held-out half ({reported}). With the stolen models ticked now, "
        f"the schemes differ by {_points(found.before)} on the held-out half."
    )


def alt(rows: pd.DataFrame, out: Pairs) -> str:
    """The tiles in one sentence."""
    counts = _counts(_marked(rows, out), "group")
    said = ", ".join(f"{words.task(name)} {count.kept} of {count.all}" for name, count in counts.items())
    return f"A tile per pair, by group and victim. Kept: {said}."


def figure(rows: pd.DataFrame, out: Pairs, style: Style | None = None) -> go.Figure:
    """All pairs as tiles: rows are groups, blocks are victims. Squares at the edges turn whole groups and victims.

    A click reports `[PAIR, victim, suspect]`, `[GROUP, name]` or `[VICTIM, name]`.

    Args:
        rows: from `tiles`.
        out: what is left out.
    """
    style, rows = style or Style(), _marked(rows, out)
    groups, victims, size = _counts(rows, "group"), _counts(rows, "victim"), _size(rows, style)
    # Filled and hollow tiles are traces of their own: a colour per tile takes longer to check than all the rest.
    parts = [(kind, gone, part) for (kind, gone), part in rows.groupby(["kind", "out"], sort=False)]
    traces = [_squares(part, kind, gone, size, style) for kind, gone, part in parts]
    at_group = [(-GAP, count.line) for count in groups.values()]
    at_victim = [(count.left, HEAD) for count in victims.values()]
    heads = [_switches(GROUP, at_group, groups, style), _switches(VICTIM, at_victim, victims, style)]
    halves = _halves([*at_group, *at_victim], [*groups.values(), *victims.values()], style)
    return go.Figure([*traces, *heads, halves], _layout(rows, groups, victims, style) | {"template": style.template})


class _Count(NamedTuple):
    """How many pairs of a group or a victim are in, and where its first tile stands."""

    kept: int
    all: int
    line: int
    left: float

    @property
    def partly(self) -> bool:
        return 0 < self.kept < self.all

    @property
    def said(self) -> str:
        """The number, or what is in of what there is."""
        return f"<b>{self.all}</b>" if self.kept == self.all else f"<b>{self.kept} of {self.all}</b>"


def _marked(rows: pd.DataFrame, out: Pairs) -> pd.DataFrame:
    return rows.assign(out=[pair in out for pair in keys(rows)])


def _counts(rows: pd.DataFrame, by: str) -> dict[str, _Count]:
    columns = (rows[name].tolist() for name in (by, "out", "line", "left"))
    found: dict[str, _Count] = {}
    for name, gone, line, left in zip(*columns, strict=True):
        count = found.get(name, _Count(0, 0, line, left))
        found[name] = count._replace(kept=count.kept + (not gone), all=count.all + 1)
    return found


def _size(rows: pd.DataFrame, style: Style) -> float:
    """Pixels of a tile that fits both ways, on a page in a window of 1280 by 720 too."""
    across = (1400 if style.stage else 540) / (rows["x"].max() + GAP)
    down = (0.8 if style.stage else 0.55) * style.height / (rows["line"].max() + 2)
    return max(0.8 * min(across, down), 5)


def _squares(part: pd.DataFrame, kind: str, gone: bool, size: float, style: Style) -> go.Scatter:
    colour = style.colour(STOLEN if kind == "positive" else UNRELATED)
    columns = (part[name].tolist() for name in ("suspect", "group", "victim"))
    return go.Scatter(
        x=part["x"].to_numpy(),
        y=part["line"].to_numpy(),
        customdata=[[PAIR, victim, suspect] for victim, suspect in keys(part)],
        hovertext=[
            f"<b>{plain(readable(suspect))}</b><br>{plain(suspect)}<br>{plain(words.task(group))}, "
            f"victim {plain(readable(victim))}<br>{'out' if gone else 'in'}"
            for suspect, group, victim in zip(*columns, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        mode="markers",
        marker={
            "symbol": "diamond" if kind == "hard" else "square",
            "size": size,
            "color": style.surface.background if gone else colour,
            "line": {"width": 1.2, "color": style.colour(OTHERS) if gone else colour},
            "opacity": 1,
        },
        name=f"{kind} out" if gone else kind,
        **ALWAYS_WHOLE,
    )


def _switches(what: str, places: list[tuple[float, float]], counts: dict[str, _Count], style: Style) -> go.Scatter:
    """A square beside every group or above every victim, filled while all of it is in."""
    ink, empty = style.surface.ink, style.surface.background
    x, y = zip(*places, strict=True)
    return go.Scatter(
        x=x,
        y=y,
        customdata=[[what, name] for name in counts],
        hovertext=[
            f"<b>{plain(words.task(name))}</b>: {count.kept} of {count.all} in<br>"
            f"click to {'leave all out' if count.kept else 'take all in'}"
            for name, count in counts.items()
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        mode="markers",
        marker={
            "symbol": "square",
            "size": style.text,
            "color": [ink if one.kept == one.all else empty for one in counts.values()],
            "line": {"width": 1.5, "color": ink},
            "opacity": 1,
        },
        name=what,
        **ALWAYS_WHOLE,
    )


def _halves(places: list[tuple[float, float]], counts: list[_Count], style: Style) -> go.Scatter:
    """A bar in the squares of which some is in and some out."""
    partly = [place for place, count in zip(places, counts, strict=True) if count.partly]
    return go.Scatter(
        x=[x for x, _ in partly],
        y=[y for _, y in partly],
        mode="markers",
        marker={
            "symbol": "line-ew",
            "size": style.text / 2,
            "line": {"width": style.text / 5, "color": style.surface.ink},
            "opacity": 1,
        },
        hoverinfo="skip",
        name="partly",
        **ALWAYS_WHOLE,
    )


def _layout(rows: pd.DataFrame, groups: dict[str, _Count], victims: dict[str, _Count], style: Style) -> dict[str, Any]:
    many = len(victims) > MANY
    small = style.text * (0.75 if many else 0.9)
    called = {name: "<br>".join(map(plain, readable(name).split(", "))) for name in victims}
    names = [
        {"text": f"{plain(words.task(name))} {count.said}", "x": -GAP, "y": count.line, "xanchor": "right"}
        | {"showarrow": False, "yanchor": "middle", "xshift": -style.text * 0.8, "font": {"size": style.text}}
        for name, count in groups.items()
    ]
    heads = [
        {"text": called[name], "x": count.left, "y": HEAD, "xanchor": "left", "align": "left"}
        | {"showarrow": False, "yanchor": "bottom", "yshift": style.text * 0.7, "xshift": -6}
        | {"font": {"size": small, "color": style.surface.muted}}
        for name, count in victims.items()
    ]
    longest = max(len(f"{words.task(name)} {count.all} of {count.all}") for name, count in groups.items())
    folds = max(name.count("<br>") + 1 for name in called.values())
    return {
        "height": style.height,
        "margin": {"l": style.text * (1.5 + 0.48 * longest), "r": 8, "t": small * 1.35 * folds + style.text, "b": 8},
        "xaxis": {"range": [-GAP - 0.8, rows["x"].max() + 1], "visible": False},
        "yaxis": {"range": [rows["line"].max() + 0.6, HEAD - 0.7], "visible": False},
        "annotations": [*names, *heads],
    }


def _points(share: float) -> str:
    return "no number" if share != share else f"{fixed(100 * share, 0)} points"
