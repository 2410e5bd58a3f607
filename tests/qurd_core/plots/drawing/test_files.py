"""Charts as files."""

import plotly.graph_objects as go
import pytest

from qurd_core.errors import QurdError
from qurd_core.plots.drawing import files


def test_without_a_browser_a_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    with pytest.raises(QurdError, match="drawn by Chrome or Chromium"):
        files.drawn(go.Figure())


@pytest.mark.slow
@pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF"), ("svg", b"<svg"), ("png", b"\x89PNG")])
def test_a_chart_becomes_a_file(form, begins):
    if not files.can_draw():
        pytest.skip(files.NO_BROWSER)
    assert files.drawn(go.Figure(go.Scatter(x=[1, 2], y=[2, 1])), form).startswith(begins)
