"""Ways to take a view away: its data, its picture, and what computes it again."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from qurd_core.benchfile import ENDING, BenchFile
from qurd_core.evaluation import evidence
from qurd_core.plots import words

if TYPE_CHECKING:
    from pandas import DataFrame


def menu(
    rows: "DataFrame",
    file_name: str,
    *,
    benchmark: str,
    schemes: list[str],
    unsaved: BenchFile | None = None,
    **request: Any,
) -> None:
    """The menu behind a button.

    Args:
        rows: written as CSV when the button in the menu is pressed, not before.
        file_name: of the downloads, without ending.
        benchmark, schemes, request: what `words.command_line` and `words.python_code` take.
        unsaved: a bench that the app does not keep; it can be downloaded, and stands in place of the benchmark.
    """
    asked = f"{file_name}{ENDING}" if unsaved else benchmark
    request["base"] = evidence.base_of(benchmark)
    command, code = words.command_line(asked, schemes, **request), words.python_code(asked, schemes, **request)
    offer(rows, file_name, command, code, unsaved)


def offer(rows: "DataFrame", file_name: str, command: str, code: str, unsaved: BenchFile | None = None) -> None:
    """The menu, with the command line and the Python that compute a view again."""
    with st.popover("Export", icon=":material/ios_share:", type="tertiary"):
        st.download_button(
            "Data as CSV",
            data=lambda: rows.to_csv(index=False),
            file_name=f"{file_name}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        if unsaved:
            st.download_button(
                "Your benchmark as a file, which the command reads",
                data=lambda: unsaved.text,
                file_name=f"{file_name}{ENDING}",
                mime="application/json",
                icon=":material/download:",
                on_click="ignore",
            )
        st.segmented_control(
            "Picture: the camera above the chart gives", ("svg", "png"), default="svg", required=True, key="picture"
        )
        st.markdown("**Compute this again**")
        st.code(command, language="bash", wrap_lines=True)
        st.code(code, language="python", wrap_lines=True)


def chart_config(file_name: str, *, stage: bool) -> dict[str, Any]:
    """Plotly's bar above a chart: only the camera, and nothing on stage."""
    picture = {"format": st.session_state.get("picture", "svg"), "filename": file_name, "scale": 2}
    return {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "displayModeBar": not stage,
        "toImageButtonOptions": picture,
    }
