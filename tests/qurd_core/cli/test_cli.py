import json
import os

import pytest

from qurd_core.benchmarks.saved_benchmarks import BenchFile
from tests.toy import STRANGERS, VICTIMS


def test_schemes_lists_names_and_every_combination_with_its_reason(qurd):
    code, out, _ = qurd("schemes", "--json")
    found = json.loads(out)
    assert code == 0
    assert {row["name"] for row in found["named"]} >= {"AKH", "Random", "IPGuard", "ModelDiff", "SAC", "ZestOfLIME", "FBI"}
    assert set(found["named"][0]) == {"name", "scheme", "access", "reconstruction", "source"}
    assert set(found["combinations"][0]) == {"scheme", "access", "compatible", "reason"}
    assert sum(row["compatible"] for row in found["combinations"]) >= 100
    assert all(bool(row["reason"]) != row["compatible"] for row in found["combinations"])


def test_schemes_can_be_read_as_a_table(qurd):
    code, out, _ = qurd("schemes")
    assert code == 0
    assert "ZestOfLIME" in out
    assert "combinations go together" in out


def test_benchmarks_are_listed_with_their_sizes(qurd):
    _, out, _ = qurd("benchmarks", "--json")
    found = {row["benchmark"]: row for row in json.loads(out)}
    assert found["patchwork-sac"]["victims"] == 3
    assert found["patchwork-reuse"]["victims"] == 8


def save_half(tmp_path):
    """One victim of the toy benchmark, two stolen and twenty unrelated models, saved as the app saves a bench."""
    pairs = [(VICTIMS[0], name) for name in (VICTIMS[0], f"{VICTIMS[0]}->finetune(seed=1)", *STRANGERS[:20])]
    path = tmp_path / "store" / "benches" / "half.json"
    BenchFile("toy", frozenset(pairs)).write(path)
    return path


def test_saved_benches_are_listed_with_what_they_are_a_part_of(qurd, tmp_path):
    (save_half(tmp_path).parent / "broken.json").write_text("{")
    _, out, _ = qurd("benchmarks", "--json")
    found = {row["benchmark"]: row for row in json.loads(out)}
    assert found["half"]["about"] == "Your benchmark: a part of toy."
    assert [found["half"][size] for size in ("victims", "stolen_pairs", "unrelated_pairs")] == [1, 2, 20]
    assert found["broken"]["victims"] is None
    assert "Expected a bench" in found["broken"]["about"]


def test_an_unknown_benchmark_is_told_all_that_there_are(qurd, tmp_path):
    save_half(tmp_path)
    _, _, err = qurd("run", "-b", "halv", "-s", "AKH")
    said = " ".join(err.split())
    assert "Did you mean 'half'?" in said
    for name in ("half", "patchwork-sac", "sacbench-cifar10", "published-cifar10"):
        assert name in said.partition("Known: ")[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["benchmarks"],
        ["models", "-b", "patchwork-reuse"],
        ["check-benchmark", "patchwork-reuse"],
        ["schemes"],
        ["separability", "-b", "patchwork-sac"],
        ["paper", "rates", "-b", "published-cifar10", "--budget", "100"],
        ["paper", "table3"],
        ["paper", "figure1"],
        ["paper", "claims"],
        ["paper", "agreement"],
    ],
    ids=" ".join,
)
def test_a_row_of_a_table_is_one_line_where_there_is_no_terminal(qurd, monkeypatch, arguments):
    """The columns of every line of a table begin at the same places, so a folded row would begin with blanks."""
    monkeypatch.setenv("COLUMNS", "40")
    code, out, _ = qurd(*arguments)
    assert code == 0
    assert not [line for line in out.splitlines() if line.startswith("  ")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "-b", "patchwork-sak", "-s", "AKH"], "Did you mean 'patchwork-sac'"),
        (["run", "-b", "patchwork-sac", "-s", "AHK"], "Did you mean 'AKH'"),
        (["run", "-b", "patchwork-sac", "-s", "negative(test)->pdg | labels | hamming"], "Did you mean 'pgd'"),
        (["run", "-b", "patchwork-sac", "-s", "negative(tset) | labels | hamming"], "must be one of train, test"),
        (["run", "-b", "patchwork-sac", "-s", "uniform(test)->pgd(eps=2) | labels | hamming"], "between 0 and 1"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--budget", "ten"], "whole numbers separated by commas"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--budget", "0"], "at least 1"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--task", "stealing"], "Unknown task of patchwork-sac"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--by", "victim"], "--by task"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--rule", "papers"], "Did you mean 'paper'"),
        (["paper", "rates", "-b", "published-cifar10", "-s", "AHK"], "Did you mean 'AKH'"),
        (["paper", "rates", "-b", "published-cifar10", "--task", "nap"], "Unknown task of published-cifar10"),
        (["paper", "rates", "-b", "published-cifar10", "--budget", "15"], "recorded budgets"),
        (["pairs", "-b", "published-cifar10", "--task", "nap"], "Unknown task 'nap'"),
        (["pairs", "-b", "published-cifar10", "--negatives", "hard"], "Unknown choice of negatives 'hard'"),
        (["pairs", "-b", "published-cifar10", "--by", "victim"], "--by task"),
        (["separability", "-b", "patchwork-sac", "--by", "task"], "Did you mean 'tasks'"),
        (["separability", "-b", "patchwork-sac", "--task", "nap"], "Unknown task 'nap'"),
        (["separability", "-b", "patchwork-sac", "--of", "AHK"], "Expected scores of AHK"),
        (["separability", "-b", "patchwork-sac", "--negatives", "hard"], "Unknown choice of negatives 'hard'"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--device", "gpu"], "Expected a device out of cpu"),
        (["run", "-b", "../etc", "-s", "AKH"], "Got '../etc'. There is nothing."),
        (["run", "-b", "published-cifar10", "-s", "AKH"], "Of published-cifar10 only scores were published"),
        (["run", "-b", "patchwork-reuse(negatives=all)", "-s", "AKH"], "must be one of pool, lineage"),
        (["build", "imagenet"], "Unknown wing of embedded models 'imagenet'"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--workers", "0"], "workers of at least 1"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--budget", "9" * 320], "Expected budgets of at most 1,000,000"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--budget", "9" * 5_000], "whole numbers separated by commas"),
        (["run", "-b", "patchwork-sac", "-s", "AKH", "--seeds", "9" * 320], "and 10,000 query seeds"),
        (["run", "-b", f"patchwork-sac({'9' * 320})", "-s", "AKH"], "Expected a number of at most 1.8e+308"),
        (["run", "-b", "a\ud800b", "-s", "AKH"], "'a\\ud800b'"),
    ],
)
@pytest.mark.slow
def test_bad_input_is_one_sentence_and_exit_code_2(qurd, arguments, says):
    code, out, err = qurd(*arguments)
    assert code == 2
    assert says in " ".join(err.split())
    assert "Traceback" not in err
    assert not out


