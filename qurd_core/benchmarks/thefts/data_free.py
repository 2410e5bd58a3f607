"""Data-free extraction: the thief has no pictures, and a generator makes those that are sent to the victim.

DisGUIDE (Rosenthal et al. 2023) with hard labels. The generator looks for images on which two students disagree, and the
victim is asked about what it made; no gradient of the victim is estimated, as the data-free extraction of the paper
(Truong et al. 2021) does at millions of queries. Rates and sizes are chosen here for small networks.
"""

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.benchmarks.zoo.architectures import Architecture, Normalised, initialise, initialised
from qurd_core.benchmarks.zoo.supplies import Supplies
from qurd_core.oracle import Oracle
from qurd_core.registry import Range, thefts

BATCH = 64
RATE, GENERATOR_RATE = 4e-3, 2e-3
DECAY, EARLY, LATE = 0.3, 0.4, 0.8  # what the students' rate is multiplied by, and after which shares of the queries
DIVERSE = 0.5  # weight of diversity beside disagreement
REPLAYS, RING = 3, 50_000  # steps on earlier images after each on new ones, and how many images are remembered
NOISE, START, WIDE, NARROW = 64, 8, 32, 16  # of the generator: numbers in, first side in pixels, and channels
LEVELS = 255


@thefts.register(reads="answers", access=Access.LABELS)
def data_free(
    victim: Oracle,
    supplies: Supplies,
    *,
    arch: Architecture,
    queries: Annotated[int, Range(BATCH, 100_000_000)] = 41_000,
    seed: int = 0,
) -> Normalised:
    """Train two students on the victim's labels for images on which they disagree, and return the first (DisGUIDE)."""
    rng, rounds = supplies.stream(), queries // BATCH
    students = [
        initialised(arch, victim.classes, rng).to(memory_format=torch.channels_last) for _ in range(2)
    ]  # two others: equal ones would never disagree
    maker = _generator(rng)
    learning = torch.optim.AdamW([weight for student in students for weight in student.parameters()], lr=RATE)
    making = torch.optim.Adam(maker.parameters(), lr=GENERATOR_RATE)
    slower = torch.optim.lr_scheduler.MultiStepLR(learning, [int(rounds * EARLY), int(rounds * LATE)], DECAY)
    held = BATCH * min(rounds, RING // BATCH)
    seen, told = torch.empty(held, 3, 4 * START, 4 * START, dtype=torch.uint8), torch.empty(held, dtype=torch.long)
    for number in range(rounds):
        _disagree(maker, students, making, rng)
        new = torch.arange(BATCH) + BATCH * number % held
        seen[new] = _made(maker, rng)
        told[new] = victim.labels(seen[new].float() / LEVELS)
        known = min(held, BATCH * (number + 1))
        for some in (new, *(torch.randint(known, (BATCH,), generator=rng) for _ in range(REPLAYS))):
            _learn(students, learning, seen[some], told[some])
        slower.step()
    return students[0].eval()


def disagreement(one: Tensor, other: Tensor) -> Tensor:
    """The mean over images and classes of the standard deviation of two students' probits (n,C), from 0 to sqrt(2)/C."""
    return torch.stack([one, other]).std(0).mean()


def diversity(one: Tensor, other: Tensor) -> Tensor:
    """The negative entropy of the classes that two students give a batch of images (n,C) on average, from -ln C to 0."""
    votes = torch.cat([one, other]).mean(0)
    return votes.xlogy(votes).sum()


def _disagree(maker: nn.Module, students: list[Normalised], making: torch.optim.Optimizer, rng: torch.Generator) -> None:
    """One step of the generator, towards images that are disputed and of all classes; the victim is not asked."""
    images = _images(maker.train(), rng)
    one, other = (student.eval()(images).softmax(1) for student in students)
    loss = DIVERSE * diversity(one, other) - disagreement(one, other)
    making.zero_grad(set_to_none=True)
    loss.backward(inputs=list(maker.parameters()))
    making.step()


@torch.no_grad()
def _made(maker: nn.Module, rng: torch.Generator) -> Tensor:
    """(b,3,H,W) new images in 8 bits, as any service takes them."""
    return (_images(maker, rng) * LEVELS).round().byte()


def _learn(students: list[Normalised], learning: torch.optim.Optimizer, pixels: Tensor, labels: Tensor) -> None:
    """One step of both students on images and the victim's labels."""
    images = (pixels.float() / LEVELS).to(memory_format=torch.channels_last)
    loss = sum(F.cross_entropy(student.train()(images), labels) for student in students)
    learning.zero_grad(set_to_none=True)
    loss.backward()
    learning.step()


def _images(maker: nn.Module, rng: torch.Generator) -> Tensor:
    return (maker(torch.randn(BATCH, NOISE, generator=rng)) + 1) / 2


def _generator(rng: torch.Generator) -> nn.Module:
    """Noise to images in [-1,1]: a linear layer and two doublings of the side, each with a convolution."""
    with torch.device("meta"):
        network = nn.Sequential(
            *(nn.Linear(NOISE, WIDE * START**2), nn.Unflatten(1, (WIDE, START, START)), nn.BatchNorm2d(WIDE)),
            *_doubled(WIDE, NARROW),
            *_doubled(NARROW, NARROW),
            *(nn.Conv2d(NARROW, 3, 3, padding=1), nn.BatchNorm2d(3, affine=False), nn.Tanh()),
        )
    network = network.to_empty(device="cpu")
    for module in network.modules():
        initialise(module, rng)
    return network


def _doubled(before: int, after: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, padding=1)
    return [nn.Upsample(scale_factor=2), convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2, inplace=True)]
