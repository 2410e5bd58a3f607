"""Which models are forged, and what that takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from qurd_core.access import Access
from qurd_core.benchmarks.forge.sets import NUMBERED, SHARES, THEIRS, TRAIN, Sets
from qurd_core.benchmarks.own.roles import HARD, STOLEN, UNRELATED
from qurd_core.benchmarks.thefts import data_free, extraction, pruning, tuning
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES
from qurd_core.benchmarks.zoo.supplies import Supplies, World
from qurd_core.declarations import Theft
from qurd_core.errors import QurdError, unknown
from qurd_core.grammar import Call, Value
from qurd_core.registry import Component, origins, thefts

Thieves = Literal["quick", "all"]
THIEVES: tuple[Thieves, ...] = ("quick", "all")
QUICK = ("finetune", "label_extraction", "probit_extraction", "prune", "quantize")
SEEDS = 3  # of every theft that has one: outcomes vary between trainings
OWN = "the victim's"  # architecture
MOST = 400  # models of a kind

SETTINGS: Mapping[str, tuple[dict[str, Value], ...]] = {  # of thefts that need more than images, networks and seeds
    "fine_prune": ({"share": 0.2},),
    "filter_prune": ({"share": 0.2},),
    "prune": ({"ratio": 0.5},),
    "quantize": ({"dtype": "qint8"}, {"dtype": "int4"}),
}
_EPOCHS = {  # passes over the images of thefts that do not begin with fresh weights
    "finetune": tuning.TUNING_EPOCHS,
    "transfer": tuning.SHIFT_EPOCHS,
    **dict.fromkeys(("prune", "fine_prune", "filter_prune"), pruning.RECOVERY_EPOCHS),
    "quantize": 0,
}
_MORE = {"adv_label_extraction": 3 * extraction.ADVERSARIAL_EPOCHS}  # each pass also takes a gradient and attacked images
_STUDENTS, _SIDE = 2, 4 * data_free.START  # of extraction without pictures, and the pixels of what it makes
_SAID = {
    THEIRS: "all of theirs",
    TRAIN: "all of train",
    "fifth": "20 %",
    "twentieth": "5 %",
    "quarter": "25 %",
    "tenth": "10 %",
}


@dataclass(frozen=True)
class Planned:
    """A model to be forged.

    Attributes:
        lineage: its name.
        role: what it is called unless the theft fails.
        by: how it is made, in words.
        share: of the pictures, in words; empty where it takes none.
        architecture: of the small ones, or `OWN`.
        images, epochs: that it is trained on, and how often it sees each.
    """

    lineage: str
    role: str
    by: str
    share: str
    architecture: str
    images: int
    epochs: int


def planned(
    given: str, sets: Sets, world: World, *, unrelated: int, hard: int, which: Thieves, access: Access
) -> list[Planned]:
    """Every model that is forged: unrelated ones, hard ones, thieves.

    Args:
        given: lineage of the victim.
        access: what the victim reveals; its weights are there where that is everything.

    Raises:
        QurdError: a number is out of range, or no theft of that kind.
    """
    if which not in THIEVES:
        raise unknown("choice of thieves", which, THIEVES)
    for name, number in (("unrelated", unrelated), ("hard", hard)):
        if not 0 <= number <= MOST:
            raise QurdError(f"Expected 0 to {MOST} models with --{name}. Got {number}.")
    return [*innocents(sets, world, unrelated, hard), *thieves(given, sets, world, which, access)]


def innocents(sets: Sets, world: World, unrelated: int, hard: int) -> Iterator[Planned]:
    """Models that learn the truth from fresh weights, each by a seed of its own, so that each is a lineage.

    Half of the unrelated ones learn from all pictures that nobody saw, a quarter each from 25 % and 10 % of them: a pool of
    good models accuses weak innocents. On what trained the victim, or on a part of it, a model is hard, whatever it is.
    """
    weak, role = unrelated // 4, UNRELATED if sets.base == THEIRS else HARD
    shares = [sets.base] * (unrelated - 2 * weak) + ["quarter"] * weak + ["tenth"] * weak
    wanted, places = [], dict.fromkeys(shares, 0)
    for share in shares:
        wanted.append((share, places[share], role))
        places[share] += 1
    wanted += [(TRAIN, place, HARD) for place in range(hard if sets.train is not None else 0)]
    for seed, (share, place, called) in enumerate(wanted, 1):
        arch = ARCHITECTURES[place % len(ARCHITECTURES)]
        part = share in _SAID and share not in (THEIRS, TRAIN)
        region = f"{share}{1 + place // len(ARCHITECTURES) % NUMBERED}" if part else share
        lineage = str(_call(origins["train"], {"arch": arch, "region": region, "seed": seed}))
        images = len(world.images(region))
        of = f" of {sets.base}" if part else ""
        epochs = Supplies(lineage, world).schedule(arch, images)["epochs"]
        yield Planned(lineage, called, "train", f"{_SAID[share]}{of}", arch, images, epochs)


def thieves(given: str, sets: Sets, world: World, which: Thieves, access: Access) -> Iterator[Planned]:
    """Every registered theft that the sets can serve and that the victim reveals enough for, several times each."""
    for name in thefts if which == "all" else QUICK:
        theft = thefts[name]
        regions = _regions(theft, sets)
        enough = access is Access.GRADIENTS if theft.declares.reads == "weights" else theft.declares.access <= access
        fits = name != data_free.data_free.__name__ or world.images(sets.base).pixels.shape[2:] == (_SIDE, _SIDE)
        if not regions or not enough or not fits:
            continue
        for region in regions:
            for seed in range(1, 1 + (SEEDS if "seed" in theft.parameters else 1)):
                for setting in SETTINGS.get(name, ({},)):
                    yield _theft(given, theft, region, seed, setting, sets, world)


def _theft(
    given: str, theft: Component[Theft], region: str, seed: int, setting: dict[str, Value], sets: Sets, world: World
) -> Planned:
    arch = ARCHITECTURES[seed % len(ARCHITECTURES)]
    told = {"region": region, "seed": seed, "arch": arch, **setting}
    lineage = f"{given}->{_call(theft, told)}"
    fresh = "arch" in theft.parameters
    images = len(world.images(region)) if region else int(theft.parameters["queries"].default) if fresh else 0
    if not region and fresh:  # every picture is made, and both students see it and as many earlier ones
        epochs = _STUDENTS * (1 + data_free.REPLAYS)
    else:
        usual = Supplies(lineage, world).schedule(arch, images)["epochs"] if images else 0
        epochs = _EPOCHS.get(theft.name, usual) + _MORE.get(theft.name, 0)
    share = _SAID[region] + (f" of {sets.base}" if region in SHARES else "") if region and epochs else ""
    by = str(Call(theft.name, tuple(setting.values()))) if setting else theft.name
    return Planned(lineage, STOLEN, by, share, arch if fresh else OWN, images if epochs else 0, epochs)


def _call(component: Component[Any], told: Mapping[str, Value]) -> Call:
    """The canonical call of a component with those of some values that it takes."""
    options = tuple((name, value) for name, value in told.items() if name in component.parameters)
    return component.call(component.bind(Call(component.name, options=options)))


def _regions(theft: Component[Theft], sets: Sets) -> list[str]:
    """What a theft reads, as often as it is tried: pictures of the victim's where it is made for these, else others, whose
    answers it buys in several numbers; an empty text where it reads none.
    """
    if "region" not in theft.parameters:
        return [""]
    choices = theft.parameters["region"].choices
    first = TRAIN if choices[0] == "victim" and sets.train is not None else sets.base
    if first not in choices:
        return []
    return [first, *(share for share in SHARES if theft.declares.reads == "answers" and share in choices)]
