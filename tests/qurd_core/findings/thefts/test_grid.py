"""What the grid says follows from its cells."""

from qurd_core.findings.thefts import grid as said
from qurd_core.views.thefts import grid
from tests.small_grid import make_grid

FOUND = grid.cells(make_grid(), "AKH")
HARD = grid.cells(make_grid(), "AKH", negatives="unrelated+hard")


def test_the_headline_counts_cells_and_names_what_hides_most():
    assert said.headline(FOUND, "AKH") == (
        "AKH catches at least half of the stolen models in 7 of 12 cells; JPEG hides most: 33% caught, 70% without it"
    )


def test_where_nothing_hides_the_headline_says_so():
    found = FOUND[FOUND["hiding"].isin(["none", "argmax"])]
    assert said.headline(found, "AKH").endswith("in 4 of 6 cells; nothing hides them by 10 points or more")
    assert said.headline(FOUND.assign(value=float("nan")), "AKH") == "AKH has no value in any cell at 100 queries"


def test_hard_unrelated_models_turn_the_headline():
    assert said.turned(HARD, FOUND, "AKH") == (
        "With hard unrelated models, AKH catches at least half of the stolen models in 3 instead of 7 of 12 cells"
    )
    assert said.turned(FOUND, FOUND, "AKH") == ""


def test_the_line_below_tells_what_crosses_are_and_counts_empty_cells():
    line = said.subline(FOUND)
    assert "TPR@5% of 4 stolen models a cell against 60 unrelated models at 100 queries" in line
    assert line.endswith("✕: failed theft (kappa with the victim below 0.1)")
    assert "✕" not in said.subline(FOUND.assign(failed=False))
    assert "without a value" not in line
    assert "3 cells without a value" in said.subline(grid.cells(make_grid(), "uniform(test) | probits | l1"))


def test_the_chart_in_one_sentence():
    assert said.alt(FOUND, "AKH").startswith(
        "Heat table of 4 thefts by 4 ways to hide them: share of stolen models that AKH"
    )
    assert "JPEG 33%" in said.alt(FOUND, "AKH")
