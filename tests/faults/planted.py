"""What another user of the machine lays into a store, or beside the stories: nothing is followed, believed or lost."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch

from pages.ui import story
from qurd_core import files
from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.saved_benchmarks import BenchFile, saved_names
from qurd_core.errors import QurdError
from qurd_core.files import sealed_json
from qurd_core.jobs import live
from qurd_core.jobs.queue import Jobs
from qurd_core.records import rate_records
from qurd_core.records.verify import kept, report
from qurd_core.store import Key, Store, is_sound
from qurd_core.views import query_sets
from tests.benchmarks import flips
from tests.faults.fault import Fault, sentence

BENCH = "patchwork-reuse"
SECRET = "a secret of somebody"
Plant = Callable[[Path], object]


def _text(what: object) -> Plant:
    data = what if isinstance(what, bytes) else json.dumps(what).encode()
    return lambda path: path.write_bytes(data)


def _bench(**more: object) -> dict[str, object]:
    return {"format": 1, "benchmark": BENCH, "pairs": [["a", "b"]]} | more


def _secret(path: Path) -> None:
    other = path.parent / "secret.txt"
    other.write_text(SECRET)
    path.symlink_to(other)


PLANTS: dict[str, Plant] = {
    "a link to a file of the victim": _secret,
    "a link to a device that never ends": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a pipe that nobody writes": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "an empty file": _text(b""),
    "bytes that are no text": _text(b"\xff\xfe\x00\x01" * 99),
    "a list": _text([]),
    "a number": _text(7),
    "nested braces": _text(b"[" * 200_000),
    "a file that is too large": _text(b" " * 5_000_000),
    "an endless number": _text(b'{"format": ' + b"9" * 100_000 + b"}"),
    "no number": _text(b'{"format": NaN}'),
    "half a character": _text(b'{"format": 1, "benchmark": "\\ud800", "pairs": []}'),
    "a path": _text(_bench(benchmark="../../../etc/passwd")),
    "a pipe as its benchmark": lambda path: (os.mkfifo(f"{path}.csv"), _text(_bench(benchmark=f"{path}.csv"))(path)),
    "itself": lambda path: _text(_bench(benchmark=path.stem))(path),
    "markup": _text(_bench(benchmark="<img src=x onerror=alert(1)>\n[x](javascript:alert(1))")),
    "pairs of nobody": _text(_bench()),
    "pairs with markup": _text(_bench(pairs=[["<script>alert(1)</script>", "\u202e\x00$\\href{javascript:x}{y}$"]])),
    "pairs that are no pairs": _text(_bench(pairs={"a": "b"})),
    "a seal that somebody else made": lambda path: path.write_bytes(sealed_json(_bench())),
    "a seal that does not fit": lambda path: path.write_bytes(sealed_json(_bench()).replace(b"reuse", b"resue")),
    "two seals": lambda path: path.write_bytes(sealed_json(_bench()) + sealed_json(_bench())),
}


def saved(folder: Path, rng: random.Random) -> dict[str, float]:
    """Plant saved benchmarks beside a good one."""
    home = folder / "benches"
    pairs = rate_records.pairs(BENCH)
    good = BenchFile(BENCH, frozenset(zip(pairs["victim"], pairs["suspect"], strict=True)))
    home.mkdir()
    with patch.dict(os.environ, {"QURD_STORE": str(folder)}):
        good.write(home / "mine.json")
        for number, plant in enumerate(PLANTS.values()):
            plant(home / f"planted-{number}.json")
        assert "mine" in saved_names()
        for number, what in enumerate(PLANTS):
            said = _refused(partial(benchmark, f"planted-{number}"), what)
            assert SECRET not in said, f"{what}: it tells what is in the file"
        assert benchmark("mine").part_of == BENCH
        listed = _command("benchmarks")
        assert "mine" in listed and SECRET not in listed
        assert BenchFile.read(home / "mine.json") == good
    return {"files": len(PLANTS)}


def stories(folder: Path, rng: random.Random) -> dict[str, float]:
    """Plant stories beside those that ship, and in the place of one."""
    with flips.copied_assets(folder) as assets:
        before = story.names()
        steps = {"title": "<b>", "steps": [{"say": "x", "page": "budget", "link": {"bench": "javascript:x"}}]}
        plants = {**PLANTS, "a sound story": _text(steps)}
        for number, plant in enumerate(plants.values()):
            plant(assets / "stories" / f"planted-{number}.json")
        taken = assets / "stories" / f"{before[0]}.json"
        taken.write_bytes(taken.read_bytes().replace(b'"say"', b'"sai"', 1))
        story._file.cache_clear()
        try:
            assert story.names() == before[1:]
            wrong = {name: why for name, why in story._stories().items() if why}
            assert len(wrong) == len(plants) + 1, "one is passed over in silence"
            for why in wrong.values():
                sentence(why)
                assert SECRET not in why
        finally:
            story._file.cache_clear()
    return {"files": len(plants)}


def results(folder: Path, rng: random.Random) -> dict[str, float]:
    """Plant results, states and rows of runs, and drafts."""
    store = Store(folder)
    for number, (what, plant) in enumerate(PLANTS.items()):
        path = store.path(key := Key("answers", {"number": number}))
        path.parent.mkdir(parents=True, exist_ok=True)
        plant(path)
        assert not is_sound(path), f"{what}: it was taken for a result"
        found = store.get(key, lambda: {"x": torch.arange(5)})
        assert torch.equal(found["x"], torch.arange(5)), f"{what}: it was taken for a result"
        assert torch.equal(Store(folder).get(key, _fail)["x"], torch.arange(5)), f"{what}: the result was not kept"
        path.unlink()
        runs = folder / "runs"
        (runs / "active").mkdir(parents=True, exist_ok=True)
        for ending in ("json", "parquet", "safetensors", "seconds"):
            plant(runs / f"{number}.{ending}")
        (runs / "active" / str(number)).touch()
        jobs = Jobs(folder)
        assert jobs.status(str(number)) is None, f"{what}: it was taken for a run"
        _or_sentence(partial(live.rows, runs / f"{number}.parquet", "unrelated"), what)
        _or_sentence(partial(query_sets.tensors, runs / f"{number}.safetensors"), what)
        plant(folder / "tmp" / f"draft-{number}")
        Store(folder)
        jobs.active()
    assert len(report(kept(folder)).altered) >= len(PLANTS), "looking at the store passes over what was planted"
    return {"files": 6 * len(PLANTS)}


def _fail() -> dict[str, torch.Tensor]:
    raise AssertionError("asked again")


def _refused(call: Callable[[], object], what: str) -> str:
    try:
        call()
    except QurdError as error:
        sentence(str(error))
        return str(error)
    raise AssertionError(f"{what}: it was taken")


def _or_sentence(call: Callable[[], object], what: str) -> None:
    """Assert that a reader finds nothing, or says why in a sentence."""
    try:
        found = call()
    except QurdError as error:
        sentence(str(error))
        return
    except Exception as error:
        raise AssertionError(f"{what}: {error!r}") from error
    assert found is None, f"{what}: it was taken"


def _command(*arguments: str) -> str:
    command = [sys.executable, "-m", "qurd_core", *arguments]
    ran = subprocess.run(command, cwd=files.ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr[-300:]
    assert "Traceback" not in ran.stderr
    return ran.stdout


FAULTS = [
    Fault(
        f"{len(PLANTS)} saved benchmarks planted by another user",
        "each refused in one sentence, nothing told of what they lead to, the good one still read",
        1,
        5,
        saved,
    ),
    Fault(
        f"{len(PLANTS) + 1} stories planted by another user, and one changed",
        "none is offered, each with one sentence; the others are",
        1,
        5,
        stories,
    ),
    Fault(
        f"{len(PLANTS)} kinds of files planted as results, states, rows and drafts",
        "none is taken for one, results are made anew, nobody waits",
        1,
        5,
        results,
    ),
]
