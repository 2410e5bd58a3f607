"""The command that measures what hides a stolen model."""

from qurd_core.records import grid_records
from tests.toy_grid import grid_of_toy  # noqa: F401 (a fixture)


def test_the_grid_is_written_where_it_is_wanted_after_its_time_was_said(grid_of_toy, qurd, tmp_path):  # noqa: F811
    chosen = ("--hiding", "none", "--hiding", "argmax", "--seeds", "1", "--out", str(tmp_path))
    code, out, told = qurd("grid", "--benchmark", "toy", "--scheme", "Random", *chosen, "--device", "cpu")
    assert code == 0, told
    assert out.split() == [str(tmp_path / "toy-grid.parquet")]
    assert "2 thefts x 2 ways to hide them, 1 scheme(s), 4 query sets left: about 0.0 hours with 1 worker(s)" in told
    table = grid_records.read("toy", tmp_path)
    assert table["tpr"].notna().all()
    assert list(table["hiding"].unique()) == ["none", "argmax"]


def test_a_benchmark_without_a_grid_is_one_sentence(qurd):
    code, _, told = qurd("grid", "--benchmark", "patchwork-sac", "--scheme", "AKH")
    assert code == 2
    wanted = "Expected a benchmark with a grid: fashion-sac. Got an embedded benchmark, patchwork-sac. Use 'run' on it."
    assert wanted in " ".join(told.split())


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_computed(grid_of_toy, qurd, tmp_path):  # noqa: F811
    (tmp_path / "file").write_text("")
    code, _, told = qurd("grid", "-b", "toy", "-s", "Random", "--out", str(tmp_path / "file" / "out"))
    assert code == 2
    assert "cannot be made: Not a directory" in " ".join(told.split())
    assert "hours with" not in told
