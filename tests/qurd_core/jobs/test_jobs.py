"""Jobs: shared, queued, cancelled, failed, lost; and runs of other processes."""

import json
import math
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from qurd_core.errors import QurdError
from qurd_core.executors import Done, watched
from qurd_core.jobs import room, worker
from qurd_core.jobs.kinds import import_job
from qurd_core.jobs.queue import OF_ALL, OF_ONE, UNWANTED, Job, Jobs, Status, _models, publish, read

PATIENCE = 60  # seconds; the machine may be busy
ME, OTHER = "a session", "another one"


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    made = Jobs(tmp_path, worker="tests.qurd_core.executors.working")
    yield made
    made.close()


def job(do: str, **more: object) -> Job:
    return Job("test", {"do": do, **more})


def wait(jobs: Jobs, key: str, wanted: Callable[[Status], bool] = lambda status: not status.active) -> Status:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        status = jobs.status(key)
        if status and wanted(status):
            return status
        time.sleep(0.01)
    raise AssertionError(f"still {jobs.status(key)}")


def running(status: Status) -> bool:
    return status.state == "running" and status.total > 0


def test_a_job_runs_and_leaves_its_result(jobs):
    key = jobs.submit(job("count"), ME)
    status = wait(jobs, key)
    assert status.state == "done"
    assert status.about["do"] == "count"
    assert jobs.result(key, "txt").read_text() == "done"


def test_who_asks_for_the_same_shares_it(jobs, tmp_path):
    key = jobs.submit(job("count", steps=20), ME)
    assert jobs.submit(job("count", steps=20), ME) == key
    wait(jobs, key, running)
    jobs.submit(job("count", steps=20), ME)
    wait(jobs, key)
    jobs.submit(job("count", steps=20), ME)  # its result is there
    assert (tmp_path / "ran.txt").read_text() == "count\n"


def test_one_job_at_a_time_in_the_order_asked(jobs, tmp_path):
    first = jobs.submit(job("count", steps=2000, name=1), ME)
    second, third = (jobs.submit(job("count", name=name), ME) for name in (2, 3))
    wait(jobs, first, running)
    assert [jobs.status(key).ahead for key in (second, third)] == [1, 2]
    assert jobs.status(second).state == "queued"
    jobs.cancel(third)
    assert jobs.status(third).state == "cancelled"
    jobs.cancel(first)
    wait(jobs, second)
    assert (tmp_path / "ran.txt").read_text() == "count1\ncount2\n"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Jobs, set[str]]]:
    """Jobs and the sessions that are open."""
    there = {ME, OTHER}
    made = Jobs(tmp_path, worker="tests.qurd_core.executors.working", is_open=there.__contains__)
    yield made, there
    made.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qurd_core.jobs.queue.ALONE", 0.0)


@pytest.mark.parametrize("do", ["count", "deaf"])
def test_what_no_open_session_wants_ends_and_says_so(opened, impatient, tmp_path, do):
    jobs, there = opened
    more = {"steps": 3000} if do == "count" else {}
    key = jobs.submit(job(do, **more), ME)
    waiting = jobs.submit(job("count", name="later"), ME)
    theirs = jobs.submit(job("count", name="theirs"), OTHER)
    wait(jobs, key, lambda status: status.state == "running" and status.seconds > 0)
    there.remove(ME)
    assert wait(jobs, theirs).state == "done"
    for mine in (key, waiting):
        assert (jobs.status(mine).state, jobs.status(mine).error) == ("cancelled", UNWANTED)
    assert (tmp_path / "ran.txt").read_text().split() == [do, "counttheirs"]
    there.add(ME)
    assert wait(jobs, jobs.submit(job("count", name="later"), ME)).state == "done"


def test_a_page_that_is_loaded_again_keeps_its_run(opened, tmp_path):
    """The old session is gone for a moment before the new one looks."""
    jobs, there = opened
    key = jobs.submit(job("count", steps=20), ME)
    wait(jobs, key, running)
    there.remove(ME)
    jobs.watch(key, OTHER)
    jobs._wanted[key].seen -= 1_000  # however long ago that was
    assert wait(jobs, key).state == "done"


