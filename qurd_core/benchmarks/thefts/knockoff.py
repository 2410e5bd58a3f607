"""Knockoff extraction: a student learns the victim's soft answers to pictures of another domain."""

from typing import Annotated, Literal

import torch

from qurd_core.access import Access
from qurd_core.benchmarks.zoo.architectures import Architecture, Normalised, initialised
from qurd_core.benchmarks.zoo.supplies import Supplies
from qurd_core.benchmarks.zoo.training import cross_entropy, fit
from qurd_core.oracle import Oracle
from qurd_core.registry import Range, thefts


@thefts.register(reads="answers", access=Access.PROBITS)
def knockoff(
    victim: Oracle,
    supplies: Supplies,
    *,
    arch: Architecture,
    region: Literal["mono", "cutouts"] = "mono",
    queries: Annotated[int, Range(1, 1_000_000)] = 10_000,
    seed: int = 0,
) -> Normalised:
    """Train a fresh student on the victim's probits for pictures of another domain (Orekondy, Schiele, Fritz 2019).

    The pictures are drawn at random without repetition, their policy "random"; if there are fewer, all are asked.
    """
    rng, every = supplies.stream(), supplies.images(region)
    images = every[torch.randperm(len(every), generator=rng)[:queries]]
    answers = victim.probits(images.float() / 255)
    student = initialised(arch, victim.classes, rng)
    return fit(student, images, cross_entropy(answers), rng, **supplies.schedule(arch, len(images)))