def test_run_takes_the_file_of_a_bench_and_its_name(qurd, tmp_path):
    path = save_half(tmp_path)
    asked = ["-s", "AKH", "--budget", "10,20", "--seeds", "1", "--device", "cpu", "--workers", "1", "--json"]
    tables = []
    for name in (str(path), "half"):
        code, out, _ = qurd("run", "-b", name, *asked)
        assert code == 0
        tables.append([row | {"benchmark": None} for row in json.loads(out)])
    assert tables[0] == tables[1]
    assert [(row["n_negatives"], row["n_victims"]) for row in tables[0]] == [(20, 1), (20, 1)]


def test_a_bad_bench_file_is_one_sentence(qurd, tmp_path):
    (tmp_path / "bad.json").write_text("{")
    code, out, err = qurd("run", "-b", str(tmp_path / "bad.json"), "-s", "AKH")
    assert (code, out) == (2, "")
    assert "as the Benchmark page saves it" in " ".join(err.split())


def test_an_unknown_command_or_option_is_exit_code_2(qurd):
    assert qurd("runn")[0] == 2
    assert qurd("run", "--speed", "9")[0] == 2


@pytest.mark.parametrize(
    "command",
    [
        "benchmarks",
        "models",
        "check-benchmark",
        "pairs",
        "separability",
        "schemes",
        "run",
        "sweep",
        "grid",
        "build",
        "fetch",
    ],
)
def test_every_command_explains_itself(qurd, command):
    code, out, _ = qurd(command, "--help")
    assert code == 0
    assert len(out) > 200


@pytest.mark.parametrize("command", [("honest",), ("sweep",)])
def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_computed(qurd, tmp_path, command):
    (tmp_path / "file").write_text("")
    code, _, err = qurd(*command, "-b", "patchwork-reuse", "--out", str(tmp_path / "file" / "out"))
    assert code == 2
    assert "cannot be made: Not a directory" in " ".join(err.split())
    assert "minutes with" not in err  # a sweep estimates its time first, which takes a minute


def test_who_has_no_home_is_told_before_the_app_starts(qurd, homeless, monkeypatch):
    monkeypatch.setattr("runpy.run_module", lambda *_, **__: pytest.fail("the app was started"))
    code, _, told = qurd("app", "--no-browser")
    assert code == 2
    assert "This user has none: set HOME to a folder." in told


def test_a_path_that_is_no_text_is_written_out(qurd, tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.csv")
    try:
        path.write_text("item,truth,model,label\n")
    except OSError:
        pytest.skip("this file system holds texts only")
    code, out, _ = qurd("check-benchmark", str(path))
    assert code == 2
    assert "\\udcff.csv. It has a header only." in out


def test_a_disk_that_refuses_is_one_sentence(qurd, monkeypatch):
    def full():
        raise OSError(28, "No space left on device", "/somewhere")

    monkeypatch.setattr("qurd_core.benchmarks.base.register_benchmarks", full)
    code, _, told = qurd("benchmarks")
    assert code == 2
    assert told.startswith("Error: The disk refused: [Errno 28] No space left on device: '/somewhere'. Nothing stored")
    assert told.count("\n") == 1
