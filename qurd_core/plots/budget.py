"""Figure 4: the share of stolen models that is caught against the number of queries."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.plots import honest, words
from qurd_core.plots.costs import COSTS, TICKS, Unit, free, placed
from qurd_core.plots.labels import spread
from qurd_core.plots.theme import ALWAYS_WHOLE, BASELINES, OTHERS, SCHEMES, Style, faded, plain
from qurd_core.plots.words import Measured, Verdict
from qurd_core.schemes import PUBLISHED
from qurd_core.statistics import allowed_below, min_pool
from qurd_core.statistics.metrics import RULES, Rule, by_rule

MARKER = 0.012  # of the axis that half a marker covers
TOP = 1.04  # of the axis, so that markers at 100% are whole
REFERENCE = BASELINES[0]
LEVEL = 0.05  # of false alarms
SETTLED = 0.02  # of TPR that a curve may be from where it ends and count as being there
_MEASURED = ["value", "spread", "seeds"]
CONTROL = "accuracy"  # no fingerprint: drawn only when it is pinned, and never among the mixes


def curves(table: pd.DataFrame, rule: Rule = "paper", worth: pd.DataFrame = honest.UNKNOWN) -> pd.DataFrame:
    """The rows of one task as points of lines.

    Args:
        table: from `rate_records.read`, or from `evaluate`.
        rule: the paper's rule, or the guaranteed (conformal) one.
        worth: intervals of the same task by the same rule, by label, with their `budget`.

    Returns:
        the table with `label` (the name of a scheme, or its text), `value` and `spread` under the rule, and `low` and
        `high`, the interval over models (NaN where none is known), sorted by budget.
    """
    label = table["name"].fillna(table["scheme"]) if "name" in table else table["scheme"]
    # As categories, labels compare as fast as numbers.
    found = honest.with_intervals(by_rule(table.assign(label=label.astype("category")), rule), worth)
    return found.sort_values("budget", kind="stable")


def shown(points: pd.DataFrame, pins: Sequence[str] = ()) -> list[str]:
    """What has a line of its own: the reference, the other named schemes, then the pinned mixes."""
    present = set(points.loc[points["value"].notna(), "label"])
    named = [name for name in SCHEMES if name in present and name != REFERENCE]
    return [*[REFERENCE] * (REFERENCE in present), *named, *(pin for pin in pins if pin in present and pin not in SCHEMES)]


def lines(points: pd.DataFrame, pins: Sequence[str] = ()) -> dict[str, pd.DataFrame]:
    """The rows of everything that has a line of its own."""
    return {label: points[points["label"] == label] for label in shown(points, pins)}


def mixes(points: pd.DataFrame) -> list[str]:
    """The combinations without a name, recorded or not."""
    return [label for label in points["label"].unique() if label not in SCHEMES and label != CONTROL]


def missing(points: pd.DataFrame, pins: Sequence[str] = ()) -> dict[str, str]:
    """The named schemes and pins that have no value at all, with the reason that most of their budgets give."""
    found = shown(points, pins)
    absent = [label for label in points["label"].unique() if (label in SCHEMES or label in pins) and label not in found]
    reasons = {label: points.loc[points["label"] == label, "reason"].dropna() for label in absent}
    return {label: why.mode().iloc[0] for label, why in reasons.items() if len(why)}


def values_at(points: pd.DataFrame, at: int, pins: Sequence[str] = (), worth: pd.DataFrame = honest.UNKNOWN) -> pd.DataFrame:
    """What every drawn line says at one budget, best first.

    Args:
        worth: what is known of intervals and tests at this budget; else verdicts are those over query seeds.

    Returns:
        rows of label, value, spread, used, gap (to the reference), verdict (None for the reference) and reason.
    """
    names = shown(points, pins)
    chosen = points.loc[(points["budget"] == at) & points["label"].isin(names), [*_MEASURED, "label", "used", "reason"]]
    rows = chosen.astype({"label": object}).set_index("label")
    rows = rows.loc[[name for name in names if name in rows.index]]
    found = {label: Measured(*row) for label, *row in rows[_MEASURED].itertuples(name=None)}
    reference = found.get(REFERENCE, Measured(math.nan, math.nan, 0))
    rows["gap"] = rows["value"] - reference.value
    told = [_verdict(one, reference) if label != REFERENCE else None for label, one in found.items()]
    rows["verdict"] = honest.tested(rows.index.to_series(), pd.Series(told, rows.index, object), worth)
    kept = rows[["value", "spread", "used", "gap", "verdict", "reason"]]
    return kept.sort_values("value", ascending=False, kind="stable", na_position="last").reset_index()


def plateau(rows: pd.DataFrame) -> int | None:
    """The smallest recorded budget from which on a curve stays within two points of its value at the largest one.

    None where it still moves before the largest, has no other, or catches nothing there.

    Args:
        rows: of one line, sorted by budget.
    """
    known = rows.dropna(subset=["value"])
    if known.empty or not known["value"].iloc[-1]:
        return None
    moving = ((known["value"] - known["value"].iloc[-1]).abs().round(6) > SETTLED).to_numpy()
    settled = known["budget"][~np.maximum.accumulate(moving[::-1])[::-1]]
    return int(settled.iloc[0]) if len(settled) > 1 else None


def headline(points: pd.DataFrame, at: int) -> str:
    """What further queries bring to the median published scheme, and from how many on the reference needs no more."""
    enough = plateau(points[points["label"] == REFERENCE])
    return _gains(points, at) + ("" if enough is None else f"; {words.enough(REFERENCE, enough)}")


def refused(points: pd.DataFrame, rule: Rule, benchmark: str) -> str:
    """The headline where a rule refuses every value for want of unrelated models; empty where it does not."""
    row = points.iloc[0]
    lineages = int(row["n_lineages"])
    if points["value"].notna().any() or allowed_below(lineages, kind=RULES[rule].kind) is not None:
        return ""
    return (
        f"The {rule} rule gives no value on {benchmark}{words.on_task(row['task'])}: it needs {min_pool(LEVEL)} independent "
        f"lineages of unrelated models, there {'is' if lineages == 1 else 'are'} {lineages}"
    )


def at_budget(points: pd.DataFrame, at: int, label: str = REFERENCE) -> float:
    """The value of one line at a budget; NaN where it has none."""
    found = points.loc[(points["label"] == label) & (points["budget"] == at), "value"]
    return float(found.iloc[0]) if len(found) else math.nan


def _gains(points: pd.DataFrame, at: int) -> str:
    wide = points[points["label"].isin(PUBLISHED)].pivot(index="label", columns="budget", values="value")
    last, which = int(points["budget"].max()), words.on_task(points["task"].iloc[0])
    if at not in wide or wide[at].isna().all():
        return words.headline(at, last, None, None) + which
    gains = (wide[last] - wide[at]).dropna()
    return words.headline(at, last, float(gains.median()) if len(gains) else None, float(wide[at].median())) + which


def against(rows: pd.DataFrame, at: int) -> str:
    """How schemes stand against the reference at one budget.

    Args:
        rows: from `values_at`.
    """
    told = rows.dropna(subset=["verdict"])
    return words.against(at, REFERENCE, list(zip(told["label"], told["verdict"], strict=True)))


def clicked(points: pd.DataFrame, point: Mapping[str, Any], pins: Sequence[str] = ()) -> str:
    """The label of a clicked point; where a line with a name passes as close, that one, because its marker hides the other.

    Args:
        point: with `x`, `y` and `customdata`, as Plotly reports it.
    """
    named = shown(points, pins)
    if point["customdata"] in named:
        return point["customdata"]
    at = points.loc[points["label"] == point["customdata"]]
    budget = at.iloc[(at["value"] - point["y"]).abs().argmin()]["budget"]
    there = points[(points["budget"] == budget) & points["label"].isin(named)]
    apart = (there["value"] - point["y"]).abs()
    return str(there.loc[apart.idxmin(), "label"]) if len(there) and apart.min() < MARKER else point["customdata"]


def basis(points: pd.DataFrame, rule: Rule = "paper") -> str:
    """How many unrelated models and lineages the values rest on."""
    row = points.iloc[0]
    return words.false_alarms(int(row["n_negatives"]), int(row["n_lineages"]), RULES[rule].kind, row["task"])


def subline(points: pd.DataFrame, rule: Rule = "paper", *, grey: int = 0) -> str:
    """What the values rest on.

    Args:
        grey: the number of other combinations that are drawn.
    """
    fewest, most = int(points["seeds"].min()), int(points["seeds"].max())
    seeds = words.counted(most, "query seed") if fewest == most else f"{fewest} to {most} query seeds"
    parts = [f"Means over {seeds} and {words.counted(int(points['n_victims'].iloc[0]), 'victim')}", basis(points, rule)]
    parts += [f"grey: {words.counted(grey, 'other combination')}"] * (grey > 0)
    return " · ".join(parts)


def bounded(rows: pd.DataFrame) -> bool:
    """Whether the band of a line is an interval over models."""
    return bool(rows["low"].notna().any())


def bands(points: pd.DataFrame) -> str:
    """What the bands are."""
    what = "95 % interval, bootstrap over models" if bounded(points) else "one standard deviation over query seeds"
    return f"band: {what}"


def alt(points: pd.DataFrame, pins: Sequence[str] = (), unit: Unit = "queries") -> str:
    """The chart in one sentence, for those who do not see it."""
    ends = _ends(lines(points, pins))
    said = ", ".join(f"{label} {words.percent(row['value'])} at {row['budget']} queries" for label, row in ends.items())
    between = f"{points['budget'].min()} to {points['budget'].max()} queries"
    against = between if unit == "queries" else f"{COSTS[unit].title.lower()} for {between}"
    return f"Lines of TPR at 5% false alarms against {against} on a log scale. They end at: {said}."


def figure(
    points: pd.DataFrame,
    *,
    rule: Rule = "paper",
    at: int = 100,
    pins: Sequence[str] = (),
    grey: bool = True,
    unit: Unit = "queries",
    style: Style | None = None,
) -> go.Figure:
    """TPR against budget on a log axis: named schemes in colour, the reference with its band, other mixes in grey.

    Args:
        points: from `curves`.
        at: the budget that gets a vertical line.
        pins: labels that get a band; a pinned mix also leaves the grey.
        grey: whether the other mixes are drawn.
        unit: what the budget is counted in.
        style: mode and stage of the page.
    """
    style, pins = style or Style(), tuple(pins)
    points, axis = placed(points, unit, shown(points, pins))
    drawn, nothing = lines(points, pins), dict.fromkeys(free(points, unit), COSTS[unit].none)
    banded = [label for label in drawn if label == REFERENCE or label in pins][: 2 if style.stage else None]
    traces = [_context(points, [label for label in mixes(points) if label not in pins], rule, style)] if grey else []
    traces += [_band(drawn[label], style.mark(label, pins)[0]) for label in banded]
    traces += [
        _line(rows, rule, style, style.mark(label, pins), bold=label in pins and label in SCHEMES)
        for label, rows in reversed(drawn.items())
    ]
    layout = _layout(style, _end_labels(drawn, style, pins, nothing)) | {"template": style.template}
    layout["xaxis"] = axis | {"showline": True, "linecolor": style.surface.muted}
    notes = layout["annotations"]
    if unit == "queries":
        layout["shapes"] = [_upright(at, style)]
        notes.append({"text": f"{at} queries", "x": math.log10(at), "xref": "x"} | _over(style))
    else:
        traces.append(_rings(points[points["label"].isin(list(drawn))], at, style))
        notes.append({"text": f"○ at {at} queries", "x": 1, "xref": "paper", "xanchor": "right"} | _over(style))
    return go.Figure(traces, layout)


def _verdict(one: Measured, reference: Measured) -> Verdict | None:
    return None if math.isnan(one.value) or math.isnan(reference.value) else words.verdict(one, reference)


def _context(points: pd.DataFrame, labels: list[str], rule: Rule, style: Style) -> go.Scatter:
    """All other mixes as one trace with gaps: a trace each would take several times as long to draw."""
    rows = points[points["label"].isin(labels) & points["budget"].isin(TICKS)]
    wide, places = (rows.pivot(index="label", columns="budget", values=name) for name in ("value", "place"))
    wide = wide.dropna(how="all")
    places = places.loc[wide.index]
    wide[math.nan] = places[math.nan] = math.nan
    names = np.repeat(wide.index.to_numpy(object), wide.shape[1])
    return go.Scatter(
        x=places.to_numpy(float).ravel(),
        y=wide.to_numpy().ravel().round(4),
        customdata=names,
        hovertext=np.array([plain(name) for name in names], object),
        text=[f"{budget:g}" for budget in wide.columns] * len(wide),
        hovertemplate=f"%{{hovertext}}<br>%{{y:.1%}} at %{{text}} queries<br>{basis(points, rule)}<extra></extra>",
        mode="lines+markers",
        line={"width": 1.5 if style.stage else 1, "color": faded(style.colour(OTHERS), 0.3)},
        # Lines alone cannot be clicked. These markers are for the pointer; few are drawn, which would take as
        # long as all the rest. Of two under the pointer Plotly takes the smaller: never one of these.
        marker={"size": style.marker + 1, "opacity": 0, "maxdisplayed": 1},
        name="other combinations",
        **ALWAYS_WHOLE,
    )


def _line(rows: pd.DataFrame, rule: Rule, style: Style, mark: tuple[str, str, str], *, bold: bool) -> go.Scatter:
    """One scheme: a line through every budget, with markers at the ticks."""
    colour, symbol, dash = mark
    recorded = rows.loc[rows["value"].notna(), "budget"]
    marked = rows["budget"].isin([*TICKS, recorded.min(), recorded.max()])
    hollow = symbol.endswith("-open")
    label = rows["label"].iloc[0]
    return go.Scatter(
        x=rows["place"].to_numpy(float),
        y=rows["value"].to_numpy(float),
        customdata=[label] * len(rows),
        hovertext=[_hover(row, rule) for row in rows[_HOVERED].itertuples()],
        hovertemplate="%{hovertext}<extra></extra>",
        mode="lines+markers",
        line={"width": style.line * (1.4 if bold else 1), "color": colour, "dash": dash},
        marker={
            "size": np.where(marked, style.marker, 0),
            "symbol": symbol,
            "color": colour,
            "opacity": 1,
            "line": {"width": 2 if hollow else 1, "color": colour if hollow else style.surface.background},
        },
        name=plain(label),
        **ALWAYS_WHOLE,
    )


_HOVERED = ["label", "value", "spread", "budget", "used", "seeds", "n_negatives", "n_lineages", "n_positives"]
_HOVERED += ["n_victims", "task", "distinct", "samples", "gradients", "low", "high"]


def _rings(rows: pd.DataFrame, at: int, style: Style) -> go.Scatter:
    """Where every line is at the chosen budget, if that is no place on the axis."""
    found = rows[rows["budget"] == at]
    ring = {
        "symbol": "circle-open",
        "size": 1.9 * style.marker,
        "color": style.surface.ink,
        "line": {"width": style.line / 2},
    }
    return go.Scatter(
        x=found["place"].tolist(), y=found["value"].tolist(), mode="markers", marker=ring, hoverinfo="skip", name="rings"
    )


def _band(rows: pd.DataFrame, colour: str) -> go.Scatter:
    """The interval over models where it is known, else plus and minus one standard deviation over query seeds."""
    if bounded(rows):
        rows = rows.dropna(subset=["low"])
        upper, lower = rows["high"].tolist(), rows["low"].tolist()
    else:
        rows = rows.dropna(subset=["value", "spread"])
        upper, lower = ((rows["value"] + sign * rows["spread"]).clip(0, 1).tolist() for sign in (1, -1))
    places = rows["place"].tolist()
    return go.Scatter(
        x=places + places[::-1],
        y=upper + lower[::-1],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=faded(colour, 0.13),
        hoverinfo="skip",
        name="band",
    )


def _hover(row: tuple, rule: Rule) -> str:
    if math.isnan(row.value):
        return ""
    sent = "" if row.used == row.budget else f" ({row.used:g} sent)"
    return (
        f"<b>{plain(row.label)}</b>  {words.precise(row.value, row.spread)}{honest.hovered(row.low, row.high)}<br>"
        f"{row.budget} queries{sent}, {words.counted(row.seeds, 'query seed')}<br>"
        f"{words.false_alarms(row.n_negatives, row.n_lineages, RULES[rule].kind, row.task)}<br>"
        f"{words.counted(row.n_positives, 'stolen model')} of {words.counted(row.n_victims, 'victim')}<br>"
        f"{_costs(row)}"
    )


def _costs(row: tuple) -> str:
    if math.isnan(row.samples):
        return "other costs were not published"
    repeated = f"{words.counted(round(row.distinct), 'distinct image')}, " if row.distinct < row.used else ""
    spent = (
        f"{words.counted(round(row.samples), 'labelled image')}, {words.counted(round(row.gradients), 'victim gradient')}"
    )
    return repeated + spent


def _layout(style: Style, labels: list[dict[str, Any]]) -> dict[str, Any]:
    """The upright axis, and room for the labels."""
    longest = max((len(re.sub("<[^>]*>", "", line)) for label in labels for line in label["text"].split("<br>")), default=0)
    return {
        "height": style.height,
        "margin": _margin(style) | {"r": style.text * (1.5 + 0.53 * longest)},
        "yaxis": {"range": [0, TOP], "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1], "tickformat": ".0%", "ticklabelstandoff": 6},
        "annotations": [{"text": "TPR@5%", "x": 0, "xref": "paper", "xanchor": "right"} | _over(style), *labels],
    }


def _upright(at: int, style: Style) -> dict[str, Any]:
    """The line at the chosen budget."""
    line = {"color": style.surface.muted, "width": style.line / 2, "dash": "4px,4px"}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "layer": "below", "line": line}


def _over(style: Style) -> dict[str, Any]:
    """A note above the axis."""
    muted = {"color": style.surface.muted, "size": style.text}
    return {"y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": muted}


def _margin(style: Style) -> dict[str, float]:
    return {"l": 4 * style.text, "t": 2.6 * style.text, "b": 4 * style.text}


def _end_labels(
    drawn: dict[str, pd.DataFrame], style: Style, pins: tuple[str, ...], nothing: dict[str, str]
) -> list[dict[str, Any]]:
    """The name and last value of every line to its right, spread apart and kept inside the axis."""
    ends = _ends(drawn)
    last = max((int(row["budget"]) for row in ends.values()), default=0)
    texts = {label: _end_text(label, row, last, nothing.get(label, "")) for label, row in ends.items()}
    margin, size = _margin(style), style.text * 1.05
    # A little more than a line's height, because a page may draw the chart less high than it asks.
    line = 1.75 * size * TOP / (style.height - margin["t"] - margin["b"])
    heights = [line * (1 + text.count("<br>")) for text in texts.values()]
    centres = spread([row["value"] for row in ends.values()], heights, 0, TOP)
    place = {"x": 1, "xref": "paper", "xanchor": "left", "yanchor": "middle", "align": "left", "showarrow": False}
    return [
        {"text": text, "y": centre, "font": {"color": style.legible(style.mark(label, pins)[0]), "size": size}} | place
        for (label, text), centre in zip(texts.items(), centres, strict=True)
    ]


def _ends(drawn: dict[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """The last point of every line."""
    return {label: rows.loc[rows["value"].last_valid_index()] for label, rows in drawn.items()}


def _end_text(label: str, row: pd.Series, last: int, nothing: str) -> str:
    """`name 74%`; a mix takes two lines; a line that stops early says where, and one that costs nothing says so."""
    stops = f" at {row['budget']}" if row["budget"] < last else ""
    sampler, bar, rest = plain(label).partition(" | ")
    parts = [f"<b>{sampler}</b> {words.percent(row['value'])}{stops}", *[rest] * bool(bar), *[nothing] * bool(nothing)]
    return "<br>".join(parts)
