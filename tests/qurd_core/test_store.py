import json
import multiprocessing
import os
import signal
import threading
import time

import pytest
import torch

from qurd_core import files
from qurd_core.errors import QurdError
from qurd_core.files import publishing
from qurd_core.store import Key, Store, is_sound


def key(number: int = 0, **spec) -> Key:
    return Key("answers", {"number": number, **spec})


def tensors(number: int = 0) -> dict[str, torch.Tensor]:
    return {"x": torch.arange(5) + number, "y": torch.eye(3)}


def refuse():
    raise AssertionError("asked again")


def test_what_was_stored_comes_back_without_asking_again(tmp_path):
    made = Store(tmp_path).get(key(), tensors)
    found = Store(tmp_path).get(key(), refuse)
    assert found.keys() == made.keys()
    assert all(torch.equal(found[name], made[name]) for name in made)


@pytest.mark.parametrize("other", [key(1), key(0, seed=1), Key("scores", {"number": 0})])
def test_anything_in_the_key_makes_another_result(tmp_path, other):
    store = Store(tmp_path)
    store.get(key(), tensors)
    assert not store.has(other)


def test_the_order_in_a_key_does_not_matter():
    assert Key("answers", {"a": 1, "b": 2}).digest == Key("answers", {"b": 2, "a": 1}).digest


