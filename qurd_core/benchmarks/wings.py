"""The wings whose models ship: where they lie, and what they are made from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qurd_core.benchmarks.fashion import fashion_sac, making, seeds
from qurd_core.benchmarks.fashion.pictures import PACKAGE
from qurd_core.benchmarks.patchwork import protocol
from qurd_core.benchmarks.zoo.supplies import World


@dataclass(frozen=True)
class Wing:
    """Benchmarks that share models.

    Attributes:
        folder: where the models ship.
        world: what they are made from, by their folder and the one of downloaded pictures, None for its usual place.
    """

    folder: Path
    world: Callable[[Path, Path | None], World]


def _fashion(home: Path, pictures: Path | None) -> World:
    source = (pictures or PACKAGE).absolute()
    if not seeds.are_whole(home):
        making.make_seeds(home, source)
    return making.world(home, source)


WINGS = {
    "patchwork": Wing(protocol.FOLDER, lambda home, pictures: protocol.WORLD),
    "fashion": Wing(fashion_sac.FOLDER, _fashion),
}
