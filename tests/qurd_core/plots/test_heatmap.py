"""The map of combinations: what its cells say, how they look, and the finding above it."""

import math

import pandas as pd
import pytest

from qurd_core import findings, plots, views
from qurd_core.plots.drawing.theme import HEAT, READABLE, SCHEMES, SURFACES, contrast, heat, ink_on
from qurd_core.views.heatmap import Pick, Value

NAMES = {
    "negative(test) | labels | hamming": "AKH",
    "uniform(test) | labels | hamming": "Random",
    "uniform(test)->pgd | pairwise(of=logits) | cosine": "ModelDiff",
    "uniform(test) | correct | accuracy": "accuracy",
}
TEXTS = [
    *NAMES,
    "uniform(test)->pgd | labels | hamming",
    "uniform(test)->pgd | pairwise | l2",
    "uniform(test)->pgd | hard_pairwise | hamming",
    "uniform(test) | probits | cosine",
    "uniform(test) | probits | l2",
    "uniform(train) | labels | hamming",
]
LEVELS = {"labels": 0, "correct": 0, "hard_pairwise": 0, "probits": 2, "pairwise": 2, "pairwise(of=logits)": 3}
AKH = Pick("negative(test) | labels | hamming", "negative(test)", "labels | hamming", "AKH")
VALUES = {text: Value(0.1 * row, 0.01, 5) for row, text in enumerate(TEXTS)}


@pytest.fixture
def schemes():
    rows = []
    for text in TEXTS:
        sampler, representation, detector = text.split(" | ")
        split = "train" if "train" in sampler else "test"
        parts = {"sampler": sampler, "head": f"{representation} | {detector}", "split": split}
        rows.append({"scheme": text, "name": NAMES.get(text), "level": LEVELS[representation], **parts})
    return pd.DataFrame(rows)


def cells(schemes, known=VALUES, *, pick=AKH, family="main", **more):
    return views.heatmap.cells(schemes, known, split="test", family=family, pick=pick, **more)


