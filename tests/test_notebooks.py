"""The notebooks run from first to last cell, and show their charts when they are exported to HTML."""

from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "assets" / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_charts_are_in_its_html(path, tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    exporters = pytest.importorskip("nbconvert").HTMLExporter
    monkeypatch.setenv("QURD_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PYTHONPATH", str(path.parents[2]), prepend=":")
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), f"{path.name} is committed without outputs"
    drawing = sum(".figure(" in cell.source for cell in notebook.cells if cell.cell_type == "code")
    nbclient.NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(tmp_path)}}).execute()
    page, _ = exporters().from_notebook_node(notebook)
    (tmp_path / f"{path.stem}.html").write_text(page)  # to be looked at
    assert drawing
    assert page.count("Plotly.newPlot(") == drawing
    assert "AKH" in page[page.index("Plotly.newPlot(") :]
