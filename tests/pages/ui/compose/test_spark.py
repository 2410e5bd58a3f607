"""The small curve beside the map."""

import math
import re
from base64 import b64decode
from xml.etree import ElementTree

import pandas as pd
import pytest

from pages.ui.compose import spark
from qurd_core.plots.drawing.theme import Style

PATH = "{http://www.w3.org/2000/svg}path"
ROWS = pd.DataFrame({"budget": [10, 100, 400], "value": [0.2, math.nan, 0.4], "spread": math.nan})
BOTH = pd.DataFrame({"budget": [10, 100, 400], "value": [0.5, 0.9, 1.0], "spread": 0.1})


def drawn(points: pd.DataFrame, label: str, at: int = 100) -> str:
    return spark.curve(points, BOTH, at, label=label, style=Style("dark"))


def lines(html: str) -> list[ElementTree.Element]:
    """Those of the picture that are no grid."""
    picture = b64decode(re.search('base64,([^"]+)', html)[1])
    return [path for path in ElementTree.fromstring(picture).iter(PATH) if path.get("fill") == "none"]


def test_the_curve_stands_before_the_dashed_reference():
    reference, own = lines(drawn(ROWS, "x | y | z"))
    assert reference.get("stroke-dasharray") != "none" == own.get("stroke-dasharray")
    assert len(lines(drawn(BOTH, "AKH"))) == 1


def test_a_missing_value_is_a_gap_and_a_value_alone_a_dot():
    own = lines(drawn(ROWS, "x | y | z"))[-1].get("d")
    assert own.count("M") == own.count("h0") == 2 and "L" not in own


def test_the_pointer_reads_both_at_the_nearest_budget():
    strips = re.findall('left:([0-9.]+)%;width:([0-9.]+)%" title="([^"]*)"', drawn(ROWS, "<x> | y | z"))
    assert [title for *_, title in strips] == [
        "10 queries\nAKH: 50.0 ± 10.0 %\n&lt;x&gt; | y | z: 20.0 %",
        "100 queries\nAKH: 90.0 ± 10.0 %",
        "400 queries\nAKH: 100.0 ± 10.0 %\n&lt;x&gt; | y | z: 40.0 %",
    ]
    places = [100 * math.log(budget / 9) / math.log(50) for budget in ROWS["budget"]]
    for (left, width, _), place in zip(strips, places, strict=True):
        assert float(left) <= place <= float(left) + float(width)
    assert abs(float(strips[1][0]) - sum(places[:2]) / 2) < 0.1
    assert sum(float(width) for _, width, _ in strips) == pytest.approx(100, abs=0.2)


def test_a_reference_that_is_not_there_is_not_spoken_of():
    html = spark.curve(ROWS, BOTH.iloc[:0], 100, label="x", style=Style())
    assert "AKH" not in html and len(lines(html)) == 1


def test_the_mark_stands_at_the_budget_if_there_is_a_value():
    assert [drawn(ROWS, "x | y | z", at=at).count("●") for at in (10, 100, 400)] == [1, 0, 1]
