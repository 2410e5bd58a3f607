"""A challenge tells no label, and scores what it is given as the rule says."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects.challenge import making, scoring
from tests.qurd_core.benchmarks.own.test_model_folder import network

CLASSES = ["cat", "dog", "owl"]
STOLEN, UNRELATED, HARD = 12, 24, 4


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A folder with a victim, thieves of two kinds, unrelated and hard unrelated models; files tell where they come from."""
    home = tmp_path_factory.mktemp("bench")
    pixels = torch.from_numpy(np.random.default_rng(0).integers(256, size=(30, 3, 32, 32), dtype=np.uint8))
    save_file({"pixels": pixels, "truth": torch.arange(30) % 3}, home / "test.safetensors")
    named = {"mine": ("victim", "train(mb,mine)")}
    named |= {f"t{n}": ("stolen", f"train(mb,mine)->{('finetune', 'prune')[n % 2]}(seed={n})") for n in range(STOLEN)}
    named |= {f"u{n}": ("unrelated", f"train(mb,theirs,seed={n})") for n in range(UNRELATED)}
    named |= {f"h{n}": ("hard", f"train(mb,mine,seed={n + 1})") for n in range(HARD)}
    models = []
    for number, (name, (role, lineage)) in enumerate(named.items()):
        weights = {
            key: (values.half() if number % 2 else values) if values.is_floating_point() else values + number
            for key, values in network(number).items()
        }
        save_file(weights, home / f"{name}.safetensors", {"record": lineage})
        about = {"model": name, "role": role, "lineage": lineage, "architecture": "patchwork/mb"}
        models.append(about | {"weights": f"{name}.safetensors"})
    manifest = {"classes": CLASSES, "side": 32, "images": {"test": "test.safetensors"}, "models": models}
    manifest["normalisation"] = {"mean": [0.5] * 3, "std": [0.25] * 3}
    (home / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    return home


@pytest.fixture(scope="module")
def made(bench, tmp_path_factory):
    base = tmp_path_factory.mktemp("challenge")
    return making.make(benchmark(str(bench)), None, base / "out", 0.3, Store(base / "store"), Runtime())


def same(one, other) -> bool:
    return all(torch.equal(values.float(), other[key]) for key, values in one.items() if values.is_floating_point())


@pytest.mark.slow
def test_what_is_handed_out_is_a_folder_of_suspects_and_the_labels_lie_beside_it(made, bench):
    opened, known = benchmark(str(made.folder)), made.table
    assert opened.victims == ("victim",)
    assert opened.suspects == tuple(f"suspect_{n:03}" for n in range(STOLEN + UNRELATED + HARD))
    assert (made.labels.parent, made.labels.name) == (made.folder.parent, "hidden-labels.csv")
    assert known["stolen"].sum() == STOLEN
    assert Counter(known["task"]) == {"finetune": 6, "prune": 6, "unrelated": UNRELATED, "hard unrelated": HARD}
    assert list(known["id"]) == sorted(known["id"])
    whole, ours = benchmark(str(bench)), opened.source
    for row in known.itertuples():  # every suspect is the model that its label says
        weights = load_file(ours.entries[row.id].file)
        one = next(name for name in whole.models if same(load_file(bench / f"{name}.safetensors"), weights))
        assert (whole.root(one), row.stolen) == (row.lineage, int(one[0] == "t"))


def test_nothing_that_is_handed_out_tells_a_label(made):
    files = [path for path in made.folder.rglob("*") if path.is_file()]
    assert {path.stat().st_mtime for path in files} == {making.TIME}
    for path in files:
        data = path.read_bytes()
        assert not any(word in data for word in (b"finetune", b"prune", b"train(mb", b"unrelated", b"hard", b'lineage":'))
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                assert file.metadata() is None
    sizes = {path.stat().st_size for path in files if path.name.startswith("suspect")}
    assert len(sizes) == 1  # in whatever precision a model was stored
    counted = {
        int(values)
        for path in files
        if path.suffix == ".safetensors"
        for values in load_file(path).values()
        if values.dtype == torch.int64 and not values.ndim
    }
    assert counted <= {0}  # how many steps a network was trained
    entries = yaml.safe_load((made.folder / "manifest.yaml").read_text())["models"][1:]
    about = [{key: value for key, value in one.items() if key not in ("model", "weights")} for one in entries]
    assert all(one == about[0] for one in about)


@pytest.mark.slow
def test_the_order_of_suspects_cannot_be_drawn_again(made, bench, tmp_path):
    again = making.make(benchmark(str(bench)), "mine", tmp_path / "out", 0.3, Store(tmp_path), Runtime())
    assert not again.table["lineage"].equals(made.table["lineage"])
    assert (
        json.loads((again.folder / "challenge.json").read_text())["labels"]
        != (json.loads((made.folder / "challenge.json").read_text())["labels"])
    )


def test_of_every_kind_the_same_share_is_public(made):
    known = made.table
    for _, some in known.groupby("task"):
        assert abs((some["part"] == "public").sum() - 0.3 * len(some)) <= 1
    assert (known["part"] == "public").sum() == 12


def test_the_labels_are_sealed_with_a_salt(made, tmp_path):
    text = made.labels.read_text()
    assert len(text.splitlines()[0]) == len(making.SALT) + 64
    assert scoring.read_labels(made.folder, made.labels)["id"].tolist() == made.table["id"].tolist()
    place = text.index(",1,")
    changed = tmp_path / "labels.csv"
    changed.write_text(text[:place] + ",0," + text[place + 3 :])
    with pytest.raises(QurdError, match="are not those that were sealed"):
        scoring.read_labels(made.folder, changed)
    with pytest.raises(QurdError, match="Expected a challenge in"):
        scoring.read_labels(tmp_path, made.labels)


def told(innocent, stolen) -> scoring.Part:
    values = np.array([*innocent, *stolen], float)
    is_stolen = np.arange(len(values)) >= len(innocent)
    names = [f"s{n}" for n in range(len(values))]
    return scoring.told("public", values, is_stolen, names, [f"train({name})" for name in names])


def test_the_closed_form():
    part = told(range(1, 21), [25, 20, 19, 3])
    assert (part.k, part.threshold, part.caught, part.of, part.tpr, part.step) == (1, 19.0, 2, 4, 0.5, 0.25)
    assert part.tied == ("s18", "s22")  # the threshold itself, and one stolen model
    assert part.kind == 0.75
    assert part.low < 0.5 < part.high
    assert told(range(81), [100]).k == 4
    assert told(range(19), [100]).k == 0
    assert told(range(20), [100]).k == 1


def test_ties_of_everybody_catch_nobody():
    part = told([1] * 20, [1] * 4)
    assert (part.tpr, part.kind, part.auc) == (0, 1, 0.5)


def submission(table: pd.DataFrame, path: Path, value=lambda row: float(row.stolen)) -> Path:
    rows = [f"{row.id},{value(row)}" for row in table.itertuples()]
    path.write_text("\n".join(["id,score", *rows]) + "\n")
    return path


def test_a_perfect_submission_and_one_the_other_way(made, tmp_path):
    order = {row.id: n for n, row in enumerate(made.table.itertuples())}
    good = submission(made.table, tmp_path / "good.csv", lambda row: 100 * row.stolen + order[row.id])
    found = scoring.score(made.folder, made.labels, good, "A")
    assert [part.name for part in found.parts] == ["public"]
    assert (found.parts[0].tpr, found.parts[0].auc) == (1, 1)
    bad = submission(made.table, tmp_path / "bad.csv", lambda row: -100 * row.stolen + order[row.id])
    found = scoring.score(made.folder, made.labels, bad, "A", private=True)
    assert [part.name for part in found.parts] == ["public", "private"]
    assert found.parts[0].tpr == 0
    assert any("is the direction the other way? High means stolen here." in note for note in found.notes)


def test_tries_are_counted_by_team_and_the_same_file_is_no_other_try(made, tmp_path):
    def tried(team, seed):
        rng = np.random.default_rng(seed)
        one = submission(made.table, tmp_path / f"{seed}.csv", lambda row: rng.random())
        return scoring.score(made.folder, made.labels, one, team)

    assert [tried("B", seed).tries for seed in (1, 2, 1, 3)] == [1, 2, 1, 3]
    assert tried("C", 1).tries == 1
    assert any("This is try 3" in note and "The private part counts." in note for note in tried("B", 3).notes)
    assert not any("try" in note for note in tried("C", 1).notes)


def test_the_best_of_several_tries_looks_better_than_it_is():
    one, twenty, hundred = (scoring.best_of(tries, 0.55, 27, 81) for tries in (1, 20, 100))
    assert abs(one - 0.55) < 0.02
    assert one + 0.1 < twenty < hundred < 1


BROKEN = {
    "columns": (lambda lines: ["id,value", *lines[1:]], "Expected the columns id,score in line 1 .* Got id,value"),
    "more columns": (lambda lines: ["id,score,note", *lines[1:]], "in line 1 .* Got id,score,note"),
    "empty": (lambda lines: [], "in line 1 .* Got nothing"),
    "missing": (lambda lines: lines[:-2], "2 have none, such as 'suspect_038'"),
    "double": (lambda lines: [*lines, lines[1]], "Expected every id once. 'suspect_000' comes again in line 42"),
    "strange": (lambda lines: [*lines[:3], "suspect_999,1"], "an id of the challenge in line 4 .* Got 'suspect_999'"),
    "nan": (lambda lines: [*lines[:5], "suspect_004,nan", *lines[6:]], "finite number as score in line 6 .* Got 'nan'"),
    "infinity": (lambda lines: [*lines[:5], "suspect_004,-inf", *lines[6:]], "in line 6 .* Got '-inf'"),
    "word": (lambda lines: [*lines[:5], "suspect_004,high", *lines[6:]], "in line 6 .* Got 'high'"),
    "short": (lambda lines: [*lines[:5], "suspect_004", *lines[6:]], "an id and a score in line 6 .* Got 1 values"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_submission_is_refused_with_the_first_line_at_fault_and_is_no_try(made, tmp_path, name):
    change, said = BROKEN[name]
    path = submission(made.table, tmp_path / "mine.csv")
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(QurdError, match=said):
        scoring.score(made.folder, made.labels, path, f"refused {name}")
    tries = made.labels.parent / scoring.TRIES
    assert not tries.exists() or f"refused {name}" not in tries.read_text()


def test_what_cannot_be_made_leaves_nothing(bench, made, tmp_path):
    of, store = benchmark(str(bench)), Store(tmp_path / "store")
    for public, said in (
        (1.0, "'public' between 0 and 1"),
        (0.01, "stolen and unrelated models in both parts. The public one"),
    ):
        with pytest.raises(QurdError, match=said):
            making.make(of, None, tmp_path / "out", public, store, Runtime())
    with pytest.raises(QurdError, match="Unknown victim 'nobody'"):
        making.make(of, "nobody", tmp_path / "out", 0.3, store, Runtime())
    assert not (tmp_path / "out").exists()
    with pytest.raises(QurdError, match=r"hidden-labels.csv. Something is there already"):
        making.make(of, None, made.folder.parent / "other", 0.3, store, Runtime())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(QurdError, match=r"full. Something is there already"):
        making.make(of, None, tmp_path / "full", 0.3, store, Runtime())


@pytest.mark.slow
def test_the_commands_make_a_challenge_of_shipped_models_and_score_a_triage_of_it(qurd, tmp_path):
    where = ("--victim", "train(vgg,victim)", "--out", str(tmp_path / "out"))
    code, said, err = qurd("challenge", "make", "patchwork-sac", *where)
    assert code == 0, err
    assert "whoever has it can look the labels up" in err
    assert [line.split()[0] for line in said.splitlines()[:3]] == ["part", "public", "private"]
    code, _, err = qurd(
        *("triage", str(tmp_path / "out"), "--out", str(tmp_path / "ranking.csv"), "--fit", "0", "--budget", "20"),
        *("--submission", str(tmp_path / "mine.csv"), "--device", "cpu"),
    )
    assert code == 0, err
    labels = str(tmp_path / "hidden-labels.csv")
    code, said, _ = qurd(
        *("challenge", "score", str(tmp_path / "out"), str(tmp_path / "mine.csv"), "--labels", labels, "--team", "A"),
        *("--reveal-private", "--json"),
    )
    found = json.loads(said)
    assert code == 0
    assert [part["name"] for part in found["parts"]] == ["public", "private"]
    assert all(part["auc"] > 0.8 for part in found["parts"])  # AKH at 20 queries
