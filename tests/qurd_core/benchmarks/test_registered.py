"""Benchmarks that somebody brings have names, by which commands find them; no path stands where a name does."""

import json
from pathlib import Path

import pytest

from qurd_core.benchmarks import base, registered
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of, saved_names
from qurd_core.errors import QurdError
from qurd_core.records import own_records
from qurd_core.records.own_records import Note
from tests.qurd_core.benchmarks.own.test_answer_table import answers


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder with a table of answers, and a store."""
    monkeypatch.setenv("QURD_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    answers().to_csv("answers.csv", index=False)
    return tmp_path


def test_a_name_leads_to_what_was_registered_and_commands_take_it(qurd, place):
    code, out, _ = qurd("register", "shop", "answers.csv")
    assert code == 0
    assert str(place / "answers.csv") in out
    assert base.benchmark("shop") is base.benchmark("answers.csv")
    code, out, _ = qurd("benchmarks", "--json")
    (shop,) = (row for row in json.loads(out) if row["benchmark"] == "shop")
    assert (shop["victims"], shop["about"]) == (1, f"Your benchmark: {place / 'answers.csv'}.")
    assert qurd("pairs", "-b", "shop", "--by", "task", "--json")[0] == 0
    assert qurd("unregister", "shop") == (0, "", "")
    assert registered.names() == ["digits"]
    assert Path("answers.csv").is_file()


REFUSED = {
    ("patchwork-sac", "answers.csv"): "patchwork-sac is a benchmark that ships: choose another name.",
    ("published-cifar10", "answers.csv"): "is a benchmark that ships",
    ("digits", "answers.csv"): "digits is a benchmark that ships",
    ("half", "answers.csv"): "half is a saved benchmark: choose another name, or delete that one.",
    ("Shop", "answers.csv"): "up to 40 small letters, digits and hyphens. Got 'Shop'.",
    ("../shop", "answers.csv"): "small letters, digits and hyphens",
    ("x" * 41, "answers.csv"): "up to 40",
    ("other", "shop"): "Got 'shop', which has a name already.",
    ("other", "half"): "Got 'half', which has a name already.",
    ("other", "patchwork-sac"): "Got 'patchwork-sac', which has a name already.",
    ("other", "nowhere"): "Unknown benchmark 'nowhere'.",
    ("other", "nothing.csv"): "There is nothing.",
    ("other", "wrong.csv"): "wrong.csv",
}


@pytest.mark.parametrize(("name", "path"), REFUSED)
@pytest.mark.slow
def test_what_cannot_be_registered_is_one_sentence(qurd, name, path):
    base.register("shop", "answers.csv")
    BenchFile("patchwork-sac", frozenset({("a", "b")})).write(home_of("half"))
    Path("wrong.csv").write_text("a,b\n1,2\n")
    code, out, err = qurd("register", name, path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert REFUSED[name, path] in err
    assert registered.names() == ["digits", "shop"]


def test_what_is_not_where_it_was_registered_is_said_and_no_file_of_that_name_is_taken_instead(place):
    base.register("shop", "answers.csv")
    Path("answers.csv").rename("elsewhere.csv")
    Path("shop").mkdir()
    with pytest.raises(
        QurdError, match=r"Expected the benchmark shop at .*answers.csv, where it was registered. There is noth"
    ):
        base.benchmark("shop")


def test_a_saved_benchmark_of_one_that_has_a_name_is_copied_and_calls_it_so(place):
    pairs = [("mine", name) for name in ("copy", "student", *(f"other{n}" for n in range(20)))]
    BenchFile(str(place / "answers.csv"), frozenset(pairs)).write(place / "part.json")
    with pytest.raises(QurdError, match="give that one a name first, with 'register'"):
        base.register("part", "part.json")
    base.register("shop", "answers.csv")
    base.register("part", "part.json")
    assert saved_names() == ["part"]
    assert BenchFile.read(home_of("part")).benchmark == "shop"
    assert len(base.benchmark("part").pairs) == 22


def test_the_state_of_files_changes_with_each_of_them_and_says_when_they_are_gone(place):
    folder = place / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a").write_text("1")
    seen = [registered.state(folder)]
    for change in (
        lambda: (folder / "deep" / "a").write_text("12"),
        lambda: (folder / "b").write_text("1"),
        lambda: (folder / "b").rename(folder / "c"),
    ):
        change()
        seen.append(registered.state(folder))
    assert len({*seen}) == len(seen)
    assert registered.state(folder) == seen[-1]
    assert registered.state(place / "nothing") == registered.GONE


def test_records_go_with_the_last_name_that_they_are_of(qurd):
    for name in ("shop", "twin"):
        base.register(name, "answers.csv")
        own_records.write_note(name, Note("same", "state", "parts", ("AKH",)))
    own_records.folder_named("same").mkdir()
    assert qurd("unregister", "shop")[0] == 0
    assert own_records.folder_of("twin").is_dir()
    assert qurd("unregister", "twin")[0] == 0
    assert not own_records.folder_named("same").exists()
    code, _, err = qurd("unregister", "twin")
    assert (code, "Unknown registered benchmark 'twin'" in err) == (2, True)
    code, _, err = qurd("unregister", "digits")
    assert (code, "digits ships as an example" in err) == (2, True)
