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


def test_every_cell_with_parts_leads_to_a_combination_that_goes_together(shipped):
    (chart,) = sound(shipped(page="atlas")).get("plotly_chart")
    (marks,) = json.loads(chart.proto.spec)["data"]
    _, examples = tables.compatible()
    assert sorted(marks["customdata"]) == sorted(examples.values())
    assert all(Scheme.read(text).reason is None for text in marks["customdata"])
