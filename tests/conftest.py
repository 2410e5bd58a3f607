"""The toy world of the tests: 8x8 images, three classes, linear models that own their normalisation."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from qurd_core import cli
from qurd_core import detectors as _detectors  # noqa: F401 (importing registers the components)
from qurd_core import representations as _representations  # noqa: F401
from qurd_core import samplers as _samplers  # noqa: F401
from qurd_core import schemes as _schemes  # noqa: F401 (and keeps what changed components declare)
from qurd_core.access import Access
from qurd_core.cli import options
from qurd_core.files import ASSETS
from qurd_core.grammar import Value
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.records import rate_records
from qurd_core.registry import crafts, discover_installed, representations
from qurd_core.types import Answers, Pool, Queries, seeds_as_queries
from tests.small_records import make_records, make_schemes

torch.set_num_threads(1)
discover_installed()  # the contracts hold for the components of other packages, too

SIDE, CLASSES, IMAGES = 8, 3, 160


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with many slow tests first: processes take whole files, and none should wait for a long one at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="module", autouse=True)
def untouched() -> Iterator[None]:
    """No test writes what is shipped, through a link either."""
    before = _shipped()
    yield
    assert _shipped() == before


def _shipped() -> dict[Path, int]:
    """When files below `assets` were written last."""
    return {
        path: path.stat().st_mtime_ns for path in ASSETS.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }


class Linear(nn.Module):
    """logits = W (x - 0.45) / 0.25 + b, with W of the given shape (C, 3*8*8)."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None):
        super().__init__()
        self.last = nn.Linear(weight.shape[1], len(weight), dtype=weight.dtype, device="meta").to_empty(device="cpu")
        self.last.weight = nn.Parameter(weight.clone())
        self.last.bias = nn.Parameter(torch.zeros(len(weight)) if bias is None else bias.clone())

    @property
    def weight(self) -> Tensor:
        return self.last.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.last(((x - 0.45) / 0.25).flatten(1))


def random_weights(name: str, classes: int = CLASSES) -> Tensor:
    return 0.1 * torch.randn(classes, 3 * SIDE * SIDE, generator=stream(0, "weights", name))


@pytest.fixture(scope="session")
def linear() -> Callable[..., Oracle]:
    """Makes an oracle around a linear model: from a name (random weights) or from the weights themselves."""

    def make(weight: str | Tensor, bias: Tensor | None = None, classes: int = CLASSES, **options: object) -> Oracle:
        weight = random_weights(weight, classes) if isinstance(weight, str) else weight
        return Oracle(Linear(weight, bias), classes=len(weight), **options)

    return make


@pytest.fixture(scope="session")
def curved() -> Oracle:
    """A small model that is not linear."""
    rng = stream(0, "curved")
    hidden, last = nn.Conv2d(3, 6, 3), nn.Linear(6 * 36, CLASSES)
    with torch.no_grad():
        for parameter in (*hidden.parameters(), *last.parameters()):
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=rng))
    return Oracle(nn.Sequential(hidden, nn.Tanh(), nn.Flatten(), last), classes=CLASSES)


@pytest.fixture
def victim(linear: Callable[..., Oracle]) -> Oracle:
    return linear("victim")


@pytest.fixture(scope="session")
def suspects(linear: Callable[..., Oracle]) -> dict[str, Oracle]:
    """An exact copy, two that were tampered with, and two strangers."""
    victim, noise = random_weights("victim"), random_weights("noise")
    return {
        "copy": linear(victim),
        "tuned": linear(victim + 0.2 * noise),
        "pruned": linear(victim * (victim.abs() > 0.05)),
        "stranger": linear("stranger"),
        "other": linear("other"),
    }


@pytest.fixture(scope="session")
def pool(linear: Callable[..., Oracle]) -> Pool:
    """Images of 4x4 blocks of random colours; the victim gets every fourth one wrong."""
    blocks = torch.randint(256, (IMAGES, 3, 4, 4), generator=stream(0, "pool"), dtype=torch.uint8)
    pixels = blocks.repeat_interleave(2, 2).repeat_interleave(2, 3)
    probits = linear("victim").logits(pixels.float() / 255).double().softmax(1)
    labels = probits.argmax(1)
    truth = (labels + (torch.arange(IMAGES) % 4 == 0).long()) % CLASSES
    return Pool(pixels, truth, labels, probits)


