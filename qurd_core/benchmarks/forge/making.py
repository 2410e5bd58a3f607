"""What forged models are made from, and how long that takes here."""

import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from torch import nn

from qurd_core.benchmarks.forge import sets
from qurd_core.benchmarks.forge.given import Mine
from qurd_core.benchmarks.forge.plan import OWN, Planned
from qurd_core.benchmarks.forge.sets import Sets
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES, empty, initialised
from qurd_core.benchmarks.zoo.supplies import World
from qurd_core.benchmarks.zoo.training import cross_entropy, fit
from qurd_core.executors import Inline, Unit
from qurd_core.randomness import stream

EPOCHS = dict.fromkeys(ARCHITECTURES, 12)
RATE = 4e-3
ENOUGH = 4_000  # images from which on networks are not trained for longer
TIMED = 256  # images of the pass that is timed
_BYTES = 4  # of a weight


def world(home: Path, given: Mine, digest: str, held: Sets, classes: int) -> World:
    """What the models are made from. Its recipe tells the victim, the pictures and every number of the training.

    Args:
        home: the folder of forged models, which has the pictures.
        digest: content address of the victim.
    """
    told = {
        "ENOUGH": ENOUGH,
        "CLASSES": classes,
        "VICTIM": digest,
        "PICTURES": {name: images.digest for name, images in held.held.items()},
    }
    made = partial(sets.images, home=home)
    regions = tuple(dict.fromkeys((*held.regions, sets.TEST)))
    return World(made, regions, epochs=EPOCHS, rate=RATE, enough=ENOUGH, classes=classes, given=given, told=told)


def seconds(of: World, base: str, architectures: Iterable[str]) -> dict[str, float]:
    """Seconds that one processor core takes to train each architecture on one image, once: one short epoch is timed."""
    found: dict[str, float] = {}
    units = [Unit(arch, _timed, (found, arch, of, base)) for arch in dict.fromkeys(architectures)]
    for done in Inline().run(units):
        if done.error:
            found[done.key] = float("nan")
    return found


def _timed(found: dict[str, float], arch: str, of: World, base: str) -> None:
    data, rng = of.images(base), stream(0, "timed", arch)
    pixels, truth = data.pixels[:TIMED], data.truth[:TIMED]
    model = of.given.module() if arch == OWN else initialised(arch, of.classes, rng)
    start = time.perf_counter()
    fit(model, pixels, cross_entropy(truth), rng, epochs=1, rate=of.rate)
    found[arch] = (time.perf_counter() - start) / len(pixels)


def sizes(of: World, own: nn.Module | None) -> dict[str, int]:
    """Bytes of a file of each architecture."""
    models = {arch: empty(arch, of.classes) for arch in ARCHITECTURES} | ({OWN: own} if own else {})
    return {arch: sum(values.numel() for values in model.state_dict().values()) * _BYTES for arch, model in models.items()}


def table(every: Iterable[Planned], per_image: Mapping[str, float], bytes_of: Mapping[str, int], workers: int) -> list[dict]:
    """A row per way to make models: how many, how long each is trained, minutes of all together, and their megabytes.

    Args:
        workers: processes, each of which trains one model at a time.
    """
    rows: dict[tuple[str, str, str], list[Planned]] = {}
    for one in every:
        rows.setdefault((one.role, one.by, one.share), []).append(one)
    found = []
    for (role, by, share), some in rows.items():
        epochs = sorted({one.epochs for one in some})
        took = sum(per_image[one.architecture] * one.images * one.epochs for one in some if one.epochs)
        found.append(
            {
                "role": role,
                "by": by,
                "pictures": share,
                "models": len(some),
                "epochs": f"{epochs[0]}" if len(epochs) == 1 else f"{epochs[0]}-{epochs[-1]}",
                "minutes": took / workers / 60,
                "megabytes": sum(bytes_of[one.architecture] for one in some) / 1e6,
            }
        )
    total = {"role": "all", "by": "", "pictures": "", "models": sum(row["models"] for row in found), "epochs": ""}
    return [*found, total | {name: sum(row[name] for row in found) for name in ("minutes", "megabytes")}]
