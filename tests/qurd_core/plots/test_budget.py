"""The figure of the Budget page, from the table to the specification."""

import json
import math

import pandas as pd
import pytest

from qurd_core import findings, plots, views
from qurd_core.plots.drawing.theme import SCHEMES, Style
from qurd_core.records import rate_records
from qurd_core.statistics import metrics

NAMED = ["AKH", "Random", "SAC", "ModelDiff", "IPGuard", "ZestOfLIME", "FBI"]
MIX = "uniform(test)->pgd(eps=0.03) | labels | hamming"


@pytest.fixture
def points(table):
    return views.budget.curves(table)


def traces(chart):
    return {trace.name: trace for trace in chart.data}


def test_named_schemes_have_lines_and_the_mixes_are_one_trace(points):
    chart = plots.budget.figure(points)
    assert [trace.name for trace in chart.data] == ["other combinations", "band", *reversed(NAMED)]
    grey = traces(chart)["other combinations"]
    assert len(set(grey.customdata)) == 6
    assert len(grey.x) == 6 * (len(views.costs.TICKS) + 1)
    assert [math.isnan(x) for x in grey.x[:7]] == [False] * 6 + [True]


def test_without_the_mixes(points):
    assert "other combinations" not in traces(plots.budget.figure(points, grey=False))


def test_pins_get_a_band_and_leave_the_grey(points):
    chart = plots.budget.figure(points, pins=("SAC", MIX, "accuracy"))
    names = [trace.name for trace in chart.data]
    assert names.count("band") == 4
    assert MIX not in traces(chart)["other combinations"].customdata
    assert traces(chart)[MIX.replace(">", "&gt;")].marker.symbol == "circle-open"
    assert traces(chart)["accuracy"].marker.symbol == "square-open"
    assert traces(chart)["SAC"].line.width > traces(chart)["AKH"].line.width


def test_the_control_is_never_among_the_mixes(points):
    assert "accuracy" not in traces(plots.budget.figure(points))["other combinations"].customdata
    assert "accuracy" not in views.budget.mixes(points)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_schemes_keep_their_colour_marker_and_dash(points, mode):
    drawn = traces(plots.budget.figure(points, style=Style(mode)))
    for name in NAMED:
        mark = SCHEMES[name]
        assert drawn[name].line.color == drawn[name].marker.color == getattr(mark.paint, mode)
        assert (drawn[name].marker.symbol, drawn[name].line.dash) == (mark.symbol, mark.dash)


def test_stage_has_at_most_two_bands_and_larger_type(points):
    chart = plots.budget.figure(points, pins=("SAC", "FBI"), style=Style(stage=True))
    assert [trace.name for trace in chart.data].count("band") == 2
    assert chart.layout.height == 800


def end_labels(chart):
    return [note for note in chart.layout.annotations if note.xref == "paper" and note.x == 1]


def test_every_line_is_named_at_its_end_inside_the_axis(points):
    labels = end_labels(plots.budget.figure(points, pins=(MIX,)))
    assert len(labels) == 8
    assert all(0 <= label.y <= plots.budget.TOP for label in labels)
    texts = [label.text for label in labels]
    assert "<b>AKH</b> 100%" in texts
    assert any(text.startswith("<b>SAC</b>") and text.endswith("at 250") for text in texts)
    assert any(text.startswith("<b>uniform(test)-&gt;pgd(eps=0.03)</b> ") for text in texts)
    assert any(text.endswith("%<br>labels | hamming") for text in texts)


def test_a_line_starts_where_it_is_recorded_and_marks_both_ends(points):
    drawn = traces(plots.budget.figure(points))
    lime, sac = drawn["ZestOfLIME"], drawn["SAC"]
    assert next(x for x, y in zip(lime.x, lime.y, strict=True) if not math.isnan(y)) == 100
    assert [x for x, size in zip(sac.x, sac.marker.size, strict=True) if size] == [10, 20, 50, 100, 200, 250, 400]
    assert math.isnan(sac.y[-1])


def test_hover_tells_value_spread_and_what_it_rests_on(points):
    akh = traces(plots.budget.figure(points))["AKH"]
    text = akh.hovertext[list(akh.x).index(100)]
    assert text.startswith("<b>AKH</b>  83.1 ± 2.0 %<br>100 queries, 5 query seeds")
    assert "40 unrelated models, 40 lineages: threshold set at 5 % per task" in text
    assert "30 stolen models of 3 victims" in text


def test_no_text_says_nan_and_names_are_escaped(table):
    table["scheme"] = table["scheme"].str.replace("uniform", "<img src=x>")
    spec = plots.budget.figure(views.budget.curves(table)).to_json()
    notes = [note["text"] for note in json.loads(spec)["layout"]["annotations"]]
    assert not any("nan" in note.lower() for note in notes)
    grey = next(trace for trace in json.loads(spec)["data"] if trace["name"] == "other combinations")
    assert not any("<img" in text for text in grey["hovertext"])
    assert not any("nan" in text for trace in json.loads(spec)["data"] for text in trace.get("hovertext", []))


