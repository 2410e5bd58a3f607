"""Model extraction: a student learns the victim's answers, never the truth."""

from typing import Literal

import torch
from torch import Tensor

from qurd_core.access import Access
from qurd_core.benchmarks.zoo.architectures import Architecture, Normalised, initialised
from qurd_core.benchmarks.zoo.supplies import Supplies
from qurd_core.benchmarks.zoo.training import cross_entropy, fit
from qurd_core.oracle import Oracle
from qurd_core.registry import thefts

QueryRegion = Literal["attacker", "victim", "mono", "few", "cutouts", "theirs", "fifth", "twentieth", "train"]

ADVERSARIAL_EPS = 8 / 255  # L-infinity radius in pixel space
ADVERSARIAL_EPOCHS = 2
ADVERSARIAL_RATE = 1e-3


@thefts.register(reads="answers", access=Access.LABELS)
def label_extraction(
    victim: Oracle,
    supplies: Supplies,
    *,
    arch: Architecture,
    region: QueryRegion = "attacker",
    per_photo: int = 350,
    seed: int = 0,
) -> Normalised:
    """Train a fresh student on the victim's labels (Guan, Liang, He 2022)."""
    images = supplies.images(region, per_photo)
    return _student(images, victim.labels(images.float() / 255), victim.classes, arch, supplies, supplies.stream())


@thefts.register(reads="answers", access=Access.PROBITS)
def probit_extraction(
    victim: Oracle, supplies: Supplies, *, arch: Architecture, region: QueryRegion = "attacker", seed: int = 0
) -> Normalised:
    """Train a fresh student on the victim's probits, at temperature 1 (Li et al. 2021)."""
    images = supplies.images(region)
    return _student(images, victim.probits(images.float() / 255), victim.classes, arch, supplies, supplies.stream())


@thefts.register(reads="answers", access=Access.LABELS)
def adv_label_extraction(
    victim: Oracle, supplies: Supplies, *, arch: Architecture, region: QueryRegion = "attacker", seed: int = 0
) -> Normalised:
    """Extract labels, then make the student robust by adversarial training on them (Guan, Liang, He 2022; FGSM here)."""
    images, rng = supplies.images(region), supplies.stream()
    labels = victim.labels(images.float() / 255)
    student = _student(images, labels, victim.classes, arch, supplies, rng)
    loss = cross_entropy(labels)

    def attacked(batch: Tensor, index: Tensor) -> Tensor:
        student.eval()
        inputs = batch.detach().requires_grad_()
        (ascent,) = torch.autograd.grad(loss(student(inputs), index), inputs)
        student.train()
        return (batch + ADVERSARIAL_EPS * ascent.sign()).clamp(0, 1)

    return fit(student, images, loss, rng, epochs=ADVERSARIAL_EPOCHS, rate=ADVERSARIAL_RATE, perturb=attacked)


def _student(
    images: Tensor, answers: Tensor, classes: int, arch: str, supplies: Supplies, rng: torch.Generator
) -> Normalised:
    student = initialised(arch, classes, rng)
    return fit(student, images, cross_entropy(answers), rng, **supplies.schedule(arch, len(images)))