def trace(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_columns_are_one_per_representation_or_a_whole_family(schemes):
    assert views.heatmap.families(schemes) == ["main", "correct", "labels", "pairwise", "probits"]
    assert views.heatmap.columns(schemes, "main") == [
        *("labels | hamming", "hard_pairwise | hamming", "probits | cosine", "pairwise(of=logits) | cosine"),
    ]
    assert views.heatmap.columns(schemes, "pairwise") == [
        *("hard_pairwise | hamming", "pairwise | l2", "pairwise(of=logits) | cosine"),
    ]


def test_rows_are_the_samplers_of_the_seed_set_and_the_picked_one(schemes):
    assert list(cells(schemes)["sampler"].unique()) == ["negative(test)", "uniform(test)", "uniform(test)->pgd"]
    other = Pick("uniform(train)->x | probits | l2", "uniform(train)->x", "probits | l2", "uniform(train)->x | probits | l2")
    found = cells(schemes, pick=other)
    assert found.iloc[-1]["scheme"] == other.scheme
    assert found.iloc[-1]["reason"] == views.heatmap.NOWHERE


def test_rows_are_those_of_one_kind_and_others_are_counted(schemes):
    extra = "uniform(test)->erosion | labels | hamming"
    row = {"scheme": extra, "name": None, "level": 0, "sampler": "uniform(test)->erosion", "split": "test"}
    more = pd.concat([schemes, pd.DataFrame([row | {"head": "labels | hamming"}])], ignore_index=True)
    known = VALUES | {extra: VALUES[TEXTS[0]]}
    assert views.heatmap.kinds(more, "test") == ["main", "natural", "adversarial"]
    found = cells(more, known)
    assert "uniform(test)->erosion" not in set(found["sampler"]), "most of its combinations are not recorded"
    assert views.heatmap.hidden(more, known, found, "test") == 1
    assert "1 more sampler under Rows" in findings.heatmap.subline(found, 100, "basis", 1)
    adversarial = list(cells(more, known, kind="adversarial")["sampler"].unique())
    assert adversarial == ["uniform(test)->erosion", "uniform(test)->pgd", "negative(test)"]


def test_a_published_column_hides_none_that_is_recorded_more_often(schemes):
    rare = "uniform(test)->evasion | probits | jensen_shannon"
    row = {"scheme": rare, "name": "Rare", "level": 2, "sampler": "uniform(test)->evasion", "split": "test"}
    more = pd.concat([schemes, pd.DataFrame([row | {"head": "probits | jensen_shannon"}])], ignore_index=True)
    assert "probits | jensen_shannon" in views.heatmap.columns(more, "main")
    often = pd.concat([more, *[schemes[schemes["head"] == "probits | l2"]] * 2], ignore_index=True)
    assert {"probits | jensen_shannon", "probits | l2"} <= set(views.heatmap.columns(often, "main"))


def test_a_cell_of_a_variant_says_what_makes_it_one(schemes):
    named = schemes.assign(name=schemes["name"].replace("ModelDiff", "ModelDiff:original"))
    chart = plots.heatmap.figure(cells(named, family="pairwise"), AKH)
    assert any(text.startswith("<b>ModelDiff:original</b>") for text in trace(chart, "cells").hovertext)
    assert any("<b>:original</b>" in text for one in chart.data if one.name == "numbers" for text in one.text)


def test_samplers_and_columns_of_which_nothing_is_known_take_no_room(schemes):
    known = {text: VALUES[text] for text in ("uniform(test)->pgd | labels | hamming", "uniform(test) | probits | cosine")}
    found = cells(schemes, known)
    assert list(found["sampler"].unique()) == ["uniform(test)", "uniform(test)->pgd", "negative(test)"]
    assert list(found["head"].unique()) == ["labels | hamming", "probits | cosine"]


def test_a_family_that_the_seed_set_lacks_still_shows_its_columns(schemes):
    found = views.heatmap.cells(schemes, VALUES, split="train", family="pairwise", pick=AKH)
    assert len(found["head"].unique()) == 4


def test_a_cell_without_a_value_says_why(schemes):
    known = VALUES | {AKH.scheme: Value(math.nan, math.nan, 5, "the seed set gives 40 queries only")}
    found = cells(schemes, known, reason=lambda text: "pairs are missing" if "pairwise" in text else None)
    texts = trace(plots.heatmap.figure(found, AKH), "cells").hovertext
    assert "<b>AKH</b><br>negative(test) | labels | hamming<br>The seed set gives 40 queries only." in texts
    assert any(text.endswith("Pairs are missing.") for text in texts)
    assert any(text.endswith(views.heatmap.NOWHERE) for text in texts)


def test_published_cells_are_outlined_in_their_colour_and_the_picked_one_is_dashed(schemes):
    figure = plots.heatmap.figure(cells(schemes), AKH)
    colours = [shape.line.color for shape in figure.layout.shapes if not shape.line.dash]
    assert {SCHEMES[name].paint.light for name in ("AKH", "Random", "ModelDiff")} <= set(colours)
    (dashed,) = [shape for shape in figure.layout.shapes if shape.line.dash]
    assert (dashed.x0 + dashed.x1, dashed.y0 + dashed.y1) == (0, 0)


def test_the_scale_is_fixed_and_every_cell_can_be_clicked(schemes):
    found = cells(schemes)
    figure = plots.heatmap.figure(found, AKH)
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (0, 1)
    assert list(trace(figure, "cells").customdata) == found["scheme"].tolist()
    assert figure.layout.xaxis.range == (-0.5, 3.5)
    assert figure.layout.yaxis.range == (2.5, -0.5)
    assert len(figure.data) <= 6


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_numbers_can_be_read_on_every_colour(mode):
    for step in range(101):
        ground = heat(mode, step / 100)
        assert contrast(ink_on(ground), ground) >= READABLE, step
    assert heat(mode, 1) == HEAT[mode][-1]


def test_a_click_that_changes_nothing_does_not_fade_the_numbers(schemes):
    for numbers in (trace for trace in plots.heatmap.figure(cells(schemes), AKH).data if trace.name == "numbers"):
        assert numbers.unselected.textfont.color == numbers.textfont.color


def test_live_values_and_pins_are_marked(schemes):
    known = VALUES | {"uniform(test) | probits | cosine": Value(0.5, math.nan, 1, live="1 of 5")}
    figure = plots.heatmap.figure(cells(schemes, known), AKH, pins=["AKH", "uniform(test)->pgd | labels | hamming"])
    texts = [text for one in figure.data if one.name == "numbers" for text in one.text]
    assert any("50%" in text and "live 1 of 5" in text for text in texts)
    assert sum("◆" in text for text in texts) == 1
    assert sum("○" in text for text in texts) == 1
    assert any("live, 1 of 5 query seeds" in text for text in trace(figure, "cells").hovertext)


def test_names_are_text_and_never_markup(schemes):
    odd = Pick("<img>->x | <b> | y", "<img>->x", "<b> | y", "<img>->x | <b> | y")
    figure = plots.heatmap.figure(cells(schemes, pick=odd), odd)
    assert "&lt;img&gt;->x" in "".join(figure.layout.yaxis.ticktext).replace("&gt;x", ">x")
    assert not any("<img>" in text for text in trace(figure, "cells").hovertext)


@pytest.mark.parametrize(
    ("value", "reference", "said"),
    [
        (None, None, "M has not been measured yet"),
        (Value(math.nan, math.nan, 5, "why"), None, "M has no value at 100 queries"),
        (Value(0.31, 0.01, 5), Value(0.89, 0.01, 5), "M catches 31% at 100 queries, 58 points below AKH"),
        (Value(0.9, 0.001, 5), Value(0.89, 0.001, 5), "M catches 90% at 100 queries, 1 point above AKH"),
        (Value(0.9, 0.1, 5), Value(0.85, 0.1, 5), "M catches 90% at 100 queries and does not differ significantly from AKH"),
        (
            Value(0.8, math.nan, 1),
            Value(0.89, 0.01, 5),
            "M catches 80% at 100 queries, 9 points below AKH, on one query seed",
        ),
        (Value(0.8, 0.1, 5), None, "M catches 80% of the stolen models with 100 queries"),
    ],
)
def test_the_headline_says_what_the_numbers_say(value, reference, said):
    assert findings.heatmap.headline(Pick("m", "", "", "M"), value, reference, 100) == said


def test_the_alternative_text_names_the_best(schemes):
    assert "The best at 100 queries is uniform(test) | probits | cosine with 70%" in findings.heatmap.alt(
        cells(schemes), AKH, 100
    )
    assert findings.heatmap.alt(cells(schemes, {}), AKH, 100) == "A map of combinations at 100 queries. None has a value."


def test_what_the_suspects_answers_do_not_allow_has_a_grey_number_and_no_colour(schemes):
    why = "needs logits; the suspect reveals labels"
    text = next(text for text, name in NAMES.items() if name == "ModelDiff")
    found = cells(schemes, withheld={text: why})
    figure = plots.heatmap.figure(found, AKH)
    place = found.loc[found["scheme"] == text].iloc[0]
    assert math.isnan(trace(figure, "shares caught").z[place.row][place.column])
    grey = [one for one in figure.data if one.name == "numbers" and one.textfont.color == SURFACES["light"].muted]
    assert any("ModelDiff" in said for one in grey for said in one.text)
    assert "Needs logits; the suspect reveals labels." in trace(figure, "cells").hovertext[place.name]
    assert "grey: 1 that the suspect’s answers do not allow" in findings.heatmap.subline(found, 100, "")
    assert findings.heatmap.headline(AKH, VALUES[AKH.scheme], None, 100, why) == f"AKH {why}"
