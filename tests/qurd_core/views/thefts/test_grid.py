"""The cells of one scheme: which count, which have failed, and what hides best."""

import pytest

from qurd_core.errors import QurdError
from qurd_core.views.thefts import grid
from tests.small_grid import CAUGHT, HIDINGS, THEFTS, make_grid

PROBITS = "uniform(test) | probits | l1"


def test_a_cell_per_theft_and_way_to_hide_it_in_the_order_of_the_grid():
    found = grid.cells(make_grid(), "AKH")
    assert [*zip(found["theft"], found["hiding"], strict=True)] == [(theft, one) for theft in THEFTS for one in HIDINGS]
    plain = found[found["hiding"] == "none"].set_index("theft")
    assert plain["value"].to_dict() == CAUGHT
    guaranteed = grid.cells(make_grid(), "AKH", "guaranteed")
    assert guaranteed["value"].equals(found["value"] / 2)
    assert (grid.cells(make_grid(), "AKH", negatives="unrelated+hard")["value"] <= found["value"]).all()


def test_thefts_near_chance_have_failed_and_count_in_no_number():
    found = grid.cells(make_grid(), "AKH")
    assert set(found.loc[found["failed"], "theft"]) == {"datafree"}
    assert "datafree" not in set(grid.counted(found)["theft"])
    assert len(grid.counted(found)) == 3 * len(HIDINGS)


def test_where_agreement_was_not_measured_that_of_the_theft_alone_counts():
    table = make_grid()
    table.loc[table["hiding"] == "jpeg", "kappa"] = None
    assert grid.cells(table, "AKH")["failed"].equals(grid.cells(make_grid(), "AKH")["failed"])


def test_a_cell_without_a_value_has_a_reason():
    found = grid.cells(make_grid(), PROBITS)
    empty = found[found["value"].isna()]
    assert set(empty["hiding"]) == {"argmax"}
    assert set(empty["reason"]) == {"the scheme needs probits"}
    assert set(found.loc[found["value"].notna(), "reason"]) == {""}


def test_what_hides_best_comes_first_and_is_compared_on_the_same_thefts():
    best = grid.by_hiding(grid.cells(make_grid(), "AKH"))
    assert list(best["hiding"]) == ["jpeg", "finetune", "argmax"]
    assert best["plain"].to_list() == pytest.approx([0.7] * 3)
    assert best["value"].iloc[0] == pytest.approx((0.6 + 0.4 + 0) / 3)
    table = make_grid()
    table.loc[(table["theft"] == "same") & (table["hiding"] == "jpeg"), "tpr"] = None
    jpeg = grid.by_hiding(grid.cells(table, "AKH")).set_index("hiding").loc["jpeg"]
    assert (jpeg["thefts"], jpeg["plain"]) == (2, pytest.approx(0.55))


def test_schemes_are_called_by_their_names():
    assert grid.schemes(make_grid()) == ["AKH", PROBITS]
    with pytest.raises(QurdError, match="Unknown scheme of the grid"):
        grid.cells(make_grid(), "SAC")