def test_a_failing_make_leaves_nothing(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(QurdError, match="no"):
        store.get(key(), lambda: (_ for _ in ()).throw(QurdError("no")))
    assert not store.has(key())
    assert not list(tmp_path.glob("answers/**/*"))


@pytest.mark.parametrize("damage", ["empty", "cut", "flip", "other"])
def test_a_damaged_file_is_moved_aside_and_made_again(tmp_path, damage):
    store = Store(tmp_path)
    store.get(key(), tensors)
    path = store.path(key())
    good = path.read_bytes()
    flipped = good[:-3] + bytes([good[-3] ^ 1]) + good[-2:]
    store.get(key(7), lambda: tensors(7))
    other = store.path(key(7)).read_bytes()
    path.write_bytes({"empty": b"", "cut": good[: len(good) // 2], "flip": flipped, "other": other}[damage])
    again = store.get(key(), tensors)
    assert torch.equal(again["x"], tensors()["x"])
    assert path.read_bytes() == good
    assert len(list((tmp_path / "tmp" / "quarantine").iterdir())) == 1


def test_every_single_flipped_bit_is_noticed(tmp_path):
    store = Store(tmp_path)
    store.get(key(), tensors)
    path = store.path(key())
    good = bytearray(path.read_bytes())
    for position in range(0, len(good), 7):
        bad = bytearray(good)
        bad[position] ^= 1 << position % 8
        path.write_bytes(bad)
        assert torch.equal(store.get(key(), tensors)["x"], tensors()["x"])
        assert path.read_bytes() == bytes(good)


def test_a_newer_store_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "FORMAT.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(QurdError, match="Expected a store of format 1"):
        Store(tmp_path)


def test_a_folder_that_is_something_else_is_refused(tmp_path):
    (tmp_path / "FORMAT.json").write_text("not json")
    with pytest.raises(QurdError, match="is this folder a store"):
        Store(tmp_path)


def test_a_disk_that_refuses_gives_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    store = Store(tmp_path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(QurdError, match=r"No space left on device.*--store"):
        store.get(key(), tensors)
    assert not store.has(key())
    assert not [path for path in (tmp_path / "tmp").iterdir() if path.is_file()]


def test_a_store_where_a_file_lies_gives_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(QurdError, match="Expected to write in the store"):
        Store(tmp_path / "file")


def publish_for_ever(path, reports):
    with publishing(path.parent / "out", path.parent) as draft:
        draft.write_bytes(b"half")
        reports.put(draft.name)
        signal.pause()


def test_what_killed_runs_left_aside_is_swept_however_young(tmp_path):
    Store(tmp_path)
    context = multiprocessing.get_context("fork")
    reports = context.SimpleQueue()
    writer = context.Process(target=publish_for_ever, args=(tmp_path / "tmp" / "x", reports))
    writer.start()
    draft = tmp_path / "tmp" / reports.get()
    Store(tmp_path)
    assert draft.read_bytes() == b"half"
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    Store(tmp_path)
    assert not draft.exists()


def test_a_process_whose_clock_is_days_ahead_removes_nothing_that_is_being_published(tmp_path, monkeypatch):
    store, late = Store(tmp_path), time.time() + 3 * 86_400

    def slowly(path, data, aside):
        with publishing(path, aside) as draft:
            draft.write_bytes(data)
            os.utime(draft, (1_000_000_000,) * 2)
            monkeypatch.setattr(time, "time", lambda: late)
            Store(tmp_path)
        return path

    monkeypatch.setattr("qurd_core.store.publish", slowly)
    store.get(key(), tensors)
    assert torch.equal(store.get(key(), refuse)["x"], tensors()["x"])
    assert not [path for path in (tmp_path / "tmp").iterdir() if path.is_file()]


def test_a_draft_that_is_removed_before_it_is_locked_is_begun_again(tmp_path, monkeypatch):
    path, lock = tmp_path / "file", files.fcntl.flock

    def swept(file, how):
        monkeypatch.setattr(files.fcntl, "flock", lock)
        next(tmp_path.glob("file.*")).unlink()

    monkeypatch.setattr(files.fcntl, "flock", swept)
    with publishing(path) as draft:
        draft.write_bytes(b"whole")
        files.remove_abandoned(draft)
    assert path.read_bytes() == b"whole"


def test_who_removes_what_was_abandoned_leaves_a_new_file_of_that_name(tmp_path, monkeypatch):
    draft, lock = tmp_path / "file", files.fcntl.flock
    draft.write_bytes(b"of somebody who is gone")

    def replaced(file, how):
        lock(file, how)
        draft.unlink()
        draft.write_bytes(b"of somebody else")

    monkeypatch.setattr(files.fcntl, "flock", replaced)
    files.remove_abandoned(draft)
    assert draft.read_bytes() == b"of somebody else"


def test_who_waits_for_another_one_takes_what_it_made(tmp_path):
    """Two threads, which wait for one another as processes do."""
    store, other, begun = Store(tmp_path), Store(tmp_path), threading.Event()
    found = []
    thread = threading.Thread(target=lambda: begun.wait() and found.append(other.get(key(), refuse)))
    thread.start()

    def slowly():
        begun.set()
        thread.join(0.2)
        assert not found
        return tensors()

    store.get(key(), slowly)
    thread.join()
    assert torch.equal(found[0]["x"], tensors()["x"])
    assert not [path for path in (tmp_path / "tmp").iterdir() if path.is_file()]


def test_nobody_waits_for_a_pipe_in_the_place_of_a_result(tmp_path):
    store = Store(tmp_path)
    path = store.path(key())
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert not is_sound(path)
    assert torch.equal(store.get(key(), tensors)["x"], tensors()["x"])
    assert torch.equal(store.get(key(), refuse)["x"], tensors()["x"])


def write_for_ever(folder, reports):
    store = Store(folder)
    for number in range(100_000):
        store.get(key(number), lambda number=number: tensors(number))
        reports.put(number)


def test_kill_9_loses_nothing_that_was_reported(tmp_path):
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        reports = context.SimpleQueue()
        writer = context.Process(target=write_for_ever, args=(tmp_path, reports))
        writer.start()
        reported = [reports.get() for _ in range(20)]
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        store = Store(tmp_path)
        for number in reported:
            assert torch.equal(store.get(key(number), refuse)["x"], tensors(number)["x"])
    for path in tmp_path.glob("answers/**/*.safetensors"):
        assert path.stat().st_size


def test_sweeping_minds_no_file_that_another_process_publishes_meanwhile(tmp_path, monkeypatch):
    Store(tmp_path)
    (tmp_path / "tmp" / "gone").symlink_to(tmp_path / "nowhere")
    monkeypatch.setattr("pathlib.Path.is_file", lambda self: True)
    Store(tmp_path)


def test_rows_that_are_damaged_are_made_again_and_those_of_others_are_kept(tmp_path):
    store, key, asked = Store(tmp_path), Key("answers", {"model": "a"}), []

    def ask(rows):
        asked.append(rows.tolist())
        return {"logits": torch.stack([rows, -rows], 1).float()}

    found = store.rows(key, torch.tensor([9, 4, 9]), ask)["logits"]
    assert torch.equal(found, torch.tensor([[9.0, -9.0], [4.0, -4.0], [9.0, -9.0]]))
    assert torch.equal(Store(tmp_path).rows(key, torch.tensor([4, 1]), ask)["logits"][:, 0], torch.tensor([4.0, 1.0]))
    assert asked == [[4, 9], [1]]
    assert is_sound(store.path(key))
    store.path(key).write_bytes(store.path(key).read_bytes()[:-3])
    store.rows(key, torch.tensor([4]), ask)
    assert asked == [[4, 9], [1], [4]]


def test_rows_that_another_process_adds_meanwhile_are_not_lost(tmp_path):
    store, key = Store(tmp_path), Key("answers", {"model": "a"})
    began, go = threading.Event(), threading.Event()

    def slow(rows):
        began.set()
        assert go.wait(60)
        return {"logits": rows[:, None].float()}

    other = threading.Thread(target=store.rows, args=(key, torch.tensor([1]), slow))
    other.start()
    assert began.wait(60)
    mine = threading.Thread(target=store.rows, args=(key, torch.tensor([2]), lambda rows: {"logits": rows[:, None].float()}))
    mine.start()
    go.set()
    for one in (other, mine):
        one.join()
    assert store.known(key)["rows"].tolist() == [1, 2]
