"""One flipped bit in what is kept or ships is noticed where it is read, or changes nothing; commands name the file."""

import json
import random

import numpy as np
import pytest
import torch

from qurd_core import files
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.errors import QurdError
from qurd_core.files import AlteredError, checked, publish, publishing, read_json, write_json
from qurd_core.jobs import live
from qurd_core.paper import importer
from qurd_core.records import rate_records
from qurd_core.records.verify import kept
from qurd_core.store import FORM, Key, Store
from tests.benchmarks import flips

TRIES = 20
KINDS = [  # as `flips.kinds` gives them; a test below holds the two together
    *("live rates", "live queries", "import report", "state of a job", "speed", "saved benchmark", "imported scores"),
    *("imported pairs", "part of an import", "result of the store", "format of the store", "note of a fetch"),
    *("fetched config", "fetched collection", "fetched pictures", "digest of fetched pictures", "recorded rates"),
    *("recorded scores", "recorded pairs", "recorded models", "answer bank", "recorded honest", "recorded gains"),
    *("recorded winners", "schemes in words", "published rates", "rates by victim", "agreement", "Table 3", "claims"),
    *("story", "components", "manifest of the models", "weights", "digests of what ships"),
]
KEY = Key("answers", {"number": 1})


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    with flips.copied_assets(folder):
        yield flips.kinds(folder)


def test_every_kind_is_tried(kinds):
    assert list(kinds) == KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_a_flipped_bit_is_noticed_or_changes_nothing(kinds, kind):
    found = flips.flips(kinds[kind], random.Random(kind), TRIES)
    assert found["silent"] + found["crash"] == 0, found
    assert found["noticed"] >= TRIES * 0.7, found


