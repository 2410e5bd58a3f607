"""A benchmark of linear models on 8x8 images, as another package would offer one: importing this registers `toy`."""

import torch
from torch import Tensor

from qurd_core.benchmarks.base import Benchmark
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.registry import benchmarks, crafts
from qurd_core.runtime import Runtime
from qurd_core.types import Images, Pair, Queries
from tests.conftest import CLASSES, IMAGES, Linear, random_weights

VICTIMS = ("train(vgg,victim)", "train(res,victim)")
STRANGERS = [f"train(vgg,attacker,seed={seed})" for seed in range(24)]
TRAIN = 120  # images of the train split


class Toy:
    """Every model and every image follows from its name."""

    splits = ("train", "test", "noise")
    kept = True
    asks = True

    def lineage(self, model: str) -> Lineage:
        return Lineage.parse(model)

    def record(self, model: str) -> dict[str, str]:
        return {"lineage": model}

    def answers(self, model: str, split: str) -> None:
        return None

    def images(self, split: str) -> Images:
        blocks = torch.randint(256, (IMAGES, 3, 4, 4), generator=stream(0, "toy", split), dtype=torch.uint8)
        pixels = blocks.repeat_interleave(2, 2).repeat_interleave(2, 3)[: TRAIN if split == "train" else IMAGES]
        labels = Oracle(Linear(weights(VICTIMS[0])), classes=CLASSES).labels(pixels.float() / 255)
        truth = (labels + (torch.arange(len(labels)) % 4 == 0).long()) % CLASSES
        return Images(pixels, truth, torch.zeros(len(labels), 5, dtype=torch.long))

    def images_digest(self, split: str) -> str:
        return split

    def digest(self, model: str) -> str:
        return model

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        return Oracle(Linear(weights(model)), classes=CLASSES, runtime=runtime, name=model)


def weights(model: str) -> Tensor:
    """A victim's or a stranger's own weights; a thief's are near its victim's."""
    victim = next((name for name in VICTIMS if model.startswith(f"{name}->")), None)
    return random_weights(victim) + 0.3 * random_weights(model) if victim else random_weights(model)


@benchmarks.register(name="toy")
def toy() -> Benchmark:
    """Two linear victims with two thieves each."""
    pairs = tuple(pair for victim in VICTIMS for pair in _pairs(victim))
    names = tuple(dict.fromkeys(name for pair in pairs for name in (pair.victim, pair.suspect)))
    return Benchmark("toy", ("a", "b", "c"), pairs, names, Toy())


def _pairs(victim: str) -> list[Pair]:
    both = ("same", "finetune")
    return [
        Pair(victim, victim, "positive", ("same",)),
        *(Pair(victim, f"{victim}->finetune(seed={seed})", "positive", ("finetune",)) for seed in (1, 2)),
        *(Pair(victim, name, "negative", both) for name in STRANGERS),
        Pair(victim, victim.replace("victim)", "victim,seed=1)"), "hard", both),
    ]


@crafts.register(drops={"aim"})
def mirror(seeds: Queries, victim: Oracle, rng: torch.Generator, *, upside_down: bool = False) -> Queries:
    """Mirror every seed or leave it: a craft of another package."""
    mirrored = torch.rand(len(seeds), 1, 1, 1, generator=rng) < 0.5
    x = torch.where(mirrored, seeds.x.flip(2 if upside_down else 3), seeds.x)
    return Queries(x, seeds.group, seeds.seed, seeds.truth)