@pytest.mark.parametrize("shared", [False, True])
def test_what_one_who_waits_does_not_want_any_more_does_not_run_unless_another_wants_it(jobs, tmp_path, shared):
    first = jobs.submit(job("count", steps=20), ME)
    key = jobs.submit(job("count", name="flipped"), ME)
    if shared:
        jobs.submit(job("count", name="flipped"), OTHER)
    jobs.leave(key, ME)
    wait(jobs, first)
    if shared:
        assert wait(jobs, key).state == "done"
    else:
        assert (jobs.status(key).state, jobs.status(key).error) == ("cancelled", UNWANTED)
        assert (tmp_path / "ran.txt").read_text() == "count\n"


def test_a_job_is_shared_while_another_session_that_wants_it_is_open(opened):
    jobs, there = opened
    jobs.submit(job("count", steps=2000, name="before"), "whoever")
    key = jobs.submit(job("count"), ME)
    assert not jobs.is_shared(key, ME)
    assert jobs.is_shared(key, OTHER)
    jobs.watch(key, OTHER)
    assert jobs.is_shared(key, ME)
    there.remove(OTHER)
    assert not jobs.is_shared(key, ME)
    assert not jobs.is_shared("no job", ME)


def test_a_session_has_a_few_runs_at_a_time_and_is_told_so(jobs):
    keys = [jobs.submit(job("count", steps=2000, name=str(number)), ME) for number in range(OF_ONE)]
    with pytest.raises(QurdError, match=f"at most {OF_ONE} runs at a time from one browser tab. {OF_ONE} of this one wait"):
        jobs.submit(job("count"), ME)
    assert jobs.status(job("count").key) is None
    assert jobs.submit(job("count", steps=2000, name="0"), ME) == keys[0]  # it has that one
    jobs.submit(job("count", name="theirs"), OTHER)
    jobs.cancel(keys[-1])
    jobs.submit(job("count"), ME)
    for key in keys:
        jobs.cancel(key)
    assert wait(jobs, job("count").key).state == "done"


def test_runs_that_have_ended_count_for_nobody(jobs):
    for number in range(OF_ONE + 1):
        wait(jobs, jobs.submit(job("refuse" if number else "count", name=str(number)), ME))


