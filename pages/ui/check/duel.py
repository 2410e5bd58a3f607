"""A duel: two suspects whose names nobody sees until the seal of the question is opened, act by act."""

from html import escape

import streamlit as st
from plotly.graph_objects import Figure

from pages.ui import cached, controls, export, frame, story
from pages.ui.budget import play
from pages.ui.check.asking import Asked
from pages.ui.check.course import Course
from qurd_core import plots
from qurd_core.errors import QurdError
from qurd_core.findings.check import duel as words
from qurd_core.findings.check import verdicts
from qurd_core.plots.drawing.theme import Style
from qurd_core.records import sealed
from qurd_core.views.check.checked import Checked

ACTS = {
    "models": "two models",
    "seal": "the seal",
    "play": "the queries",
    "verdict": "the verdict",
    "opened": "the seal opened",
}


def fits(asked: Asked, course: Course) -> bool:
    """Whether there is a duel to be shown: two suspects that were asked about by peaks, and the evidence."""
    checked = course.checked
    return (
        asked.view == "duel"
        and course.done
        and checked.has_path
        and course.evidence is not None
        and len(asked.suspects) == 2
    )


def show(head: st.delta_generator.DeltaGenerator, asked: Asked, course: Course, style: Style) -> None:
    """The whole view."""
    checked = course.checked
    with st.container(key="controls-act"):
        act = controls.segments("Act", [*ACTS], "act", "act", ACTS.get)
    kinds = cached.kinds(asked.bench, asked.victim)
    about = f"{checked.scheme}, {checked.budget} queries · seal {checked.seal[: verdicts.DIGITS]}"
    if act == "models":
        frame.finding(head, words.models(checked, kinds), about)
        _cards(checked, style)
    elif act == "seal":
        frame.finding(head, words.SEALED, about)
        _seal(checked, style)
    elif act == "opened":
        _opened(head, checked, course, kinds, about, style)
    else:
        frame.finding(head, words.play(checked) if act == "play" else words.verdict(checked), about)
        sent = 1 if act == "play" else checked.budget
        question = ("duel", asked, checked.seal, sent, style)
        chart = cached.once(question, lambda: _reel(checked, sent, style))
        with frame.tall(rows=3, wide=900, high=400):
            export.chart(chart, "reel", f"duel-{asked.bench}", style, words.alt(checked.paths, checked.unnamed))
        play.by_keys()


def _reel(checked: Checked, sent: int, style: Style) -> Figure:
    """A few hundred kilobytes."""
    return plots.check.duel.figure(checked.paths, names=checked.unnamed, sent=sent, bar=checked.bar, style=style)


def _cards(checked: Checked, style: Style) -> None:
    """Two models without a name."""
    cards = "".join(
        f'<div class="unnamed"><b>{letter[-1]}</b><span>?</span></div>' for letter in sorted(checked.unnamed.values())
    )
    _html(f'<div class="pair">{cards}</div>', style)


def _seal(checked: Checked, style: Style) -> None:
    """The seal number, to be read and to be photographed."""
    number = checked.seal
    groups = " ".join(number[start : start + 8] for start in range(0, len(number), 8))
    code, digits = st.columns([1, 2.4], gap="large", vertical_alignment="center")
    with code:
        st.image(story.drawn(number), width="stretch")
    with digits:
        _html(f'<p class="number">{groups}</p>', style)


def _opened(
    head: st.delta_generator.DeltaGenerator,
    checked: Checked,
    course: Course,
    kinds: dict[str, str],
    about: str,
    style: Style,
) -> None:
    """Who the models are, and whether everything matches: computed while the page is drawn."""
    try:
        held = sealed.held_in(course.evidence)
        faults, number = sealed.faults_of(held), sealed.sha(held[sealed.SEAL])
    except (QurdError, KeyError) as error:
        held, faults, number = {}, [str(error)], ""
    if not faults and number != checked.seal:
        faults = ["its seal is another one than the one that was shown."]
    frame.finding(head, words.opened(checked, kinds, faults), about)
    if faults:
        return
    tables = [sealed.rows_of(held, name) for name in (sealed.QUERIES, sealed.REFERENCE)]
    models, answers = len({row["model"] for row in tables[1]}), len(held[sealed.ANSWERS].splitlines())
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in words.rows(checked, kinds))
    told = "".join(f"<p>✓ {escape(said)}</p>" for said in words.checks(checked, number, len(tables[0]), models, answers))
    _html(f'<table class="opened"><tbody>{body}</tbody></table><div class="checks">{told}</div>', style)


def _html(body: str, style: Style) -> None:
    surface = style.surface
    look = _LOOK % {"border": surface.border, "panel": surface.panel, "muted": surface.muted, "ink": surface.ink}
    st.html(f'{look}<div class="act{" wall" if style.stage else ""}">{body}</div>')


_LOOK = """
<style>
.act { font-size: 1rem; }
.act.wall { font-size: 1.3rem; }
.act.wall .opened td:not(:nth-child(2)) { white-space: nowrap; }
.pair { display: flex; gap: 2em; justify-content: center; padding: 2em 0; }
.unnamed { flex: 0 1 18em; border: 1px solid %(border)s; border-radius: .6em; background: %(panel)s; text-align: center;
  padding: 2em 0 3em; color: %(muted)s; }
.unnamed span { font-size: 6em; line-height: 1.2; }
.unnamed b { display: block; font-size: 3em; color: %(ink)s; }
.number { font-family: monospace; font-size: 1.9em; line-height: 1.6; margin: 0;
  overflow-wrap: anywhere; }
.opened { border-collapse: collapse; font-size: 1em; margin: .5em 0 1em; }
.opened td { border-bottom: 1px solid %(border)s; padding: .6em 1.4em .6em 0; }
.opened td:first-child { font-weight: 700; }
.checks p { margin: 0 0 .4em; overflow-wrap: anywhere; font-size: 1em; }
</style>
"""
