import os
from pathlib import Path

import pytest
import torch

from qurd_core.errors import QurdError
from qurd_core.executors import Done, Inline, ProcessPool, Unit, executor, finish

EXECUTORS = [Inline(), ProcessPool(2)]


def write(folder: str, name: str, needs: tuple[str, ...] = ()) -> None:
    for need in needs:
        assert (Path(folder) / need).exists(), f"{name} before {need}"
    (Path(folder) / name).write_text(str(torch.get_num_threads()))


def fail(text: str) -> None:
    raise QurdError(text)


def die_once(folder: str, name: str) -> None:
    marker = Path(folder) / f"{name}.died"
    if not marker.exists():
        marker.write_text("")
        os._exit(9)
    write(folder, name)


def die() -> None:
    os._exit(9)


def unit(folder, name, *needs):
    return Unit(name, write, (str(folder), name, needs), needs)


@pytest.fixture(params=EXECUTORS, ids=["inline", "processes"])
def run(request):
    return request.param.run


def test_every_unit_runs_once_after_what_it_needs(tmp_path, run):
    units = [unit(tmp_path, "a"), unit(tmp_path, "b", "a"), unit(tmp_path, "c", "a", "b"), unit(tmp_path, "d")]
    ended = list(run(units))
    assert {done.key for done in ended} == {"a", "b", "c", "d"}
    assert not [done for done in ended if done.error]


@pytest.mark.slow
def test_a_unit_has_one_thread_everywhere(tmp_path, run):
    list(run([unit(tmp_path, "a")]))
    assert (tmp_path / "a").read_text() == "1"


@pytest.mark.slow
def test_a_failure_stops_only_what_needs_it(tmp_path, run):
    units = [Unit("bad", fail, ("broken",)), unit(tmp_path, "child", "bad"), unit(tmp_path, "good")]
    ended = {done.key: done.error for done in run(units)}
    assert ended == {"bad": "broken", "child": "broken", "good": None}
    assert (tmp_path / "good").exists()
    assert not (tmp_path / "child").exists()


def test_inline_gives_the_threads_back(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    list(Inline().run([unit(tmp_path, "a")]))
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


@pytest.mark.slow
def test_a_dead_worker_is_replaced_and_nothing_is_lost(tmp_path):
    units = [Unit("a", die_once, (str(tmp_path), "a")), unit(tmp_path, "b"), unit(tmp_path, "c", "a")]
    assert all(done.error is None for done in ProcessPool(2).run(units))
    assert (tmp_path / "c").exists()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.slow
def test_a_unit_that_always_kills_its_worker_is_given_up_and_blamed_alone(tmp_path, workers):
    units = [Unit("a", die), *(unit(tmp_path, name) for name in "bcdef")]
    ended = {done.key: done.error for done in ProcessPool(workers).run(units)}
    assert "died 3 times" in ended.pop("a")
    assert ended == dict.fromkeys("bcdef")


def test_finish_raises_the_first_sentence_and_counts():
    with pytest.raises(QurdError, match=r"first \(2 units failed"):
        finish(iter([Done("a"), Done("b", "first"), Done("c", "second")]))
    finish(iter([Done("a")]))


def test_one_worker_stays_in_this_process():
    assert isinstance(executor(1), Inline)
    assert isinstance(executor(2), ProcessPool)
