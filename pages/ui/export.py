"""What a view shows and gives away: its chart, its data, its picture, and what computes it again."""

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st
from pandas import DataFrame
from plotly.graph_objects import Figure

from pages.ui import definitions, frame
from pages.ui.links import plain
from qurd_core.benchmarks.saved_benchmarks import ENDING, BenchFile
from qurd_core.findings.language.again import Again
from qurd_core.plots.drawing import files
from qurd_core.plots.drawing.theme import Style
from qurd_core.statistics.printed import latex


def offer(
    rows: DataFrame | Callable[[], DataFrame],
    file_name: str,
    again: Again,
    unsaved: BenchFile | None = None,
    chart: Figure | None = None,
) -> None:
    """The menu behind a button, in the row above the page, beside the definitions.

    Args:
        rows: written as CSV or LaTeX, and made if they are not yet, when the button in the menu is pressed.
        file_name: of the downloads, without ending.
        again: what computes the view again.
        unsaved: a bench that the app does not keep; it can be downloaded, and the command reads it.
        chart: what is on screen; a browser beside the server makes a PDF of it, which the camera cannot.
    """

    def made() -> DataFrame:
        return rows() if callable(rows) else rows

    with frame.tools():
        definitions.show()
    with frame.tools(), st.popover("Export", icon=":material/ios_share:", type="tertiary"):
        _download("Data as CSV", lambda: made().to_csv(index=False), f"{file_name}.csv", "text/csv")
        _download("Data as a LaTeX table", lambda: latex(made().to_dict("records")), f"{file_name}.tex", "text/x-tex")
        if unsaved:
            said = "Your benchmark as a file, which the command reads"
            _download(said, lambda: unsaved.text, f"{file_name}{ENDING}", "application/json")
        if chart and files.can_draw():
            _download("Chart as PDF", lambda: files.drawn(chart), f"{file_name}.pdf", "application/pdf")
        elif chart:
            st.caption(plain(files.NO_BROWSER, 600))
        st.segmented_control(
            "Picture: the camera above the chart gives", ("svg", "png"), default="svg", required=True, key="picture"
        )
        st.markdown("**Compute this again**")
        if again.command:
            st.code(again.command, language="bash", wrap_lines=True)
        if again.code:
            st.code(again.code, language="python", wrap_lines=True)
        if again.note:
            st.caption(plain(again.note, 600))


def _download(label: str, data: Callable[[], str | bytes], file_name: str, mime: str) -> None:
    """A button that makes a file when it is pressed, without running the page again."""
    st.download_button(label, data, file_name, mime, icon=":material/download:", on_click="ignore")


def chart(
    figure: Figure,
    key: str,
    file_name: str,
    style: Style,
    alt: str,
    on_select: Literal["ignore"] | Callable[[], None] = "ignore",
    **more: Any,
) -> None:
    """Draw a chart in the room that it has. Of Plotly's bar above it only the camera is there, and nothing on stage.

    Args:
        file_name: of its picture, without ending.
        alt: the chart in words, for those who do not see it.
        on_select: called when a mark is clicked.
    """
    picture = {"format": st.session_state.get("picture", "svg"), "filename": file_name, "scale": 2}
    bar = {"displaylogo": False, "modeBarButtons": [["toImage"]], "displayModeBar": not style.stage}
    shown = {"theme": None, "height": "stretch", "selection_mode": "points"} | more
    st.plotly_chart(figure, key=key, alt=alt, on_select=on_select, config=bar | {"toImageButtonOptions": picture}, **shown)
