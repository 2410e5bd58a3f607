"""The heat table: what a cell shows, and what it tells under the pointer."""

import pytest

from qurd_core.plots.drawing.theme import Style, contrast, heat
from qurd_core.plots.thefts import grid
from qurd_core.views.thefts import grid as view
from tests.small_grid import HIDINGS, THEFTS, make_grid

FOUND = view.cells(make_grid(), "AKH")


def cells(found=FOUND, **style):
    trace = next(trace for trace in grid.figure(found, Style(**style)).data if trace.name == "cells")
    return dict(
        zip(zip(found["theft"], found["hiding"], strict=True), zip(trace.text, trace.hovertext, strict=True), strict=True)
    )


def test_a_cell_shows_percent_a_failed_theft_a_cross_and_an_empty_one_a_dot():
    shown = cells()
    assert shown["label_extraction", "none"][0] == "80"
    assert shown["datafree", "none"][0] == "✕"
    assert "kappa with the victim 0.02: below 0.1, a failed theft" in shown["datafree", "none"][1]
    empty = cells(view.cells(make_grid(), "uniform(test) | probits | l1"))["same", "argmax"]
    assert empty[0] == "·"
    assert "the scheme needs probits" in empty[1]


def test_the_pointer_tells_what_a_number_rests_on():
    _, hover = cells()["label_extraction", "jpeg"]
    assert "<b>label extraction</b>, JPEG" in hover
    assert "40.0 ± 5.0 % caught" in hover
    assert "4 models against 60 unrelated models, 10 query seeds" in hover
    assert "accuracy 82%, kappa with the victim 0.90" in hover
    assert "20000 queries to the victim" in hover


def test_failed_thefts_have_no_colour():
    chart = grid.figure(FOUND)
    shares = chart.data[0].z
    assert shares.shape == (len(THEFTS), len(HIDINGS))
    assert (shares[THEFTS.index("datafree")] != shares[THEFTS.index("datafree")]).all()
    assert shares[0, 0] == 1


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_numbers_are_legible_on_their_colour(mode):
    trace = grid.figure(FOUND, Style(mode)).data[1]
    for text, ink, value in zip(trace.text, trace.textfont.color, FOUND["value"], strict=True):
        if text not in "✕·":
            assert contrast(ink, heat(mode, value)) >= 4.5


def test_names_of_columns_have_room():
    chart = grid.figure(FOUND)
    assert chart.layout.margin.t > 60
    assert list(chart.layout.xaxis.ticktext) == ["not hidden", "fine-tuning", "JPEG", "label only"]
    assert chart.layout.yaxis.ticktext[-1] == "data-free extraction"
    least = grid.least(FOUND)
    assert least["wide"] > 2.6 * 14 * len(HIDINGS)
    assert least["high"] > 1.7 * 14 * len(THEFTS)
