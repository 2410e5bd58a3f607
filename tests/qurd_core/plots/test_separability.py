"""The figures of the Separability page, from tables to specifications."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from qurd_core import findings, plots, views
from qurd_core.findings.language import worth_words
from qurd_core.findings.separability import DELTAS
from qurd_core.plots.drawing.theme import STOLEN, SURFACES, UNRELATED, UNRELATED_TEXT, Style
from qurd_core.plots.separability import POINTER
from qurd_core.views.separability import Distances, Pick, Row, as_table, reports
from qurd_core.views.separability import rows as make_rows
from tests.qurd_core.plots.drawing.test_theme import contrast

ODD = "<img src=x onerror=alert(1)> **b** 🤖 שלום"
AXIS = DELTAS["delta_c"]


def make_pairs(stolen=30, unrelated=40, victims=("v", "w")):
    """Pairs of two victims: stolen ones near 0.2, unrelated ones near 0.7, three hard ones each near 0.3."""
    rows = []
    for victim in victims:
        for kind, number, middle in (("positive", stolen, 0.2), ("negative", unrelated, 0.7), ("hard", 3, 0.3)):
            for place, value in enumerate(np.linspace(middle - 0.15, middle + 0.15, number)):
                name = ODD if kind == "positive" and place == 0 else f"{kind}{place}"
                rows.append((victim, name, kind, ["prune"] if place % 2 else ["same"], value))
    table = pd.DataFrame(rows, columns=["victim", "suspect", "kind", "tasks", "delta_c"])
    table.loc[table["kind"] != "positive", "tasks"] = table["tasks"].map(lambda _: ["same", "prune"])
    root = table["victim"].where(table["kind"] == "positive", table["suspect"])
    known = {"accuracy_victim": 0.8, "accuracy_suspect": 0.7, "root": root, "delta": table["delta_c"] / 3}
    return table.assign(**known, bound=table["delta_c"] - 0.4, slack=0.4)


def compare(pairs=None, **choice):
    pairs = make_pairs() if pairs is None else pairs
    return make_rows(Distances.of_delta(pairs, "delta_c"), **({"negatives": "unrelated", "alpha": 0.05} | choice))


def traces(chart):
    return {trace.name: trace for trace in chart.data}


def notes(chart):
    return " ".join(note.text for note in chart.layout.annotations)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_stolen_up_and_unrelated_down_in_their_colours(mode):
    drawn = traces(plots.separability.figure(compare(), AXIS, style=Style(mode)))
    up, down = drawn["stolen"], drawn["unrelated"]
    assert min(y for y in up.y if y is not None) == 0 > min(y for y in down.y if y is not None)
    assert max(y for y in down.y if y is not None) == 0 < max(y for y in up.y if y is not None)
    assert up.line.color == drawn["stolen ticks"].line.color == getattr(STOLEN, mode)
    assert down.line.color == drawn["unrelated ticks"].line.color == getattr(UNRELATED, mode)
    assert contrast(getattr(UNRELATED_TEXT, mode), SURFACES[mode].background) >= 4.5


@pytest.mark.parametrize("style", [Style(), Style("dark", True)])
def test_above_rows_stands_which_side_is_whose_in_its_colour(style):
    found = compare(by="tasks")
    said = {note.text: note for note in plots.separability.figure(found, AXIS, style=style).layout.annotations}
    assert said["<b>▲ stolen</b>"].font.color == style.colour(STOLEN)
    assert said["<b>▼ unrelated</b>"].font.color == style.colour(UNRELATED_TEXT)
    assert {said[text].y for text in ("<b>▲ stolen</b>", "<b>▼ unrelated</b>")} == {1}
    hard = plots.separability.figure(compare(by="tasks", negatives="unrelated+hard"), AXIS)
    assert "▼ unrelated, ◇ hard" in notes(hard)
    assert "▲" not in notes(plots.separability.figure(compare(), AXIS)), "one row has its sides named at their peaks"


def test_a_mark_per_pair_that_can_be_clicked():
    rows = compare()
    pointer = traces(plots.separability.figure(rows, AXIS))[POINTER]
    assert len(pointer.x) == len(rows[0].table) == 140
    assert list(pointer.customdata[0]) == ["v", ODD, ""]
    assert "accuracy: victim 80%, suspect 70%" in pointer.hovertext[0]


def test_the_authors_formula_stands_beside_the_definition_and_the_other_way_round():
    for of, said in (("delta_c", "δ<sub>C</sub> 0.050, by the authors’ formula 0.013"), ("official", "by definition 0.050")):
        found = make_rows(Distances.of_delta(make_pairs(), of), negatives="unrelated", alpha=0.05)
        (mark,) = (trace for trace in plots.separability.figure(found, DELTAS[of]).data if trace.name == POINTER)
        assert said in mark.hovertext[0]
    assert not DELTAS["delta"].beside


def test_few_pairs_have_ticks_and_no_density():
    drawn = traces(plots.separability.figure(compare(make_pairs(stolen=9)), AXIS))
    assert not len(drawn["stolen"].x)
    assert len(drawn["unrelated"].x)
    assert len(drawn["stolen ticks"].x) == 3 * 18
    assert plots.separability.figure(compare(make_pairs(stolen=2, unrelated=2)), AXIS).layout.xaxis.range[1] < 0.9


def test_hard_models_have_another_mark():
    hard = traces(plots.separability.figure(compare(negatives="unrelated+hard"), AXIS))["hard"]
    assert len(hard.x) == 6
    assert (hard.marker.symbol, hard.marker.color) == ("diamond-open", UNRELATED.light)
    assert not len(traces(plots.separability.figure(compare(), AXIS))["hard"].x)


def test_the_line_and_what_it_does():
    rows = compare(alpha=0.1)
    chart = plots.separability.figure(rows, AXIS, fpr=10)
    shade, line = chart.layout.shapes
    assert shade.x1 == line.x0 == line.x1 == rows[0].line.threshold
    assert "misses 0% of stolen" in notes(chart)
    assert "actual false alarms 10% (8 of 80)" in notes(chart)


def test_many_rows_take_no_more_traces_than_one():
    one, several = plots.separability.figure(compare(), AXIS), plots.separability.figure(compare(by="tasks"), AXIS)
    assert len(several.data) == len(one.data) <= 8
    assert "exact copy" in notes(several)
    assert "TPR@5%" in notes(several)
    assert len(several.layout.shapes) == 4


def test_a_row_with_a_report_shows_its_interval():
    found = Distances.of_delta(make_pairs(), "delta_c")
    told = reports(found, negatives="unrelated", alpha=0.05, draws=50)
    rows = [replace(row, report=told[row.label]) for row in compare(by="tasks")]
    chart = plots.separability.figure(rows, AXIS)
    said = worth_words.interval(*rows[0].report.ci)
    assert said.endswith(" to 100 %") and said in notes(chart), "both victims are caught whole"
    assert any(f"95 % interval over models: {said}" in (note.hovertext or "") for note in chart.layout.annotations)
    assert findings.separability.over_models(rows[0]) == f"{said} over models"
    assert "Jeffreys' prior" in findings.separability.method(rows[0])
    assert set(as_table(rows)["tpr_low"]) == {row.report.ci[0] for row in rows}
    assert findings.separability.over_models(compare()[0]) == ""


def test_a_row_without_values_says_why():
    rows = [*compare(), Row("other", make_pairs().iloc[:0].assign(value=0.0), reason="Not recorded at 10 queries.")]
    assert "Not recorded at 10 queries." in notes(plots.separability.figure(rows, AXIS))
    assert "Not recorded" in notes(plots.separability.figure(rows[1:], AXIS))


def test_the_picked_pair_is_marked_in_every_row_that_has_it():
    chart = plots.separability.figure(compare(by="tasks"), AXIS, pick=Pick("v", "negative3"))
    assert len(traces(chart)["picked"].x) == 2


@pytest.mark.parametrize("style", [Style(), Style("dark", True)])
@pytest.mark.parametrize("by", ["one", "tasks", "victims"])
def test_names_are_text_and_the_specification_is_whole(by, style):
    pairs = make_pairs(victims=(ODD, "w"))
    for chart in (
        plots.separability.figure(compare(pairs, by=by), AXIS, pick=Pick(ODD, ODD), style=style),
        plots.bound.figure(pairs, pick=Pick(ODD, ODD), style=style),
    ):
        spec = json.loads(chart.to_json())
        assert "<img" not in json.dumps([trace.get("hovertext") for trace in spec["data"]])
        assert "<img" not in json.dumps(spec["layout"]["annotations"])


@pytest.mark.parametrize(
    ("rates", "noun", "said"),
    [
        ([0.83], None, "δ_C catches 83% of stolen models at 5% false alarms on bench (t0)"),
        ([0.5, 1.0], "task", "δ_C catches 50% of stolen models at 5% false alarms on bench for the hardest task: t0"),
        (
            [0.5, 0.5, 1.0],
            "victim",
            "δ_C catches 50% of stolen models at 5% false alarms on bench for the hardest victims: t0 and t1",
        ),
        ([1.0, 1.0], "task", "δ_C catches 100% of stolen models at 5% false alarms for every task on bench"),
        ([0.2, 1.0], "benchmark", "δ_C catches 20% of stolen models at 5% false alarms for the hardest benchmark: t0"),
        ([0.2], "benchmark", "δ_C catches 20% of stolen models at 5% false alarms on t0"),
        ([], None, "No threshold can be set for δ_C on bench"),
    ],
)
def test_headlines(rates, noun, said):
    known = compare()[0]
    rows = [Row(f"t{place}", known.table, known.rates._replace(tpr=rate), known.line) for place, rate in enumerate(rates)]
    assert findings.separability.headline(rows, AXIS, 5, "bench", noun) == said


def test_the_subline_says_what_five_percent_means():
    (row,) = compare()
    said = findings.separability.subline(row, 5)
    assert "60 stolen and 80 unrelated pairs of 2 victims" in said
    assert "5 % of 40 = 2 models" in said
    assert "one line" not in said
    apart = Row("all", row.table, row.rates._replace(tpr=0.4, uneven=True), row.line)
    assert "the single pooled threshold drawn catches 100%" in findings.separability.subline(apart, 5)
    assert "5 % per task" in findings.separability.subline(apart, 5)
    assert findings.separability.allowance(40, 0) == "0 % of 40 = no model"
    assert findings.separability.allowance(20, 5) == "5 % of 20 = 1 model"


def test_proposition_1_in_numbers():
    pairs = make_pairs()
    found = views.separability.bound_summary(pairs)
    assert (found.pairs, found.broken, found.unrelated) == (146, 0, 86)
    assert found.silent == int((pairs["bound"] <= 0).sum())
    assert found.silent_unrelated == 4
    assert found.slack == pytest.approx(0.4)
    assert (
        findings.bound.headline(found, "bench")
        == "Proposition 1 holds for every pair on bench; the bound is vacuous for 5% of unrelated pairs"
    )
    broken = views.separability.bound_summary(pairs.assign(bound=pairs["delta_c"] + 0.1))
    assert "fails for 146 pairs" in findings.bound.headline(broken, "bench")
    assert "non-trivial for every unrelated pair" in findings.bound.headline(broken, "bench")
    assert not math.isnan(views.separability.bound_summary(pairs[pairs["kind"] == "positive"]).slack)


def test_the_bound_is_drawn_with_its_diagonal():
    chart = plots.bound.figure(make_pairs(), pick=Pick("v", "negative3"))
    kinds = [kind for kind in plots.bound.KINDS if kind != "suspect"]  # which stand in no benchmark that ships
    assert {trace.name for trace in chart.data} == {*(f"{POINTER} {kind}" for kind in kinds), "picked"}
    silent, diagonal = chart.layout.shapes
    assert silent.x1 == 0
    assert (diagonal.x0, diagonal.y0, diagonal.x1, diagonal.y1) == (0, 0, 1, 1)


def test_a_side_has_room_for_its_name_beside_a_line_at_the_edge():
    """Where most distances are small and a few large, the line and the peak before it lie near the left end of the axis."""
    pairs = make_pairs()
    pairs["delta_c"] = pairs["delta_c"] * 0.12
    far = pairs.index[pairs["kind"] == "negative"][-6:]
    pairs.loc[far, "delta_c"] = 0.95
    chart = plots.separability.figure(compare(pairs), AXIS)
    (name,) = (note for note in chart.layout.annotations if note.text.startswith("<b>Stolen</b>"))
    assert name.xanchor == "left"
    line = next(note for note in chart.layout.annotations if "pooled threshold" in note.text)
    assert line.x < plots.separability.ROOM < chart.layout.xaxis.range[1]
    assert name.x > line.x
