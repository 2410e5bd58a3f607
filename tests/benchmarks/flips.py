"""Whether one flipped bit in a file can change what is shown or computed from it without a word, for every kind of file.

    python -m tests.benchmarks.flips [TRIES]

Every try flips one bit of a good file and reads it as the program does. It is *noticed* where the reader refuses with a
sentence or makes the thing anew, *harmless* where what it returns is the same, *silent* where that is another thing, and a
*crash* where anything but a sentence comes out. Ends with exit code 1 unless the last two are 0.
"""

import hashlib
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from pages.ui import story
from qurd_core import catalogue, files
from qurd_core.benchmarks.official import data_sets, hub
from qurd_core.benchmarks.patchwork.protocol import WORLD
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.benchmarks.zoo import models
from qurd_core.errors import QurdError
from qurd_core.evaluation.speed import Speed, path_of
from qurd_core.jobs import live, queue
from qurd_core.jobs.kinds import import_job, query_job
from qurd_core.paper import agreement, claims, importer, pooled, tables
from qurd_core.records import measured_gains, measured_winners, measured_worth, rate_records
from qurd_core.records.bank import Bank
from qurd_core.store import FORM, Key, Store
from qurd_core.views import query_sets

TRIES = 200
OUTCOMES = ("noticed", "harmless", "silent", "crash")
BENCH, PUBLISHED = "patchwork-reuse", "published-flower102"
MODEL = "train(vgg,victim)"
KEY = Key("answers", {"of": "flips"})
DATA = data_sets.DataSet("flips", 3, 8, 8, lambda folder, split: [], {"test": 4}, "nowhere")
HUB = hub.HubModel("who/what", "resnet18")

Reading = tuple[Path, Callable[[], Any]]


def kept(folder: Path) -> Iterator[tuple[str, Reading]]:
    """What the program keeps for its user in a folder: the name of the kind, a good file, and how it is read."""
    rng = np.random.default_rng(0)
    rates = rate_records.read(BENCH).head(300)
    runs = folder / "runs"
    live.write(rates, runs / "a.parquet")
    yield "live rates", (runs / "a.parquet", partial(live.rows, runs / "a.parquet", "unrelated", task="all"))
    found = {"pixels": torch.rand(4, 8, 8, 3), "seed": torch.arange(4), "victim": torch.rand(4, 3)}
    query_job.write(found, runs / "b.safetensors")
    yield "live queries", (runs / "b.safetensors", partial(query_sets.tensors, runs / "b.safetensors"))
    files.write_json(runs / "c.report", {"sentences": ["published-cifar10: 1,203 scores", "2 skipped"]})
    yield "import report", (runs / "c.report", partial(import_job.said, runs / "c.report"))
    queue.publish(runs / "d.json", {"state": "done", "pid": 7, "done": 30, "total": 30, "about": {"scheme": "AKH"}})
    yield "state of a job", (runs / "d.json", partial(queue.read, runs / "d.json"))
    Speed({"a": 0.001, "b": 0.25}, {"a": 0.01}).write(folder, "toy")
    yield "speed", (path_of(folder, "toy"), partial(Speed.read, folder, "toy"))
    pairs = rate_records.pairs(BENCH)
    bench = folder / "benches" / "mine.json"
    BenchFile(BENCH, frozenset(zip(pairs["victim"], pairs["suspect"], strict=True))).write(bench)
    yield "saved benchmark", (bench, lambda: sorted(BenchFile.read(bench).pairs))
    home = importer.home(folder)
    scores = pd.DataFrame({"scheme": ["x"] * 900, "victim": "v", "suspect": "s", "query_seed": 0, "budget": 10})
    scores = scores.astype(dict.fromkeys(("scheme", "victim", "suspect"), "category"))
    path = home / f"{PUBLISHED}-scores.parquet"
    importer._publish(scores.assign(value=rng.random(900, np.float32)), path)
    yield "imported scores", (path, partial(rate_records.scores, PUBLISHED, home))
    path = home / f"{PUBLISHED}-pairs.parquet"
    importer._publish(rate_records.pairs(PUBLISHED), path)
    yield "imported pairs", (path, partial(rate_records.pairs, PUBLISHED, home))
    part = home / "parts" / "a.parquet"
    importer._publish(scores, part, {"report": "{}"})
    yield "part of an import", (part, partial(_part, part))
    store = Store(folder)
    store.get(KEY, lambda: {"x": torch.arange(50) / 7})
    yield "result of the store", (store.path(KEY), lambda: store.get(KEY, _anew))
    yield "format of the store", (folder / FORM, lambda: _format(folder))


