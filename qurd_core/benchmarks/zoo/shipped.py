"""What benchmarks on shipped models share: their source, and the stolen pairs of a victim."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from qurd_core.benchmarks.base import Source
from qurd_core.benchmarks.zoo.models import Zoo, canonical
from qurd_core.errors import QurdError
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime
from qurd_core.types import Images, Pair


class Shipped(Source):
    """The models of a zoo, and the regions that its seed sets are.

    Args:
        zoo: records and weights of the models, by name.
        regions: split of a seed set to region.
        classes: how many the models tell apart.
        mend: how to get the images that the models were made with, where others lie here.
    """

    kept = True
    asks = True

    def __init__(self, zoo: Zoo, regions: Mapping[str, str], classes: int, mend: str):
        self.zoo, self.splits = zoo, tuple(regions)
        self._regions, self._classes, self._mend = regions, classes, mend

    def lineage(self, model: str) -> Lineage:
        return Lineage.parse(model)

    def record(self, model: str) -> dict[str, Any]:
        return asdict(self.zoo.record(model))

    def digest(self, model: str) -> str:
        return self.zoo.record(model).sha256

    def images(self, split: str) -> Images:
        """
        Raises:
            QurdError: the images are not those that the shipped models were made with.
        """
        found = self.zoo.world.images(self._regions[split])
        if found.digest != self.images_digest(split):
            raise QurdError(
                f"Expected the {split} images that the models were made with. Those here have other pixels: {self._mend}"
            )
        return found

    def images_digest(self, split: str) -> str:
        return self.zoo.manifest["data"][self._regions[split]]

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        return Oracle(self.zoo.module(model), classes=self._classes, runtime=runtime, name=model)


def trained(*arguments: object, seed: int = 0) -> str:
    """The canonical name of a model trained from fresh weights."""
    return canonical(f"train({','.join(map(str, arguments))},seed={seed})")


def positives(victim: str, stolen: Mapping[str, list[str]]) -> list[Pair]:
    """The stolen pairs of a victim; the second argument maps a task to steps after the victim ("" is the victim itself)."""
    return [
        Pair(victim, canonical(f"{victim}->{step}") if step else victim, "positive", (task,))
        for task, steps in stolen.items()
        for step in steps
    ]
