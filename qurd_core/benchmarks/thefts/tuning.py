"""Obfuscation of leaked weights by training further."""

from typing import Annotated, Literal

from qurd_core.benchmarks.zoo.architectures import Normalised, replace_head
from qurd_core.benchmarks.zoo.supplies import Schedule, Supplies
from qurd_core.benchmarks.zoo.training import cross_entropy, fit
from qurd_core.registry import Range, thefts

TUNING_EPOCHS, TUNING_RATE = 2, 2e-4  # low: at 1e-3 the tuning corrects the victim's mistakes
SHIFT_EPOCHS, SHIFT_RATE = 3, 1e-3


@thefts.register(reads="weights")
def finetune(
    victim: Normalised, supplies: Supplies, *, region: Literal["attacker", "theirs", "train"] = "attacker", seed: int = 0
) -> Normalised:
    """Train all layers a little further on other images with their truth."""
    patches = supplies.labelled(region)
    loss = cross_entropy(patches.truth)
    return fit(victim, patches.pixels, loss, supplies.stream(), epochs=TUNING_EPOCHS, rate=TUNING_RATE)


@thefts.register(reads="weights")
def transfer(
    victim: Normalised,
    supplies: Supplies,
    *,
    region: Literal["jittered", "victim", "theirs", "train"],
    ratio: Annotated[float, Range(0, 1)] = 1.0,
    seed: int = 0,
) -> Normalised:
    """Train the last `ratio` of the parameter tensors on another task, with a new head where the classes differ."""
    patches, rng = supplies.labelled(region), supplies.stream()
    classes = supplies.classes(patches)
    fresh = classes != victim.classes
    if fresh:
        replace_head(victim, classes, rng)
    parameters = list(victim.parameters())
    for parameter in parameters[: len(parameters) - int(ratio * len(parameters))]:
        parameter.requires_grad_(False)
    brief = Schedule(epochs=SHIFT_EPOCHS, rate=SHIFT_RATE)
    schedule = supplies.schedule(victim.architecture, len(patches)) if fresh else brief
    return fit(victim, patches.pixels, cross_entropy(patches.truth), rng, **schedule)