def test_the_guaranteed_rule_draws_its_own_column(table):
    paper, guaranteed = (traces(plots.budget.figure(views.budget.curves(table, rule), rule=rule)) for rule in metrics.RULES)
    assert guaranteed["AKH"].y[-1] == pytest.approx(paper["AKH"].y[-1] - 0.07)
    assert "the guaranteed rule allows 1 model" in guaranteed["AKH"].hovertext[0]


def test_refused_lines_are_listed_with_the_reason(folder):
    refused = views.budget.curves(rate_records.read("patchwork-reuse", task="quantize"), "guaranteed")
    assert views.budget.shown(refused) == []
    assert views.budget.missing(refused)["AKH"] == "Refused: too few unrelated models."
    assert findings.budget.headline(refused, 100) == "No published scheme has a value at 100 queries (quantization)"
    assert end_labels(plots.budget.figure(refused, rule="guaranteed")) == []


def test_values_at_a_budget(points):
    rows = views.budget.values_at(points, 50, ("accuracy",)).set_index("label")
    assert rows.index[0] == "SAC"
    assert rows.loc["SAC", "verdict"] == "ahead"
    assert rows.loc["FBI", "verdict"] == "behind"
    assert rows.loc["FBI", "gap"] == pytest.approx(rows.loc["FBI", "value"] - rows.loc["AKH", "value"])
    assert pd.isna(rows.loc["AKH", "verdict"])
    assert math.isnan(rows.loc["ZestOfLIME", "value"])
    assert rows.loc["ZestOfLIME", "reason"] == "a budget of 10 buys no group of 100 queries"
    assert "accuracy" in rows.index


def test_the_headline_follows_the_table(points):
    assert findings.budget.headline(points, 100) == "After 100 queries, published schemes gain 7 more points (median)"
    flat = points.assign(value=points["value"].where(points["value"].isna(), 0.5))
    assert findings.budget.headline(flat, 100).endswith(
        "published schemes gain no more (median); AKH plateaus at 10 queries"
    )


@pytest.mark.parametrize(
    ("values", "enough"),
    [
        ([0.50, 0.90, 0.98, 1.00], 100),  # exactly two points below the end
        ([0.50, 0.979, 1.00, 0.995], 50),
        ([0.99, 0.60, 0.99, 1.00], 100),  # 10 queries are no plateau: 50 catch less
        ([1.00, 1.00, 1.00, 1.00], 10),
        ([0.10, 0.40, 0.70, 1.00], None),  # still rising at the largest
        ([0.50, 0.90, 0.91, math.nan], 50),  # ends where it is recorded
        ([0.10, 0.00, 0.00, 0.00], None),  # nothing is not enough
        ([math.nan] * 4, None),
    ],
)
def test_a_curve_has_enough_where_it_stays_within_two_points_of_its_end(values, enough):
    rows = pd.DataFrame({"budget": [10, 50, 100, 400], "value": values})
    assert views.budget.plateau(rows) == enough


def test_the_headline_says_from_where_the_reference_needs_no_more(points):
    level = points.assign(value=points["value"].where(points["budget"] < 100, 0.5))
    assert findings.budget.headline(level, 50).endswith("; AKH plateaus at 100 queries")


def test_a_click_beside_a_marker_means_its_line(points):
    akh = points[(points["label"] == "AKH") & (points["budget"] == 100)]["value"].iloc[0]
    near = points.assign(value=points["value"].where((points["label"] != MIX) | (points["budget"] != 100), akh + 0.005))
    point = {"customdata": MIX, "x": 100, "y": akh + 0.005}
    assert views.budget.clicked(near, point) == "AKH"
    far = points.assign(value=points["value"].where((points["label"] != MIX) | (points["budget"] != 100), 2.0))
    assert views.budget.clicked(far, point | {"y": 2.0}) == MIX
    assert views.budget.clicked(near, {"customdata": "SAC", "x": 100, "y": 0.0}) == "SAC"


def test_the_chart_in_words(points):
    assert "SAC" in findings.budget.alt(points)
    assert "at 250 queries" in findings.budget.alt(points)
    assert findings.budget.subline(points, grey=6) == (
        "Means over 5 query seeds and 3 victims · 40 unrelated models, 40 lineages: threshold set at 5 % per task "
        "· grey: 6 other combinations"
    )
    few = points.assign(seeds=points["seeds"].where(points["label"] != "SAC", 2))
    assert findings.budget.subline(few).startswith("Means over 2 to 5 query seeds and 3 victims · ")


def test_a_table_of_evaluate_does_as_well(table):
    """`evaluate` has no column of names: its schemes are called by them."""
    evaluated = table.assign(scheme=table["name"].fillna(table["scheme"])).drop(columns="name")
    assert views.budget.shown(views.budget.curves(evaluated)) == NAMED