def fetched(folder: Path) -> Iterator[tuple[str, Reading]]:
    """What is fetched from the model hub."""
    home = HUB.home(folder)
    config = home / hub.CONFIG
    files.publish(config, json.dumps({"architecture": "resnet18", "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.2, 0.2]}).encode())
    about = {"repository": HUB.repository, "commit": "a" * 40, "sha256": "b" * 64, "config": files.file_digest(config)}
    hub.publish_json(home / hub.FETCHED, about)
    yield "note of a fetch", (home / hub.FETCHED, lambda: [HUB.noted(folder)[name] for name in about])
    yield "fetched config", (config, partial(HUB._preparation, folder))
    hub.publish_json(hub.collection_path("who/all", folder), {"models": ["who/what", "who/else"]})
    yield "fetched collection", (hub.collection_path("who/all", folder), partial(hub.collection, "who/all", folder))
    pixels = np.random.default_rng(1).integers(256, size=(4, 3, 8, 8), dtype=np.uint8)
    path = DATA.path(folder, "test")
    data_sets._publish(path, pixels, torch.arange(4) % 3)
    yield "fetched pictures", (path, lambda: asdict(DATA.images(folder, "test")))
    yield "digest of fetched pictures", (path.with_suffix(".json"), partial(DATA.digest, folder, "test"))


def shipped(assets: Path) -> Iterator[tuple[str, Reading]]:
    """What ships."""
    home = assets / "records"
    yield "recorded rates", (home / f"{BENCH}.parquet", partial(rate_records.read, BENCH))
    yield "recorded scores", (home / f"{BENCH}-scores.parquet", partial(rate_records.scores, BENCH))
    yield "recorded pairs", (home / f"{BENCH}-pairs.parquet", partial(rate_records.pairs, BENCH))
    yield "recorded models", (home / f"{BENCH}-models.parquet", partial(rate_records.models, BENCH))
    yield "answer bank", (home / f"{BENCH}-bank.safetensors", lambda: asdict(Bank.read(rate_records.bank_path(BENCH))))
    for kind in (measured_worth.HONEST, measured_gains.GAINS, measured_winners.WINNERS):
        yield f"recorded {kind.part}", (home / f"{BENCH}-{kind.part}.parquet", partial(kind.read, BENCH))
    yield "schemes in words", (home / "schemes.json", rate_records.schemes)
    home = assets / "published"
    yield "published rates", (home / f"{PUBLISHED}.parquet", partial(rate_records.read, PUBLISHED))
    yield "rates by victim", (home / "named.parquet", tables.by_victim)
    yield "agreement", (home / agreement.FILE, agreement.read)
    yield "Table 3", (home / pooled.FILE, pooled.read)
    yield "claims", (home / claims.FILE, claims.read)
    yield "story", (assets / "stories" / "mistakes.json", _story)
    yield "components", (catalogue.PATH, lambda: catalogue._declared(catalogue.PATH, catalogue.sources()))
    manifest, weights = (assets / "patchwork" / name for name in (models.MANIFEST, models.file_of(MODEL)))
    yield "manifest of the models", (manifest, lambda: models.Zoo(manifest.parent, WORLD).records)
    yield "weights", (weights, lambda: models.Zoo(weights.parent, WORLD).module(MODEL).state_dict())
    yield "digests of what ships", (assets / files.DIGESTS, files.digests)


@contextmanager
def copied_assets(folder: Path) -> Iterator[Path]:
    """Read what ships from a copy."""
    assets = folder / "assets"
    shutil.copytree(files.ASSETS, assets, ignore=shutil.ignore_patterns(files.UNREAD))
    places = [
        (files, "ASSETS", assets),
        (rate_records, "FOLDER", assets / "records"),
        (rate_records, "PUBLISHED_FOLDER", assets / "published"),
        (story, "FOLDER", assets / "stories"),
        (catalogue, "PATH", assets / "components.json"),
    ]
    with ExitStack() as stack:
        for owner, name, place in places:
            stack.enter_context(patch.object(owner, name, place))
        yield assets


def kinds(folder: Path) -> dict[str, Reading]:
    """Every kind of file; to be called, and read, within `copied_assets`."""
    return dict([*kept(folder / "store"), *fetched(folder / "hub"), *shipped(files.ASSETS)])


def flips(reading: Reading, rng: random.Random, tries: int) -> Counter[str]:
    """What comes of so many flips."""
    path, read = reading
    good, right = path.read_bytes(), told(read())
    return Counter(flip(path, read, good, right, rng) for _ in range(tries))


def flip(path: Path, read: Callable[[], Any], good: bytes, right: str, rng: random.Random) -> str:
    """What comes of one flipped bit; the file is good again afterwards."""
    place = rng.randrange(len(good))
    bad = bytearray(good)
    bad[place] ^= 1 << rng.randrange(8)
    return changed(path, read, good, bad, right)


def changed(path: Path, read: Callable[[], Any], good: bytes, bad: bytes, right: str) -> str:
    """What comes of other bytes in a file; it is good again afterwards."""
    path.write_bytes(bad)
    files._known.clear()  # the clock may not have ticked
    try:
        found = told(read())
    except QurdError as error:
        return "noticed" if "\n" not in str(error) else "crash"
    except Exception:
        return "crash"
    finally:
        path.write_bytes(good)
        files._known.clear()
    if found == right:
        return "harmless"
    return "noticed" if found == _REFUSED else "silent"


def told(value: Any) -> str:
    """What a reader returned, as text that is equal for equal values."""
    if is_dataclass(value):
        return told(asdict(value))
    if isinstance(value, pd.DataFrame):
        return hashlib.sha256(value.to_parquet()).hexdigest()
    if isinstance(value, torch.Tensor):
        return told(value.numpy())
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {told(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(told, value)) + "]"
    return f"{type(value).__name__} {value}"


def _anew() -> dict[str, torch.Tensor]:
    raise QurdError("It is computed again.")


def _part(path: Path) -> pd.DataFrame | None:
    """A part of an import; None where it is read once more, out of its source."""
    try:
        return importer._kept(path).to_pandas()
    except (pa.ArrowException, OSError):
        return None


def _story() -> dict[str, Any] | None:
    """A story as a fresh process reads it; None where it is not offered."""
    story._file.cache_clear()
    return story._file("mistakes") if "mistakes" in story.names() else None


def _format(folder: Path) -> str | None:
    """Open a store; None where its damaged file was moved aside, and the results are still found."""
    aside = folder / "tmp" / "quarantine" / FORM
    aside.unlink(missing_ok=True)
    store = Store(folder)
    assert store.get(KEY, _anew)
    assert json.loads((folder / FORM).read_text())["format"] == 1
    return None if aside.exists() else "as it was"


_REFUSED = told(None)  # by readers whose thing is measured or made anew


def main(tries: int) -> int:
    total = Counter()
    print(f"{'kind':32}{'tried':>7}" + "".join(f"{name:>10}" for name in OUTCOMES))
    with tempfile.TemporaryDirectory() as folder, copied_assets(Path(folder)):
        for name, reading in kinds(Path(folder)).items():
            rng = random.Random(name)
            found = flips(reading, rng, tries)
            total += found
            print(f"{name:32}{tries:7}" + "".join(f"{found[one]:10}" for one in OUTCOMES), flush=True)
    print(f"{'all':32}{total.total():7}" + "".join(f"{total[one]:10}" for one in OUTCOMES))
    return int(total["silent"] + total["crash"] > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIES))
