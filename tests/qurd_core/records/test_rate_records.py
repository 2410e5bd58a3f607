"""The reader of the shipped records: what it gives, and what it says when a file is not as it should be."""

import pandas as pd
import pyarrow.parquet as pq
import pytest

from qurd_core.errors import QurdError
from qurd_core.records import rate_records


def test_a_task_against_one_choice_of_negatives(folder):
    table = rate_records.read("patchwork-sac", task="same", negatives="unrelated+hard")
    assert list(table.columns) == list(rate_records.COLUMNS)
    assert set(table["task"]) == {"same"}
    assert set(table["n_negatives"]) == {44}
    assert table["tpr"].dtype == "float64"
    assert table["budget"].dtype == "int64"
    assert table.loc[table["scheme"].str.startswith("akh"), "name"].unique().tolist() == ["AKH"]
    mix = table[table["scheme"].str.startswith("uniform(test)->")].iloc[0]
    assert mix["name"] is None
    assert mix["reason"] is None


@pytest.mark.parametrize("benchmark", rate_records.EMBEDDED)
def test_one_task_is_read_without_the_others(benchmark):
    """Reading all of a file that ships takes longer than drawing the page."""
    chosen = {"task": "same", "negatives": "unrelated"}
    with pq.ParquetFile(rate_records.path_of(benchmark)) as file:
        parts = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        whole = file.read().to_pandas()
    assert sum(rate_records._may_hold(part, chosen) for part in parts) < len(parts) / 4
    wanted = whole.query("task == 'same' and negatives == 'unrelated'").reset_index(drop=True)
    found = rate_records.read(benchmark, **chosen)
    assert found[["scheme", "budget"]].equals(wanted[["scheme", "budget"]].astype(found[["scheme", "budget"]].dtypes))
    assert found["tpr"].to_numpy() == pytest.approx(wanted["tpr"].to_numpy(), nan_ok=True)


def test_the_pooled_task_comes_first(folder):
    assert rate_records.tasks("patchwork-reuse") == ["all", "same", "quantize"]


def test_a_missing_file_names_the_command_that_makes_it(folder):
    (folder / "patchwork-sac.parquet").unlink()
    with pytest.raises(QurdError, match="python -m qurd_core sweep --benchmark patchwork-sac"):
        rate_records.read("patchwork-sac")


def test_an_unknown_benchmark_suggests_the_nearest(folder):
    with pytest.raises(QurdError, match="Did you mean 'patchwork-sac'"):
        rate_records.read("patchwork-sack")


def test_an_unknown_task_is_refused(folder):
    with pytest.raises(QurdError, match="task 'nap'"):
        rate_records.read("patchwork-sac", task="nap")


@pytest.mark.parametrize("content", [b"", b"PAR1 this is no table PAR1", None], ids=["empty", "rubbish", "cut"])
def test_a_damaged_file_gives_one_sentence(folder, content):
    path = folder / "patchwork-sac.parquet"
    path.write_bytes(path.read_bytes()[:-200] if content is None else content)
    with pytest.raises(QurdError, match=r"cannot be read: .+\. Restore the file or make it again"):
        rate_records.read("patchwork-sac")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t.drop(columns="sd"),
        lambda t: t.assign(tpr=7.0),
        lambda t: t.assign(budget=-1),
        lambda t: t.assign(used="many"),
        lambda t: pd.concat([t, t.head(1)]),
    ],
    ids=["column missing", "share above 1", "negative budget", "text for a number", "two rows for one cell"],
)
def test_a_table_that_no_sweep_writes_is_refused(folder, spoil):
    path = folder / "patchwork-sac.parquet"
    spoil(pd.read_parquet(path)).to_parquet(path)
    with pytest.raises(QurdError, match="cannot be read"):
        rate_records.read("patchwork-sac")