def bend(path, place=0.5):
    """Flip a bit of a file."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    path.write_bytes(data)


def tensors():
    return {"x": torch.arange(5)}


def bench(folder):
    path = folder / "benches" / "mine.json"
    BenchFile("toy", frozenset({("a", "b"), ("c", "d")})).write(path)
    return path


def test_what_ships_is_what_the_digests_say():
    names = {files.shipped_name(path) for path in files.shipped_files()}
    assert set(files.digests()) == names, "run: python -m qurd_core.files"
    for name in names:
        checked(files.ASSETS / name)


def test_a_file_that_ships_and_is_not_among_the_digests_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ASSETS", tmp_path)
    (tmp_path / "new.json").write_text("{}")
    files.note_all()
    assert read_json(tmp_path / "new.json") == {}
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(AlteredError, match=r"git checkout -- assets/other\.json"):
        read_json(tmp_path / "other.json")
    files.note([tmp_path / "other.json", tmp_path.parent / "elsewhere.json"])
    assert read_json(tmp_path / "other.json") == {}


def test_writing_a_file_in_two_places_at_once_leaves_one_whole_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    with publishing(path) as one, publishing(path) as other:
        assert one != other
        one.write_bytes(b"one")
        other.write_bytes(b"other")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path, monkeypatch):
    path = publish(tmp_path / "file", b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        publish(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_written_by_hand_or_by_an_older_version_is_taken_as_it_is(tmp_path):
    (tmp_path / "hand.json").write_text('{"a": 1}')
    assert read_json(tmp_path / "hand.json") == {"a": 1}
    write_json(tmp_path / "ours.json", {"a": 1})
    assert read_json(tmp_path / "ours.json") == {"a": 1}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"format": 1, "benchmark": "toy", "pairs": [["a", "b"]]}))
    assert BenchFile.read(path).pairs == {("a", "b")}
    table = rate_records.read("patchwork-reuse").head(9)
    table.to_parquet(tmp_path / "run.parquet")
    assert len(live.rows(tmp_path / "run.parquet", "unrelated")) == 9


def test_who_changes_a_saved_benchmark_by_hand_is_told_what_to_take_out(tmp_path):
    path = bench(tmp_path)
    path.write_text(path.read_text().replace('"d"', '"e"'))
    with pytest.raises(AlteredError, match="take out its line 'qurd-seal'"):
        BenchFile.read(path)
    path.write_text("".join(line for line in path.open() if "qurd-seal" not in line))
    assert BenchFile.read(path).pairs == {("a", "b"), ("c", "e")}


def test_a_part_of_an_import_that_was_altered_is_read_from_its_source_again(tmp_path):
    path, asked = tmp_path / "part.parquet", []
    rows = {"source_model": ["v"], "target_model": ["s"], "seed": [0], "budget": [10], "value": [0.5]}
    names = {"split": "test", "sampler": "Negative", "representation": "Labels", "distance": "hamming"}

    def read(report):
        asked.append(report)
        return importer.pd.DataFrame(rows).assign(**names)

    part = importer.Part("published-cifar10", 0, "sign", read)
    for _ in range(2):
        importer._keep(part, path, importer.Report())
    assert len(asked) == 1
    bend(path)
    importer._keep(part, path, importer.Report())
    assert len(asked) == 2
    assert np.isclose(importer._kept(path)["value"].to_pylist()[0], 0.5)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"format": 9}', b"\xff\xfe", b'{"formau": 1}'])
def test_a_damaged_format_is_written_again_where_results_lie_beside_it(tmp_path, damage):
    Store(tmp_path).get(KEY, tensors)
    (tmp_path / FORM).write_bytes(damage)
    assert torch.equal(Store(tmp_path).get(KEY, pytest.fail)["x"], tensors()["x"])
    assert read_json(tmp_path / FORM) == {"format": 1}
    assert (tmp_path / "tmp" / "quarantine" / FORM).read_bytes() == damage


def test_a_newer_format_that_is_sound_is_refused_though_results_lie_beside_it(tmp_path):
    Store(tmp_path).get(KEY, tensors)
    write_json(tmp_path / FORM, {"format": 9})
    with pytest.raises(QurdError, match="Expected a store of format 1"):
        Store(tmp_path)


def test_store_verify_names_what_was_altered_and_how_to_get_it_back(qurd, tmp_path):
    folder = tmp_path / "store"
    store = Store(folder)
    store.get(KEY, tensors)
    live.write(rate_records.read("patchwork-reuse").head(9), folder / "runs" / "a.parquet")
    path = bench(folder)
    (folder / "benches" / "hand.json").write_text(json.dumps({"format": 1, "benchmark": "toy", "pairs": []}))
    code, out, told = qurd("store", "verify")
    assert (code, out.strip()) == (0, "")
    assert "5 files checked: 0 altered, 1 without a digest (written by hand or by an older version)." in told
    for altered in (path, store.path(KEY), folder / "runs" / "a.parquet"):
        bend(altered, 0.9)
    code, out, told = qurd("store", "verify", "--json")
    rows = {row["file"]: row["again"] for row in json.loads(out)}
    assert code == 2
    assert "3 altered file(s)" in told
    assert "Save it again on the Benchmark page" in rows[str(path)]
    assert "computed again" in rows[str(store.path(KEY))]
    assert "Run it again" in rows[str(folder / "runs" / "a.parquet")]
    assert path.is_file() and store.path(KEY).is_file(), "looking changes nothing"


def test_store_verify_looks_at_fetched_files_too(tmp_path):
    Store(tmp_path)
    readings = dict(flips.fetched(tmp_path / "hub"))
    for path, _ in readings.values():
        bend(path)
    assert {one.path for one in kept(tmp_path) if one.wrong} >= {
        readings[kind][0] for kind in ("note of a fetch", "fetched collection", "digest of fetched pictures")
    }


def test_a_folder_that_is_no_store_is_not_verified(qurd):
    code, _, told = qurd("store", "verify")
    assert code == 2
    assert "Expected a store in" in told


def test_verify_assets_names_what_was_altered(qurd, tmp_path):
    assert qurd("verify-assets")[0] == 0
    with flips.copied_assets(tmp_path) as assets:
        bend(assets / "records" / "patchwork-sac-bank.safetensors")
        (assets / "logo" / "qurd.svg").unlink()
        code, out, _ = qurd("verify-assets")
    assert code == 2
    assert "git checkout -- assets/records/patchwork-sac-bank.safetensors" in out
    assert "git checkout -- assets/logo/qurd.svg" in out
