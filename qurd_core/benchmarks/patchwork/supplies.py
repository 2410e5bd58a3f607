"""What a trainer may read, and a note of what it read."""

from collections.abc import Callable

import torch
from torch import Tensor

from qurd_core.randomness import stream
from qurd_core.types import Images


class Supplies:
    """Images and randomness for making one model. Who asks for `images` cannot see the truth.

    Args:
        lineage: text of the model being made; all its randomness derives from it.
        patches_of: region to patches.

    Attributes:
        regions: regions read so far.
        read_truth: whether any truth was read.
    """

    def __init__(self, lineage: str, patches_of: Callable[[str], Images]):
        self.lineage, self._patches_of = lineage, patches_of
        self.regions: list[str] = []
        self.read_truth = False

    def images(self, region: str, per_photo: int | None = None) -> Tensor:
        """(n,3,H,W) uint8 images of a region without their truth; only the first `per_photo` of each photograph if given."""
        self.regions.append(region)
        patches = self._patches_of(region)
        if per_photo is None:
            return patches.pixels
        photos = patches.places[:, 0]
        return patches.pixels[torch.cat([(photos == photo).nonzero()[:per_photo, 0] for photo in photos.unique()])]

    def labelled(self, region: str) -> Images:
        """All patches of a region with their truth."""
        self.regions.append(region)
        self.read_truth = True
        return self._patches_of(region)

    def stream(self) -> torch.Generator:
        """The generator of this model."""
        return stream(0, "train", self.lineage)
