"""What a page shows when there is nothing to draw."""

from collections.abc import Mapping

import streamlit as st

from pages.ui import importing
from pages.ui.links import plain
from qurd_core.records import rate_records
from qurd_core.statistics.metrics import Rule


def no_records(benchmark: str) -> None:
    """Nothing was measured yet: why, and the one way out."""
    with st.container(border=True):
        st.subheader("No records yet")
        st.write(f"Nothing has been measured on {benchmark}. This command measures every combination and keeps the result:")
        st.code(rate_records.rebuild(benchmark), language="bash")


def scores_only(benchmark: str, why: str) -> None:
    """A published benchmark has scores and no models.

    Args:
        why: what needs more than scores, as the start of a sentence.
    """
    with st.container(border=True):
        st.subheader("Published scores only")
        st.write(
            f"{why}. Of {benchmark} the authors published scores, distances and accuracies. "
            "Embedded benchmarks have images and models, too."
        )
        st.button(
            f"Show {rate_records.EMBEDDED[0]}",
            type="primary",
            on_click=st.session_state.update,
            args=[{"bench": rate_records.EMBEDDED[0]}],
        )


def not_imported(benchmark: str, why: str) -> None:
    """The single scores of a published benchmark come with an import.

    Args:
        why: what needs them, as the start of a sentence.
    """
    with st.container(border=True):
        st.subheader("Not imported yet")
        st.write(
            f"{why}. This app ships a summary of {benchmark}; the 2.7 million scores lie in the folder `generated` of the "
            "authors' repository grodino/QuRD (commit d6f18d2). This command reads a checkout of it:"
        )
        st.code(rate_records.rebuild(benchmark), language="bash")
        importing.card(benchmark)


def refused(reasons: Mapping[str, str], rule: Rule) -> None:
    """No value can be shown: why, and the rule that asks for less."""
    with st.container(border=True):
        st.subheader("No value can be shown")
        not_drawn(reasons)
        if rule != "paper":
            st.button("Show the paper rule", type="primary", on_click=_take_paper_rule)


def not_drawn(reasons: Mapping[str, str]) -> None:
    """Lines that are missing from a chart, those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for label, reason in reasons.items():
        by_reason.setdefault(reason, []).append(label)
    for reason, labels in by_reason.items():
        st.markdown(f":gray[**{plain(', '.join(labels), 300)}**: {plain(reason, 300)}]")


def _take_paper_rule() -> None:
    st.session_state["rule"] = "paper"
