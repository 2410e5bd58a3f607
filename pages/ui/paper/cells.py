"""From a cell of the Atlas to Compose."""

import streamlit as st

from pages.ui import frame, links

KEY = "cells"  # of the chart whose cells are clicked


def compose() -> None:
    """Show on Compose the combination that the clicked cell stands for."""
    for point in st.session_state[KEY].selection.points:
        frame.go(links.Target("compose", {"bench": st.session_state["bench"], "pick": point["customdata"]}))
