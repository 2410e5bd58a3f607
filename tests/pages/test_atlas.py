"""The Atlas: the paper's Table 1 beside ours, and the way from a cell to Compose."""

import json

import pytest

from qurd_core.paper import tables
from qurd_core.schemes import Scheme
from tests.pages.screen import headline, notices, sound


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_opens_twice(shipped, theme):
    app = shipped(theme, page="atlas")
    for _ in range(2):
        assert "of the 12 schemes of the paper’s Table 1 run here" in headline(app)
        assert any("Where ours is not as printed" in one.value for one in app.markdown)
        assert not notices(app)
        sound(app.run())


def drawn(app):
    """The texts of the cells, and those of what the pointer reads."""
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    return " ".join(note["text"] for note in spec["layout"]["annotations"]), " ".join(spec["data"][0]["hovertext"])


def test_a_scheme_that_needs_more_than_the_suspect_reveals_is_grey_with_the_reason(shipped):
    usual, _ = drawn(sound(shipped(page="atlas")))
    assert "<b>ModelDiff</b>" in usual and "ModelGif† (gradients)" in usual
    app = sound(shipped(page="atlas", reveal="labels"))
    cells, told = drawn(app)
    assert "<b>IPGuard</b>" in cells and "ModelDiff (logits)" in cells and "FBI (top-k labels)" in cells
    assert "ModelDiff: both tables, needs logits; the suspect reveals labels" in told
    assert "IPGuard: both tables, needs labels" in told
    assert "run here, 3 of them with labels" in headline(app)
    assert "in brackets: needs more than labels" in " ".join(one.value for one in app.markdown).replace("\\", "")
    app.get_by_key("reveal").set_value("gradients").run()
    cells, _ = drawn(sound(app))
    assert "(" not in cells and "of them with" not in headline(app)


def test_a_cell_loses_its_colour_where_nothing_in_it_works_with_what_is_revealed(shipped):
    def coloured(app):
        spec = json.loads(sound(app).get("plotly_chart")[0].proto.spec)
        return sum("dash" not in shape["line"] for shape in spec["layout"]["shapes"])

    most, least = (coloured(shipped(page="atlas", reveal=level)) for level in ("gradients", "labels"))
    assert (most, least) == (7, 2)


def test_a_scheme_that_makes_its_queries_with_the_victim_is_not_uniform(shipped):
    rows = tables.table1().set_index("scheme")
    assert [*rows.loc["hinge-probe", ["row", "column"]]] == ["noise", "adversarial"]
    assert "hinge-probe" not in set(rows[(rows["column"] == "uniform")].index)


def test_every_cell_with_parts_leads_to_a_combination_that_goes_together(shipped):
    (chart,) = sound(shipped(page="atlas")).get("plotly_chart")
    (marks,) = json.loads(chart.proto.spec)["data"]
    _, examples = tables.compatible()
    assert sorted(marks["customdata"]) == sorted(examples.values())
    assert all(Scheme.read(text).reason is None for text in marks["customdata"])