@pytest.fixture(scope="session")
def seeds(pool: Pool) -> Queries:
    """Twelve seed images in a random order."""
    return seeds_as_queries(pool, torch.randperm(len(pool), generator=stream(0, "seeds"))[:12])


SMALL = {  # parameters that keep the crafts quick here
    "superpixels": {"masks": 6},
    "boundary": {"steps": 200},
    "sensitive": {"steps": 10},
    "erosion": {"eps": 0.4, "steps": 6},
    "divergence": {"eps": 0.3, "steps": 10},
}


@pytest.fixture(scope="session")
def values() -> Callable[..., dict[str, Value]]:
    """All parameters of a craft: the given ones, those that keep it quick here, and its defaults."""

    def merge(name: str, **options: Value) -> dict[str, Value]:
        defaults = {key: parameter.default for key, parameter in crafts[name].parameters.items()}
        return defaults | SMALL.get(name, {}) | options

    return merge


@pytest.fixture(scope="session")
def craft(linear: Callable[..., Oracle], seeds: Queries, values: Callable) -> Callable[..., Queries]:
    """Runs a craft of the registry on the seeds, as the pipeline would."""

    def run(
        name: str, *, victim: Oracle | None = None, rng: int = 0, on: Queries | None = None, **options: Value
    ) -> Queries:
        generator = stream(rng, "craft", name)
        return crafts[name].function(on or seeds, victim or linear("victim"), generator, **values(name, **options))

    return run


@pytest.fixture(scope="session")
def suited(craft: Callable[..., Queries]) -> Callable[[str], Queries]:
    """Queries that have what a representation needs, from the first craft that gives it."""

    def make(representation: str) -> Queries:
        needs = representations[representation].declares.needs - {"truth", "aim"}
        plain_first = sorted(crafts, key=lambda name: not crafts[name].declares.plain)
        return craft(next(name for name in plain_first if needs <= crafts[name].declares.provides))

    return make


@pytest.fixture(scope="session")
def ask(linear: Callable[..., Oracle], suspects: dict[str, Oracle]) -> Callable[[Queries], Answers]:
    """Answers of the victim (first) and of all suspects."""

    def run(queries: Queries) -> Answers:
        models = [linear("victim"), *suspects.values()]
        logits = torch.stack([model.logits(queries.x) for model in models])
        own = logits.argmax(2)[:, queries.group_starts]
        slopes = [
            model.gradient(lambda found, own=classes: found.gather(1, own[:, None]).sum(), queries.x)[0]
            for model, classes in zip(models, own, strict=True)
        ]
        return Answers(queries, Access.GRADIENTS, logits, torch.stack(slopes))

    return run


@pytest.fixture(scope="session")
def paper_folder() -> Path:
    """The published scores, which are no part of this project: QURD_PAPER, else shared/paper beside the checkout."""
    folder = Path(os.environ.get("QURD_PAPER") or Path(__file__).parents[2] / "shared" / "paper")
    if not folder.is_dir():
        pytest.skip(f"The paper's files are not at {folder}: set QURD_PAPER to the folder that holds them.")
    return folder


@pytest.fixture(scope="session")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for all tests that ask the shipped models, so that each is asked once: also if several processes run them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "asked"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def made_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small records of both embedded benchmarks."""
    home = tmp_path_factory.mktemp("records")
    for benchmark in rate_records.EMBEDDED:
        make_records(benchmark).to_parquet(home / f"{benchmark}.parquet")
    (home / "schemes.json").write_text(json.dumps(make_schemes()))
    return home


@pytest.fixture
def folder(made_records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them, from which the page reads."""
    copytree(made_records, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(rate_records, "FOLDER", tmp_path)
    monkeypatch.setattr(rate_records, "PUBLISHED_FOLDER", tmp_path)  # which holds none of those
    return tmp_path


@pytest.fixture
def table(folder: Path) -> pd.DataFrame:
    return rate_records.read("patchwork-sac")


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home: neither the environment nor the list of users names one, as in some containers."""

    def nobody(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "XDG_CACHE_HOME", "QURD_STORE", "QURD_HUB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)


@pytest.fixture
def qurd(monkeypatch, capsys, tmp_path):
    """Runs the command line in this process: (exit code, output, error output)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["qurd_core", *arguments])
        monkeypatch.setenv("QURD_STORE", str(tmp_path / "store"))
        monkeypatch.setattr(options, "_cores", lambda: 1)  # worker processes take seconds to import torch
        with pytest.raises(SystemExit) as ended:
            cli.main()
            sys.exit(0)
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return run
