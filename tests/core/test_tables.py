"""The rates of a table on disk are those of the arrays."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from qurd_core.errors import QurdError
from qurd_core.evaluation.metrics import rates
from qurd_core.evaluation.tables import group_tpr

SIZES = [5, 18, 19, 20, 41, 61, 130]  # unrelated models per group
KEYS = ["scheme", "query seed"]


def scores() -> pd.DataFrame:
    """Groups of every size with many ties; the hard models are closer than all others."""
    rng = np.random.default_rng(0)
    parts = []
    for n in SIZES:
        for seed in range(3):
            kind = ["negative"] * n + ["positive"] * 11 + ["hard"] * 30
            value = np.r_[rng.integers(3, 25, n), rng.integers(2, 16, 11), np.ones(30)] / 25
            parts.append(pd.DataFrame({"scheme": f"negative(test) | {n}", "query seed": seed, "kind": kind, "value": value}))
    return pd.concat(parts).sample(frac=1, random_state=0)


def write(table: pd.DataFrame, path) -> None:
    duckdb.from_df(table).write_parquet(str(path))


def expected(table: pd.DataFrame, kinds: tuple[str, ...]) -> pd.DataFrame:
    rows = {}
    for key, group in table.groupby(KEYS):
        negatives, positives = (group.loc[group["kind"].isin(side), ["value"]] for side in (kinds, ("positive",)))
        found = rates(negatives, positives)
        rows[key] = (found.tpr[0], found.tpr_conformal[0], len(negatives), len(positives))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["tpr", "tpr_conformal", "n_negatives", "n_positives"])


@pytest.mark.parametrize(("choice", "kinds"), [("unrelated", ("negative",)), ("unrelated+hard", ("negative", "hard"))])
def test_a_table_on_disk_gives_the_rates_of_the_arrays(tmp_path, choice, kinds):
    table = scores()
    write(table, tmp_path / "scores.parquet")
    found = group_tpr(tmp_path / "scores.parquet", KEYS, negatives=choice).set_index(KEYS)
    reference = expected(table, kinds)
    assert len(found) == 3 * len(SIZES)
    assert list(found.index) == list(reference.index)
    np.testing.assert_allclose(found.to_numpy(float), reference.to_numpy(float), atol=1e-6)
    assert found["tpr_conformal"].isna().any() == (choice == "unrelated")
    assert 0 < found["tpr"].mean() < 1 or choice == "unrelated+hard"


def test_a_folder_of_parts_is_one_table(tmp_path):
    folder, table = tmp_path / "run [1]*", scores()
    (folder / "later").mkdir(parents=True)
    write(table.iloc[::2], folder / "a.parquet")
    write(table.iloc[1::2], folder / "later" / "b.parquet")
    write(table, tmp_path / "whole.parquet")
    pd.testing.assert_frame_equal(group_tpr(folder, KEYS), group_tpr(tmp_path / "whole.parquet", KEYS))


def test_a_group_without_unrelated_models_has_no_rate(tmp_path):
    write(
        pd.DataFrame({"cell": [1, 1, 2], "kind": ["negative", "positive", "positive"], "value": [0.5, 0.1, 0.1]}),
        tmp_path / "t.parquet",
    )
    found = group_tpr(tmp_path / "t.parquet", ["cell"])
    assert found["tpr"].tolist() == pytest.approx([1, np.nan], nan_ok=True)
    assert found["n_negatives"].tolist() == [1, 0]


def one_row(**columns):
    return pd.DataFrame({"cell": [1, 1], "kind": ["negative", "positive"], "value": [0.5, 0.1]} | columns)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (one_row(value=[np.nan, 0.1]), {}, "1 values and 0 keys missing"),
        (one_row(value=[0.5, np.nan]), {}, "1 values and 0 keys missing"),
        (one_row(cell=[None, "a"]), {}, "0 values and 1 keys missing"),
        (one_row(), {"keys": ["group"]}, "Expected keys among the columns cell, kind, value"),
        (one_row().drop(columns="kind"), {}, "Expected keys among the columns"),
        (one_row(), {"negatives": "hard"}, "Unknown choice of negatives"),
        (one_row(), {"alpha": 5}, "between 0 and 1"),
    ],
)
def test_errors_say_what_was_expected(tmp_path, table, options, message):
    write(table, tmp_path / "t.parquet")
    with pytest.raises(QurdError, match=message):
        group_tpr(tmp_path / "t.parquet", **{"keys": ["cell"]} | options)


def test_a_missing_table_is_said_to_be_missing(tmp_path):
    with pytest.raises(QurdError, match="Expected a Parquet file"):
        group_tpr(tmp_path / "none.parquet", ["cell"])
    with pytest.raises(QurdError, match="Expected a Parquet file"):
        group_tpr(tmp_path, ["cell"])
    (tmp_path / "some.parquet").write_text("no table")
    for path in (tmp_path, tmp_path / "some.parquet"):
        with pytest.raises(QurdError, match=r"Expected a Parquet file at .*some.parquet. There is a .parquet file"):
            group_tpr(path, ["cell"])
