"""The file of a grid: what is written is read, and what is not there is one sentence."""

import pytest

from qurd_core.errors import QurdError
from qurd_core.records import grid_records
from tests.small_grid import make_grid


def test_what_is_written_is_read(tmp_path):
    path = grid_records.write(make_grid(), grid_records.path_of("toy", tmp_path))
    assert path.name == "toy-grid.parquet"
    table = grid_records.read("toy", tmp_path)
    assert list(table.columns) == list(grid_records.COLUMNS)
    assert table["reason"].isna().any() and table.loc[table["tpr"].notna(), "reason"].isna().all()
    assert not table["name"].isna().all()
    assert table["tpr"].equals(make_grid()["tpr"].round(6).astype("float32"))


def test_a_grid_that_is_missing_or_lacks_a_column_is_one_sentence(tmp_path):
    assert not grid_records.has("toy", tmp_path)
    with pytest.raises(QurdError, match="python -m qurd_core grid --benchmark toy"):
        grid_records.read("toy", tmp_path)
    make_grid().drop(columns="kappa").to_parquet(grid_records.path_of("toy", tmp_path))
    assert grid_records.has("toy", tmp_path)
    with pytest.raises(QurdError, match=r"Missing: kappa\. Make it again"):
        grid_records.read("toy", tmp_path)


def test_a_scheme_is_found_by_its_name_or_by_its_text():
    table = make_grid()
    assert len(grid_records.of_scheme(table, "AKH", "unrelated")) == 4 * 4
    assert len(grid_records.of_scheme(table, "uniform(test) | probits | l1", "unrelated+hard")) == 4 * 4
    with pytest.raises(QurdError, match="Unknown scheme of the grid 'SAC'"):
        grid_records.of_scheme(table, "SAC", "unrelated")
