"""The card of a scheme: its idea, what it needs, and four lines with the field's names. Works in a panel and in a dialog."""

from html import escape

import streamlit as st
from pandas import DataFrame

from pages.ui import cached, running
from qurd_core.findings import card
from qurd_core.findings.language import words, worth_words
from qurd_core.jobs.queue import Job
from qurd_core.plots.drawing.theme import GLYPHS, SCHEMES, Style
from qurd_core.records import evidence, rate_records, scheme_table
from qurd_core.schemes import Scheme
from qurd_core.statistics.metrics import RULES, Rule
from qurd_core.views import leaderboard


def show(
    benchmark: str, label: str, at: int, *, style: Style, rule: Rule = "paper", pins: tuple[str, ...] = (), note: str = ""
) -> None:
    """Draw the card of a recorded scheme.

    Args:
        label: its name or its text.
        at: the budget.
        pins: the pinned schemes, for the mark that it has in the chart.
        note: a sentence below the name, in plain text.
    """
    schemes = cached.schemes()
    about = leaderboard.about(schemes, label)
    if about is None:
        st.caption("No values of this combination are recorded.")
        return
    scheme = str(about["scheme"])
    rows, hard = (_of(cached.by_task(benchmark, at, hard=also), scheme) for also in (False, True))
    alarms = None
    if rate_records.has_scores(evidence.base_of(benchmark)):
        alarms = leaderboard.false_alarms(cached.scores(benchmark), cached.pairs(benchmark), scheme, at, RULES[rule].kind)
    worth = cached.worth(benchmark, leaderboard.SAME, at, hard=False, rule=rule)
    interval = worth_words.interval(*worth.loc[label, ["low", "high"]]) if label in worth.index else ""
    less = _less(benchmark, scheme_table.twins(schemes).get(scheme), at, rule)
    _draw(about, card.lines(rows, rule, alarms, hard, interval), _mark(label, style, pins), note, less, style)


def show_run(scheme: Scheme, job: Job, at: int, *, style: Style, rule: Rule) -> None:
    """Draw the card of a scheme from what a run has left of it."""
    rows, seeds = running.by_task(job, at, hard=False)
    hard, _ = running.by_task(job, at, hard=True)
    if rows is None or hard is None:
        st.caption(f"The run has left no value at {words.counted(at, 'query')}.")
        return
    about = leaderboard.about_any(scheme)
    pool = job.args["pool"]
    note = f"Live, on {seeds} query seeds" + (f", calibrated on {words.counted(len(pool), 'lineage')}" if pool else "")
    _draw(about, card.lines(rows, rule, None, hard), _mark(scheme.name or "", style, ()), f"{note}.", "", style)


def _draw(about: dict, lines: list[card.Line], mark: str, note: str, less: str, style: Style) -> None:
    terms = "".join(f"<dt>{line.term}<b>{escape(line.value)}</b></dt><dd>{escape(line.note)}</dd>" for line in lines)
    look = _LOOK.format(muted=style.surface.muted, border=style.surface.border)
    parts = [
        f"<h3>{mark}{escape(str(about['name'] or 'Unpublished combination'))}</h3>",
        f"<p><b>{escape(note)}</b></p>" * bool(note),
        f"<p>{escape(str(about['idea']))}</p>",
        f"<code>{escape(str(about['scheme']))}</code>",
        f"<dl>{terms}</dl>",
        f"<p class='muted'>The suspect must reveal {escape(str(about['access']))}. {escape(less)}</p>",
        f"<p class='muted'>{escape(_source(about))}</p>",
        *(f"<p class='muted'>{escape(told)}</p>" for told in card.limits(about["name"])),
    ]
    st.html(f"{look}<div class='scheme-card'>{''.join(parts)}</div>")


def _of(table: DataFrame, scheme: str) -> DataFrame:
    return table[table["scheme"] == scheme]


def _mark(label: str, style: Style, pins: tuple[str, ...]) -> str:
    if label not in SCHEMES and label not in pins:
        return ""
    colour, symbol, _ = style.mark(label, pins)
    return f"<i style='color:{colour}'>{GLYPHS.get(symbol, '●')}</i> "


def _less(benchmark: str, twin: str | None, at: int, rule: Rule) -> str:
    """What is left of a scheme where the suspect reveals less."""
    if not twin:
        return ""
    rows = _of(cached.by_task(benchmark, at, hard=False), twin).set_index("task")[RULES[rule].value].dropna()
    return f"The same scheme on probits catches {words.precise(rows['all'])}." if "all" in rows.index else ""


def _source(about: dict) -> str:
    if not about["source"]:
        return "Nobody published this combination, as far as we know."
    made = f" A reconstruction. {about['reconstruction']}" if about["reconstruction"] else ""
    return f"Source: {about['source']}.{made}"


_LOOK = """
<style>
.scheme-card {{ border: 1px solid {border}; border-radius: .6rem; padding: .7rem .9rem; overflow-wrap: anywhere; }}
.scheme-card * {{ font-size: .9rem; line-height: 1.35; }}
.scheme-card h3 {{ padding: 0; margin: 0 0 .3rem; font-size: 1.05rem; }}
.scheme-card i {{ font-style: normal; }}
.scheme-card p {{ margin: 0 0 .4rem; }}
.scheme-card code {{ font-size: .8rem; }}
.scheme-card dl {{ margin: .5rem 0; padding: 0; }}
.scheme-card dt {{ display: flex; justify-content: space-between; font-weight: 400; border-top: 1px solid {border};
  margin: 0; padding: .25rem 0 0; font-variant-numeric: tabular-nums; }}
.scheme-card dd, .scheme-card .muted {{ color: {muted}; font-size: .8rem; margin: 0 0 .3rem; padding: 0; }}
</style>
"""
