"""What both Patchwork protocols share: the pool of unrelated models, the data splits and the shipped zoo."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from qurd_core.benchmarks.base import Benchmark, Source
from qurd_core.benchmarks.patchwork.architectures import ARCHITECTURES
from qurd_core.benchmarks.patchwork.patches import patches
from qurd_core.benchmarks.patchwork.zoo import Zoo, canonical
from qurd_core.benchmarks.photographs import CLASSES
from qurd_core.errors import QurdError
from qurd_core.files import ASSETS
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime
from qurd_core.types import Images, Pair

FOLDER = ASSETS / "patchwork"
POOL_SEEDS = 10  # lineages per architecture, so that no victim is refused a 5 % test
HARD_SEEDS = 4
SPLITS = {"train": "victim", "test": "test", "noise": "noise"}  # split of a seed set -> region


class Patchwork(Source):
    """The shipped models and the regions of the photographs.

    Args:
        zoo: records and weights of the models, by name.
    """

    splits = tuple(SPLITS)
    kept = True
    asks = True

    def __init__(self, zoo: Zoo):
        self.zoo = zoo

    def lineage(self, model: str) -> Lineage:
        return Lineage.parse(model)

    def record(self, model: str) -> dict[str, Any]:
        return asdict(self.zoo.record(model))

    def digest(self, model: str) -> str:
        return self.zoo.record(model).sha256

    def images(self, split: str) -> Images:
        """
        Raises:
            QurdError: the photographs decode to other pixels here than where the shipped models were made.
        """
        found = patches(SPLITS[split])
        if found.digest != self.images_digest(split):
            raise QurdError(
                f"Expected the {split} images that the models were made with. The photographs decode to other pixels here:"
                " install the versions of requirements.lock, or run 'build patchwork'."
            )
        return found

    def images_digest(self, split: str) -> str:
        return self.zoo.manifest["data"][SPLITS[split]]

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        return Oracle(self.zoo.module(model), classes=len(CLASSES), runtime=runtime, name=model)


def unrelated() -> list[str]:
    """Forty independent models trained on the truth of the attacker region: unrelated to every victim of both protocols."""
    return [canonical(f"train({arch},attacker,seed={seed})") for arch in ARCHITECTURES for seed in range(POOL_SEEDS)]


def hard_unrelated(arch: str) -> list[str]:
    """Models trained like the victim of that architecture: its data and network, other seeds."""
    return [canonical(f"train({arch},victim,seed={seed})") for seed in range(1, HARD_SEEDS + 1)]


def positives(victim: str, stolen: dict[str, list[str]]) -> list[Pair]:
    """The stolen pairs of a victim; the second argument maps a task to steps after the victim ("" is the victim itself)."""
    return [
        Pair(victim, canonical(f"{victim}->{step}") if step else victim, "positive", (task,))
        for task, steps in stolen.items()
        for step in steps
    ]


def patchwork(name: str, pairs: Iterable[Pair]) -> Benchmark:
    """A protocol on the shipped zoo."""
    pairs = tuple(pairs)
    names = tuple(dict.fromkeys(model for pair in pairs for model in (pair.victim, pair.suspect)))
    return Benchmark(name, CLASSES, pairs, names, Patchwork(Zoo(FOLDER)))
