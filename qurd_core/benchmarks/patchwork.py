"""What both Patchwork protocols share: the pool of unrelated models, the data splits and the shipped zoo."""

from collections.abc import Iterable
from pathlib import Path

from qurd_core.benchmarks.architectures import ARCHITECTURES
from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.zoo import Zoo, canonical
from qurd_core.photographs import CLASSES
from qurd_core.types import Pair

FOLDER = Path(__file__).parents[2] / "assets" / "patchwork"
POOL_SEEDS = 10  # lineages per architecture, so that no victim is refused a 5 % test
HARD_SEEDS = 4
SPLITS = {"train": "victim", "test": "test", "noise": "noise"}  # split of a seed set -> region


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
    zoo = Zoo(FOLDER)
    pairs = tuple(pairs)
    names = tuple(dict.fromkeys(model for pair in pairs for model in (pair.victim, pair.suspect)))
    return Benchmark(name, CLASSES, pairs, names, zoo, SPLITS)