def test_not_many_runs_wait_whoever_asks(jobs, monkeypatch):
    first = jobs.submit(job("count", steps=2000), "0")
    wait(jobs, first, running)
    for number in range(OF_ALL):
        jobs.submit(job("count", name=str(number)), f"session {number}")
    with pytest.raises(QurdError, match=f"at most {OF_ALL} runs to wait on this server. {OF_ALL} do: ask again"):
        jobs.submit(job("count", name="one more"), "one more")
    jobs.cancel(job("count", name="0").key)
    jobs.submit(job("count", name="one more"), "one more")


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of two small files that may hold one."""
    for name in ("answers", "queries"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one").write_text("x")
    monkeypatch.setenv(room.VARIABLE, str(room.BLOCK / 1e9))


def test_a_full_store_takes_no_more_says_so_and_loses_nothing(jobs, full, tmp_path, monkeypatch):
    kept = sorted(tmp_path.glob("*/one"))
    assert math.isnan(answered(jobs, job("count", steps=50)))  # nobody waits for what will not be known
    refused = wait(jobs, jobs.submit(job("count"), ME))
    assert refused.state == "failed"
    assert refused.error == (
        "Expected at most 4.096e-06 GB in the store of this app. It holds 0.0: nothing is lost, but nothing new is computed"
        " or saved until whoever runs it frees space there, or allows more with QURD_STORE_GB."
    )
    assert sorted(tmp_path.glob("*/one")) == kept
    assert not (tmp_path / "ran.txt").exists()
    monkeypatch.setenv(room.VARIABLE, "1")
    jobs.close()  # a worker has the surroundings that it was started with
    assert wait(jobs, jobs.submit(job("count"), ME)).state == "done"


def test_what_a_command_has_fetched_takes_no_room_of_the_store(tmp_path, monkeypatch):
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "weights").write_bytes(bytes(3 * room.BLOCK))
    monkeypatch.setenv(room.VARIABLE, str(2 * room.BLOCK / 1e9))
    room.check(tmp_path)
    (tmp_path / "answers" / "hub").mkdir(parents=True)
    (tmp_path / "answers" / "hub" / "one").write_bytes(bytes(room.BLOCK))
    room.check(tmp_path)
    (tmp_path / "answers" / "two").write_text("x")
    with pytest.raises(QurdError, match=r"at most 8\.192e-06 GB"):
        room.check(tmp_path)


@pytest.mark.parametrize("asked", ["much", "0", "-1", "nan"])
def test_a_store_may_hold_a_number_of_gigabytes(tmp_path, monkeypatch, asked):
    monkeypatch.setenv(room.VARIABLE, asked)
    with pytest.raises(QurdError, match=f"a number of gigabytes above 0 in QURD_STORE_GB. Got '{asked}'"):
        room.check(tmp_path)


def test_a_job_is_done_anew_when_that_is_asked_for(jobs, tmp_path):
    for anew in (False, False, True):
        wait(jobs, jobs.submit(job("count"), ME, anew=anew))
    assert (tmp_path / "ran.txt").read_text() == "count\ncount\n"


def test_a_cancelled_job_stops_by_itself_and_can_be_asked_for_again(jobs):
    key = jobs.submit(job("count", steps=3000), ME)
    wait(jobs, key, running)
    began = time.monotonic()
    jobs.cancel(key)
    assert wait(jobs, key).state == "cancelled"
    assert time.monotonic() - began < 2
    again = jobs.submit(job("count", steps=3000), ME)
    wait(jobs, again, running)
    assert not jobs.flag(key).exists()


def test_a_job_that_does_not_listen_is_ended_and_the_next_one_runs(jobs):
    key = jobs.submit(job("deaf"), ME)
    wait(jobs, key, lambda status: status.state == "running" and status.seconds > 0)
    began = time.monotonic()
    jobs.cancel(key)
    assert wait(jobs, key).state == "cancelled"
    assert time.monotonic() - began < 3
    assert wait(jobs, jobs.submit(job("count"), ME)).state == "done"


@pytest.mark.parametrize(
    ("do", "sentence"),
    [
        ("refuse", "Expected something else."),
        ("break", "Something went wrong that should not: ZeroDivisionError: division by zero"),
        (
            "fill",
            "The disk refused: [Errno 28] No space left on device. Nothing stored before is lost; free space or rights, then"
            " run it again.",
        ),
        ("die", "The worker process ended before the job did. What it had stored is kept: run it again to continue."),
    ],
)
def test_a_job_that_fails_says_why_and_the_next_one_runs(jobs, do, sentence):
    status = wait(jobs, jobs.submit(job(do), ME))
    assert (status.state, status.error) == ("failed", sentence)
    assert wait(jobs, jobs.submit(job("count"), ME)).state == "done"


def test_a_job_does_not_wait_for_the_preparation(jobs, tmp_path):
    """Both lines are in the pipe before the worker has started: it must see the second one too."""
    jobs.warm_up("toy")
    assert wait(jobs, jobs.submit(job("count"), ME)).state == "done"
    end = time.monotonic() + PATIENCE
    while not (tmp_path / "warm.txt").is_file() and time.monotonic() < end:  # before the job or after it
        time.sleep(0.01)
    assert (tmp_path / "warm.txt").read_text() == "toy"


def test_a_repaint_does_not_tell_the_worker_again(jobs, monkeypatch):
    told = []
    monkeypatch.setattr(jobs, "_tell", lambda worker, message: told.append(message["warm"]))
    for benchmark in ("a", "a", "b", "b"):
        jobs.warm_up(benchmark)
    assert told == ["a", "b"]


def answered(jobs: Jobs, asked: Job) -> float:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        seconds = jobs.expected(asked)
        if seconds is not None:
            return seconds
        time.sleep(0.01)
    raise AssertionError("no answer")


def test_the_worker_says_how_long_a_job_takes(jobs):
    assert jobs.expected(job("deaf")) is None
    assert answered(jobs, job("count", steps=50)) == 1.0
    assert jobs.expected(job("deaf")) is None
    assert jobs.active() == []


@pytest.mark.parametrize("do", ["refuse", "break"])
def test_a_job_that_cannot_run_has_an_answer_too_and_the_worker_goes_on(jobs, do):
    assert math.isnan(answered(jobs, job(do)))
    worker = jobs._worker
    assert answered(jobs, job("count", steps=50)) == 1.0
    assert jobs._worker is worker


def test_an_answer_of_another_time_is_not_shown(jobs, tmp_path):
    asked = job("count", steps=50)
    (tmp_path / "runs").mkdir()
    jobs.result(asked.key, "seconds").write_text("77")
    assert answered(jobs, asked) == 1.0
    jobs.result(asked.key, "seconds").write_text("77")
    wait(jobs, jobs.submit(asked, ME))  # whoever has run it asks anew
    assert answered(jobs, asked) == 1.0


def test_a_repaint_does_not_ask_the_worker_again(jobs, monkeypatch):
    told = []
    monkeypatch.setattr(jobs, "_tell", lambda worker, message: told.append(message["expect"]))
    asked = job("count")
    for _ in range(3):
        jobs.expected(asked)
    assert told == [asked.key]
    monkeypatch.setattr("qurd_core.jobs.queue.AGAIN", 0)
    jobs.expected(asked)
    assert told == [asked.key] * 2


def test_the_worker_ends_with_the_app(jobs):
    wait(jobs, jobs.submit(job("count"), ME))
    worker = jobs._worker
    worker.stdin.close()
    assert worker.wait(timeout=PATIENCE) == 0


def test_a_process_that_cannot_start_gives_a_sentence(jobs, monkeypatch):
    def refuse(*args: object, **options: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    jobs.warm_up("toy")
    status = wait(jobs, jobs.submit(job("count"), ME))
    assert status.error == "No worker process could be started: Cannot allocate memory. Run it again later."


def test_a_run_of_the_command_line_is_seen_and_can_be_stopped(jobs, tmp_path):
    asked = {"benchmark": "toy", "schemes": ["AKH"]}
    units = watched((Done(str(number)) for number in range(90)), 90, tmp_path, asked, "cpu")
    next(units)
    (seen,) = jobs.active()
    assert (seen.done, seen.total, seen.about["schemes"]) == (0, 90, ["AKH"])
    assert seen.seconds > 0  # so that what is left can be told
    jobs.cancel(seen.key)
    with pytest.raises(QurdError, match="Stopped after 1 of 90 units"):
        next(units)
    assert jobs.status(seen.key).state == "cancelled"


@pytest.mark.parametrize(("error", "state"), [(None, "done"), ("It broke.", "failed")])
def test_the_file_of_a_run_says_what_became_of_it(jobs, tmp_path, error, state):
    assert len(list(watched(iter([Done("a"), Done("b", error)]), 2, tmp_path, {"benchmark": "toy"}, "cpu"))) == 2
    (path,) = (tmp_path / "runs").glob("*.json")
    assert jobs.status(path.stem).state == state
    assert jobs.status(path.stem).about["device"] == "cpu"


def test_the_run_of_a_process_that_is_gone_has_failed(jobs, tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    publish(tmp_path / "runs" / "a.json", {"state": "running", "pid": gone.pid})
    assert jobs.status("a").state == "failed"


def test_a_number_that_was_given_again_to_another_process_is_not_the_run(jobs, tmp_path):
    path = tmp_path / "runs" / "a.json"
    publish(path, {"state": "running", "pid": os.getpid()})
    assert jobs.status("a").state == "running"
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert jobs.status("a").state == "failed"


def test_a_run_of_another_server_is_shared(jobs, tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    one = job("count")
    publish(tmp_path / "runs" / f"{one.key}.json", {"state": "running", "pid": other.pid, "about": one.about})
    jobs.submit(one, ME)
    assert not jobs._waiting
    assert not jobs.is_shared(one.key, OTHER)  # it ends for the sessions there, and counts for no session here
    assert jobs.status(one.key).state == "running"
    other.communicate(b"\n")
    assert wait(jobs, jobs.submit(one, ME)).state == "done"


def test_old_runs_cost_nothing(jobs, tmp_path, monkeypatch):
    """Whatever was run on a store: only what waits or runs is looked at."""
    publish(tmp_path / "runs" / "old.json", {"state": "running", "pid": os.getpid()})
    publish(tmp_path / "runs" / "old.json", {"state": "done", "pid": os.getpid()})
    publish(tmp_path / "runs" / "now.json", {"state": "running", "pid": os.getpid()})
    publish(tmp_path / "runs" / "now.seconds", {"seconds": 3})
    looked = []
    monkeypatch.setattr("qurd_core.jobs.queue.read", lambda path: looked.append(path.stem) or read(path))
    assert [status.key for status in jobs.active()] == looked == ["now"]


def test_a_run_that_was_lost_is_looked_at_once(jobs, tmp_path, monkeypatch):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    publish(tmp_path / "runs" / "a.json", {"state": "running", "pid": gone.pid})
    assert jobs.active() == []
    monkeypatch.setattr("qurd_core.jobs.queue.read", pytest.fail)
    assert jobs.active() == []


@pytest.mark.parametrize(
    "text",
    [
        '{"state": "running", "pid": 1, "done": Infinity}',
        '{"state": "running", "pid": 1, "done": 1e400}',
        '{"state": "running", "pid": 1, "started": NaN}',
        f'{{"state": "running", "pid": {"9" * 320}}}',
        f'{{"state": "running", "pid": 1, "total": {"9" * 5000}}}',
        '{"state": "running", "pid": 1, "error": "\\ud800"}',
    ],
)
def test_a_file_with_a_number_that_is_none_is_no_run(jobs, tmp_path, text):
    path = tmp_path / "runs" / "a.json"
    path.parent.mkdir()
    path.write_text(text)
    assert read(path) is None
    assert jobs.status("a") is None


def test_a_process_that_no_system_numbers_so_high_is_gone(jobs, tmp_path):
    publish(tmp_path / "runs" / "a.json", {"state": "running", "pid": 2**62})
    assert jobs.status("a").state == "failed"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"state": "done"}', "\x00"])
def test_a_file_that_tells_nothing_is_no_run(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert read(tmp_path / "a.json") is None


def test_a_disk_that_refuses_stops_nobody(tmp_path):
    (tmp_path / "runs").write_text("no folder")
    assert not publish(tmp_path / "runs" / "a.json", {})
    jobs = Jobs(tmp_path, worker="tests.qurd_core.executors.working")
    assert jobs.status("a") is None
    jobs.cancel("a")
    jobs.close()


def test_a_job_whose_end_the_disk_refuses_to_note_says_so(jobs, monkeypatch):
    said = "The disk refused to note how the job ended. What it had stored is kept: free space or rights, then run it again."
    monkeypatch.setattr("qurd_core.jobs.queue.publish", lambda path, found: False)
    key = jobs.submit(job("end unwritten"), ME)
    assert wait(jobs, key, lambda status: status.state == "failed").error == said
    monkeypatch.undo()
    jobs.submit(job("end unwritten"), ME)
    assert wait(jobs, key).error == said
    assert read(jobs.result(key, "json")).error == said


def test_the_same_work_on_other_arguments_has_another_key():
    assert job("count").key == job("count").key != job("count", steps=4).key
    assert json.loads(json.dumps(job("count").about)) == {"kind": "test", "do": "count"}


@pytest.mark.parametrize("wing", ["fashion", "patchwork"])
def test_the_same_work_on_other_models_has_another_key(wing, tmp_path, monkeypatch):
    def key() -> str:
        _models.cache_clear()
        return Job("rates", {}).key

    for name in ("fashion", "patchwork"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    monkeypatch.setattr("qurd_core.jobs.queue.ASSETS", tmp_path)
    before = key()
    (tmp_path / wing / "manifest.json").write_text('{"models": 1}')
    assert key() != before
    _models.cache_clear()


def test_a_full_disk_ends_a_preparation_and_not_the_worker():
    def prepare():
        raise OSError(28, "No space left on device")
        yield

    assert not worker._step(prepare())


def test_the_worker_gives_way_to_the_page(jobs, tmp_path):
    key = jobs.submit(job("count", steps=20), ME)
    wait(jobs, key, running)
    pid = json.loads((tmp_path / "runs" / f"{key}.json").read_text())["pid"]
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + worker.NICE, 19)  # 19 is the end
    wait(jobs, key)


def test_a_preparation_waits_until_nobody_clicks_any_more(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr("qurd_core.jobs.kinds.rate_job.prepared", lambda *asked: iter([begun.append(asked)]))
    now = iter(range(100))
    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: next(now), sleep=lambda seconds: None))
    monkeypatch.setattr(worker, "PAUSE", 3)
    steps = worker.prepare(tmp_path, "toy", queue.SimpleQueue())
    assert [next(steps) for _ in range(2)] == [None, None]
    assert not begun
    assert list(steps) == [None]
    assert len(begun) == 1


@pytest.mark.parametrize("typed", ["~nosuchuser/QuRD", "a\0b", "x" * 5_000, "~", "", "/dev/zero"])
def test_whatever_is_typed_as_a_path_of_scores_gives_a_job_that_says_what_lies_there(tmp_path, typed):
    asked = import_job.job(typed)
    with pytest.raises(QurdError, match="Expected a checkout of the authors' repository"):
        import_job.run(tmp_path, tmp_path / "runs" / asked.key, lambda done, total: None, **asked.args)


def test_a_path_may_begin_with_the_home_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert import_job.job("~/QuRD").args["source"] == str(tmp_path / "QuRD")
