"""Ways to take a view away: its data, its picture, and what computes it again."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.links import plain
from qurd_core.benchmarks.saved_benchmarks import ENDING, BenchFile
from qurd_core.findings.language.again import Again
from qurd_core.plots.drawing import files
from qurd_core.statistics.printed import latex

if TYPE_CHECKING:
    from pandas import DataFrame
    from plotly.graph_objects import Figure


def offer(
    rows: "DataFrame | Callable[[], DataFrame]",
    file_name: str,
    again: Again,
    unsaved: BenchFile | None = None,
    chart: "Figure | None" = None,
) -> None:
    """The menu behind a button.

    Args:
        rows: written as CSV or LaTeX, and made if they are not yet, when the button in the menu is pressed.
        file_name: of the downloads, without ending.
        again: what computes the view again.
        unsaved: a bench that the app does not keep; it can be downloaded, and the command reads it.
        chart: what is on screen; a browser beside the server makes a PDF of it, which the camera cannot.
    """

    def made() -> "DataFrame":
        return rows() if callable(rows) else rows

    with st.popover("Export", icon=":material/ios_share:", type="tertiary"):
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


def _download(label: str, data: "Callable[[], str | bytes]", file_name: str, mime: str) -> None:
    """A button that makes a file when it is pressed, without running the page again."""
    st.download_button(label, data, file_name, mime, icon=":material/download:", on_click="ignore")


def chart_config(file_name: str, *, stage: bool) -> dict[str, Any]:
    """Plotly's bar above a chart: only the camera, and nothing on stage."""
    picture = {"format": st.session_state.get("picture", "svg"), "filename": file_name, "scale": 2}
    return {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "displayModeBar": not stage,
        "toImageButtonOptions": picture,
    }
