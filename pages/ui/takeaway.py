"""What can be taken away from the Queries page: facts as CSV, and the code that computes them again."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.ui.sides import Side
from qurd_core.plots import gallery, words

if TYPE_CHECKING:
    from pandas import DataFrame


def queries(both: list[Side]) -> None:
    """The facts of every card of both sides."""
    there = [side for side in both if side.queries is not None]
    asked = both[0].asked

    def facts() -> "DataFrame":
        tables = [side.queries.export(side.asked.budget) for side in there]
        shared = {"victim_model": asked.victim, "suspect_model": asked.suspect, "query_seed": asked.seed}
        return pd.concat([pd.DataFrame(), *tables], ignore_index=True).assign(**shared)

    samplers = list(dict.fromkeys(side.asked.sampler for side in both))
    command = words.command_line(
        asked.bench,
        [f"{sampler} | labels | hamming" for sampler in samplers],
        [asked.budget],
        seeds=asked.seed + 1,
        task="all",
        hard=False,
    )
    code = gallery.python_code(asked.bench, asked.victim, asked.suspect, samplers, asked.seed, asked.budget)
    _menu(facts, f"queries-{asked.bench}-{asked.seed}", code, command)


def telling(bench: str, victim: str, table: "DataFrame") -> None:
    """The shares of the discriminative images."""
    _menu(lambda: table, f"telling-{bench}", gallery.telling_code(bench, victim), None)


def _menu(facts: Callable[[], "DataFrame"], file_name: str, code: str, command: str | None) -> None:
    with st.popover("Export", icon=":material/ios_share:", type="tertiary"):
        st.download_button(
            "Data as CSV",
            data=lambda: facts().to_csv(index=False),
            file_name=f"{file_name}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.markdown("**Compute this again**")
        st.code(code, language="python", wrap_lines=True)
        if command:
            st.markdown("**What all suspects answer to these queries**")
            st.code(command, language="bash", wrap_lines=True)
