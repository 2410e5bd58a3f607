"""The figure of the Check page with a dot per lineage: no name is cut off at an end."""

import pandas as pd
import pytest

from qurd_core import plots


@pytest.mark.parametrize(
    ("unrelated", "suspects", "above"),
    [
        ([0.1, 0.2, 0.3], [1.0], False),
        ([0.7, 0.8, 0.9], [0.0], False),
        ([0.2, 0.5, 0.8], [], True),  # before the first answer of a suspect there is room at neither end
    ],
)
def test_the_name_of_the_lineages_stands_where_it_has_room(unrelated, suspects, above):
    found = pd.DataFrame({"score": [*unrelated, *suspects], "side": ["unrelated"] * 3 + ["suspect"] * len(suspects)})
    chart = plots.check.dots.figure(found.assign(model=[f"m{n}" for n in found.index], of=1))
    (name,) = [one for one in chart.layout.annotations if "unrelated lineage" in one.text]
    assert (name.yanchor == "bottom") is above
    low, high = chart.layout.xaxis.range
    assert (high - name.x if name.xanchor == "left" else name.x - low) > 0.22 * (high - low)
