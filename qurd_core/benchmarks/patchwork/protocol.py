"""What both Patchwork protocols share: the pool of unrelated models, the data splits and the shipped zoo."""

from collections.abc import Iterable

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.patchwork.patches import patches
from qurd_core.benchmarks.photographs import CLASSES, REGIONS
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES
from qurd_core.benchmarks.zoo.models import Zoo
from qurd_core.benchmarks.zoo.shipped import Shipped, trained
from qurd_core.benchmarks.zoo.supplies import World
from qurd_core.files import ASSETS
from qurd_core.types import Pair

FOLDER = ASSETS / "patchwork"
POOL_SEEDS = 10  # lineages per architecture, so that no victim is refused a 5 % test
HARD_SEEDS = 4
SPLITS = {"train": "victim", "test": "test", "noise": "noise"}  # split of a seed set -> region
WORLD = World(patches, tuple(REGIONS), epochs={"vgg": 10, "res": 12, "dense": 12, "mb": 12}, rate=4e-3, enough=3_500)


def unrelated() -> list[str]:
    """Forty independent models trained on the truth of the attacker region: unrelated to every victim of both protocols."""
    return [trained(arch, "attacker", seed=seed) for arch in ARCHITECTURES for seed in range(POOL_SEEDS)]


def hard_unrelated(arch: str) -> list[str]:
    """Models trained like the victim of that architecture: its data and network, other seeds."""
    return [trained(arch, "victim", seed=seed) for seed in range(1, HARD_SEEDS + 1)]


def patchwork(name: str, pairs: Iterable[Pair]) -> Benchmark:
    """A protocol on the shipped zoo."""
    pairs = tuple(pairs)
    names = tuple(dict.fromkeys(model for pair in pairs for model in (pair.victim, pair.suspect)))
    mend = "install the versions of requirements.lock, or run 'build patchwork'."
    return Benchmark(name, CLASSES, pairs, names, Shipped(Zoo(FOLDER, WORLD), SPLITS, len(CLASSES), mend))
