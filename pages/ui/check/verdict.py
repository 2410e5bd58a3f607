"""What a check has found: the chart, the panel beside it, and a table of several suspects."""

import math
from pathlib import Path

import streamlit as st
from pandas import DataFrame
from plotly.graph_objects import Figure

from pages.ui import cached, export, frame
from pages.ui.check.asking import Asked
from pages.ui.check.course import Course
from pages.ui.links import plain
from qurd_core import findings, plots
from qurd_core.findings.check import verdicts as words
from qurd_core.findings.language import verdict_words
from qurd_core.findings.language.model_names import readable
from qurd_core.plots.drawing.theme import Style
from qurd_core.records.rate_records import BUDGETS
from qurd_core.statistics.printed import fixed, percent
from qurd_core.views.check.checked import Checked

BESIDE = [2, 1]  # widths of the chart and of the panel


def chart(asked: Asked, checked: Checked, style: Style) -> None:
    """Distances, or the paths of evidence."""
    name = f"check-{asked.bench}"
    path = asked.view == "path" and checked.has_path
    draw = _path if path else _dots
    figure = cached.once(
        ("check", draw.__name__, asked, checked.sent, checked.done, checked.seal, style), lambda: draw(checked, style)
    )
    alt = words.alt_path(checked) if path else words.alt_dots(checked)
    with frame.tall(rows=2, wide=640, high=400):
        export.chart(figure, "verdicts", name, style, alt)


def _dots(checked: Checked, style: Style) -> Figure:
    title = f"Distance to {plain_name(checked.victim)} by {checked.scheme} at {checked.budget} queries (small = close)"
    return plots.check.dots.figure(checked.dots, title=title, threshold=checked.threshold, style=style)


def _path(checked: Checked, style: Style) -> Figure:
    bar = checked.bar if checked.stop == "peak" else None
    return plots.check.path.figure(checked.paths, queries=checked.budget, bar=bar, style=style)


def plain_name(model: str) -> str:
    """A readable name as Plotly shows it."""
    return findings.language.words.plain(readable(model))


def panel(asked: Asked, course: Course) -> None:
    """What the verdict rests on, what it does not say, the evidence, and how to ask more."""
    checked = course.checked
    first = checked.verdicts[0]
    for verdict in checked.verdicts:
        if verdict.said == "refused":
            why, todo = words.refusal(verdict)
            st.warning(plain(f"{why} {todo}".strip(), 600))
    _part("Does the pool fit?", [words.fit(one) for one in checked.verdicts] + list(checked.notes))
    told = next((one for one in checked.verdicts if one.said != "refused"), None)
    if told:
        _part("What this does not say", [*verdict_words.limits(words.named(told)), words.misses(told)])
    st.markdown("**Evidence**")
    if checked.seal:
        st.code(checked.seal, language=None, wrap_lines=True)
        evidence(course.evidence, checked.seal, ships=course.ships)
    else:
        st.caption(plain(checked.unsealed or "Nothing was asked, so nothing was sealed.", 600))
    if first.said != "refused":
        more(asked)


def evidence(path: Path | None, seal: str, *, ships: bool) -> None:
    """The file for a third party, and what it is for."""
    if path is None:
        gone = "does not ship with the program" if ships else "is gone"
        st.caption(f"The file of this evidence {gone}. Check again to make another one, with a seal of its own.")
        return
    name = f"evidence-{seal[: words.DIGITS]}.zip"
    st.download_button("Evidence", path.read_bytes, name, "application/zip", icon=":material/download:", on_click="ignore")
    st.caption("The command qurd verify computes hashes and verdicts again, on any machine and without a model.")


def more(asked: Asked) -> None:
    """Larger budgets; each is a question of its own."""
    larger = [budget for budget in BUDGETS if budget > asked.budget and budget in (200, 400)]
    st.markdown("**Ask more**")
    if larger:
        st.button(f"{larger[0]} queries", key="more", on_click=st.session_state.update, args=[{"budget": larger[0]}])
    st.caption("Each is a new question with a seal of its own: whoever looks at several has to count all of them.")


def table(checked: Checked) -> None:
    """A row per suspect."""
    st.dataframe(rows(checked), hide_index=True, width="stretch")


def rows(checked: Checked) -> DataFrame:
    """What is told of every suspect."""
    return DataFrame(
        [
            {
                "suspect": readable(one.suspect),
                "verdict": words.SAID[one.said],
                f"p after {one.questions} questions": _share(one.p_adjusted),
                "p alone": _share(one.p),
                "distance": "" if math.isnan(one.score) else fixed(one.score, 3),
                "queries used": f"{one.used} of {one.asked}",
                "right on easy images": "" if one.fit is None else f"{one.fit.right} of {one.fit.asked}",
            }
            for one in checked.verdicts
        ]
    )


def _share(p: float) -> str:
    return "" if math.isnan(p) else percent(p)


def _part(title: str, texts: list[str]) -> None:
    st.markdown(f"**{title}**")
    for text in filter(None, texts):
        st.caption(plain(text, 600))
