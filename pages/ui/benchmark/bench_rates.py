"""What the named schemes reach on the pairs that your benchmark keeps: pooled, per task, and how they part."""

from collections.abc import Sequence
from html import escape

import streamlit as st
from pandas import DataFrame

from pages.ui import links, panel
from qurd_core.findings.language import words
from qurd_core.plots.drawing.theme import GLYPHS, Style
from qurd_core.statistics.printed import fixed
from qurd_core.views import designer

RATES = ("pooled", "tasks")  # all tasks together, or each
MOVED = 0.005  # change of a rate from which on it stands out

_COMPACT = """
<style>
.st-key-tasks .values td, .st-key-tasks .values th { padding: .15rem .1rem; font-size: .85rem; }
.st-key-tasks .values th:not(:first-child) { width: %.1f%%; }
.st-key-tasks .values i { width: auto; }
</style>
"""


def pooled(found: DataFrame, style: Style) -> None:
    """TPR over all tasks now, and what changed.

    Args:
        found: rows of `designer.compare` for all tasks together.
    """
    head = "<tr><th>Scheme</th><th>TPR@5%</th><th>change</th></tr>"
    body = ""
    for row in found.itertuples():
        name = f"{panel.mark(row.label, style, (row.label,))}<b>{escape(row.label)}</b>"
        value = words.precise(row.after, row.spread) if row.after == row.after else "–"
        change = words.points(row.change).removesuffix(" points") if row.change == row.change else ""
        body += f"<tr><td>{name}</td><td>{value}</td><td>{change}</td></tr>"
    panel.table(head, body, style)


def by_task(found: DataFrame, tasks: Sequence[str], style: Style) -> None:
    """TPR per task: a row per task, a column per scheme under its mark.

    Args:
        found: all rows of `designer.compare`.
        tasks: of the whole benchmark, `"all"` first.
    """
    labels = found.loc[found["task"] == "all", "label"].tolist()
    rates = {(row.task, row.label): row for row in found.itertuples()}
    marks = "".join(f'<th title="{escape(label)}">{panel.mark(label, style, (label,))}</th>' for label in labels)
    body = ""
    for task in tasks:
        cells = "".join(_cell(rates.get((task, label)), task, label) for label in labels)
        body += f"<tr><td>{escape(words.task(task))}</td>{cells}</tr>"
    st.html(_COMPACT % (68 / max(len(labels), 1)))
    with st.container(key="tasks"):
        panel.table(f"<tr><th>TPR@5%, %</th>{marks}</tr>", body, style)
    said = ", ".join(f"{GLYPHS[style.mark(label, (label,))[1]]}\u00a0{label}" for label in labels)
    st.caption(f"{links.plain(said, 400)}. **Bold**: the rate has changed; hovering tells by how much.")


def separation(found: DataFrame, label: str, before: float, now: float) -> str:
    """How well one scheme parts stolen from unrelated models.

    Args:
        found: rows of `designer.compare`.
        before, now: its overlap with every pair and with those that are kept.
    """
    rows = found[(found["label"] == label) & (found["task"] == "all")]
    if rows.empty:
        return f"{label} has no value at this budget."
    row = rows.iloc[0]
    auc, auc_before = (fixed(value, 2) if value == value else "none" for value in (row["auc"], row["auc_before"]))
    shared, shared_before = (words.percent(value) if value == value else "none" for value in (now, before))
    return f"Separation by {label}: AUC {auc}, overlap {shared}; with every pair AUC {auc_before}, overlap {shared_before}."


def level(kept: DataFrame) -> str:
    """The number of unrelated models and lineages, and the level that they allow."""
    number, lineages = designer.weakest(kept)
    if not number:
        return "A victim has a task without any unrelated model: no false-alarm rate can be guaranteed."
    have = f"{words.counted(number, 'unrelated model')} of {words.counted(lineages, 'lineage')}"
    rate = f"{100 / (number + 1):.1f}\u00a0%"
    return f"Fewest for a victim and task: {have}; lowest false-alarm rate that can be guaranteed: {rate}."


def _cell(row: tuple | None, task: str, label: str) -> str:
    """A whole percentage; hovering tells whose, its spread and its change."""
    if row is None or row.after != row.after:
        return f'<td title="{escape(f"{label} on {words.task(task)}: no value")}">–</td>'
    told = f"{label} on {words.task(task)}: {words.precise(row.after, row.spread)}"
    moved = abs(row.change) >= MOVED
    told += f", {words.points(row.change)}" if row.change == row.change else ""
    value = fixed(100 * row.after, 0)
    return f'<td title="{escape(told)}">{f"<b>{value}</b>" if moved else value}</td>'
