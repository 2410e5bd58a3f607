"""Figures as files for a paper or a talk, drawn by the browser of this machine."""

from pathlib import Path
from typing import Literal

import plotly.graph_objects as go

from qurd_core.errors import QurdError, is_filled

Form = Literal["pdf", "svg", "png"]
WIDTH = 1040  # pixels of a chart on a page, about
NO_BROWSER = (
    "A PDF is drawn by Chrome or Chromium through the package kaleido. One of the two is missing here: install it, or set"
    " BROWSER_PATH to where the browser lies."
)


def can_draw() -> bool:
    """Whether this machine has a browser that draws files."""
    try:
        from choreographer.browsers.chromium import Chromium  # kaleido's; only who asks for a file waits for it
    except ModuleNotFoundError:
        return False
    return is_filled(Path(Chromium.find_browser(skip_local=False) or ""))


def drawn(figure: go.Figure, form: Form = "pdf") -> bytes:
    """A figure as the bytes of a file. `figure.write_image("chart.pdf")` writes it, too.

    Raises:
        QurdError: there is no browser, or no kaleido.
    """
    if not can_draw():
        raise QurdError(NO_BROWSER)
    return figure.to_image(form, width=figure.layout.width or WIDTH)
