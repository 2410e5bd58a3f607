"""Other axes of the Budget page, and the distances beside it."""

import math

import pytest

from qurd_core import findings, plots, views
from qurd_core.findings.language import words
from qurd_core.views import costs

NAMED = ["AKH", "Random", "SAC", "ModelDiff", "IPGuard", "ZestOfLIME", "FBI"]


@pytest.fixture
def points(table):
    """AKH and SAC look at labelled images, all others at none."""
    needs = table["name"].isin(["AKH", "SAC"])
    return views.budget.curves(table.assign(samples=table["samples"].where(needs, 0)))


def traces(chart):
    return {trace.name: trace for trace in chart.data}


def test_what_costs_nothing_stands_beside_the_log_axis_and_says_so(points):
    chart = plots.budget.figure(points, unit="labelled")
    drawn = traces(chart)
    assert list(drawn["AKH"].x[:2]) == [60, 120]
    places = {name: set(drawn[name].x) for name in NAMED if name not in ("AKH", "SAC")}
    assert all(len(place) == 1 and 0 < min(place) < 60 for place in places.values())
    assert len(set.union(*places.values())) == 5
    texts = [note.text for note in chart.layout.annotations]
    assert "<b>Random</b> 50%<br>0 labelled images" in texts
    assert "<b>AKH</b> 100%" in texts
    assert chart.layout.xaxis.ticktext[0] == "0<br>labelled images"
    low, high = chart.layout.xaxis.range
    assert all(low < math.log10(x) < high for trace in chart.data for x in trace.x if x == x)


def test_the_mixes_that_cost_nothing_are_drawn_too(points):
    grey = traces(plots.budget.figure(points, unit="labelled"))["other combinations"]
    assert len({x for x in grey.x if x == x}) == 1
    assert grey.text[:3] == ("10", "20", "50")


def test_the_chosen_budget_is_ringed_where_it_is_no_place(points):
    chart = plots.budget.figure(points, unit="labelled", at=50)
    assert 300 in traces(chart)["rings"].x
    assert not chart.layout.shapes
    assert any(note.text == "○ at 50 queries" for note in chart.layout.annotations)
    assert "rings" not in traces(plots.budget.figure(points))


def test_an_axis_that_nobody_needs(points):
    chart = plots.budget.figure(points, unit="gradients")
    assert all(math.isfinite(value) for value in chart.layout.xaxis.range)
    assert "0 gradients" in chart.layout.annotations[1].text


def test_hover_tells_what_a_budget_costs(points):
    akh = traces(plots.budget.figure(points))["AKH"]
    assert akh.hovertext[0].endswith("60 labelled images, 0 victim gradients")


def test_the_alternative_text_names_the_axis(points):
    assert "against labelled images that must be looked at for 10 to 400 queries" in findings.budget.alt(
        points, unit="labelled"
    )


@pytest.mark.parametrize(
    ("least", "most", "expected"), [(60, 2400, [100, 200, 500, 1000, 2000]), (6, 5000, [10, 100, 1000])]
)
def test_ticks_are_round(points, least, most, expected):
    at = points.assign(samples=points["budget"].map(lambda budget: least if budget == 10 else most))
    assert costs.placed(at, "labelled", NAMED)[1]["tickvals"] == expected


def test_distances_of_the_latest_pin(points):
    assert views.budget.distances_of(points, ()) == "AKH"
    assert views.budget.distances_of(points, ("SAC", "FBI")) == "FBI"
    chart = plots.distances.figure(points, "SAC")
    assert [trace.name for trace in chart.data] == ["stolen", "unrelated"]
    assert chart.data[0].x[-1] == 400
    assert "0.50 of unrelated models" in findings.budget.distances_alt(points, "SAC")


def test_the_gap_is_put_into_words(points):
    akh = points["label"] == "AKH"
    nearer = points.assign(mean_unrelated=points["mean_unrelated"].where(~akh | (points["budget"] < 400), 0.4))
    assert findings.budget.distances_finding(nearer, "AKH").startswith(
        "From 100 to 400 queries the gap between stolen and unrelated models by AKH shrinks from 0.30 to 0.20, and"
    )
    few = points[points["budget"] <= 100]
    assert findings.budget.distances_finding(few, "AKH") == "AKH has no distances beyond 100 queries."


def test_a_gap_in_words():
    assert words.gap("SAC", (100, 400), (0.0159, 0.0163), 0.001) == (
        "From 100 to 400 queries the gap between stolen and unrelated models by SAC stays at 0.016, and TPR@5% changes by "
        "+0.1 points."
    )
    assert words.gap("X", (100, 400), (0.04, 0.041), math.nan) == (
        "From 100 to 400 queries the gap between stolen and unrelated models by X grows from 0.040 to 0.041."
    )
