"""The small curve beside the map."""

import math
import re
from base64 import b64decode
from xml.etree import ElementTree

import pandas as pd

from pages.ui import spark
from qurd_core.plots.theme import Style

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


def test_every_value_can_be_read():
    titles = re.findall('title="([^"]*)"', drawn(ROWS, "<x> | y | z"))
    assert titles[0] == "AKH: 50.0 ± 10.0 % at 10 queries" and len(titles) == 5
    assert titles[-1] == "&lt;x&gt; | y | z: 40.0 % at 400 queries"


def test_the_mark_stands_at_the_budget_if_there_is_a_value():
    assert [drawn(ROWS, "x | y | z", at=at).count("●") for at in (10, 100, 400)] == [1, 0, 1]
