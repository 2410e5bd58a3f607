"""What a trainer may read, and a note of what it read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypedDict

import torch
from torch import Tensor, nn

from qurd_core.randomness import stream
from qurd_core.types import Images


class Schedule(TypedDict):
    """How long `fit` trains, and how fast."""

    epochs: int
    rate: float


class Given(Protocol):
    """A model that was made elsewhere, from which thefts start. Worker processes receive a copy of what finds it.

    Attributes:
        lineage: its name among those that are made here.
    """

    lineage: str

    def module(self) -> nn.Module:
        """One of its own for whoever asks, to be trained on: images in [0,1] in, logits out, with the attributes
        `architecture` and `classes`.
        """


@dataclass(frozen=True)
class World:
    """What the models of one wing are made from.

    Attributes:
        images: region to images; importable, since worker processes receive it.
        regions: those whose digests a manifest tells: all that a model may read, and the seed sets.
        epochs: architecture to passes from fresh weights over `enough` images.
        rate: largest learning rate from fresh weights.
        enough: number of images from which on more are not trained on for longer.
        half: weights are rounded to half precision when training ends, so that what ships is what was measured.
        classes: how many there are, where a region may lack some.
        given: the model that was made elsewhere, if there is one. Then files hold networks as their architecture names the
            tensors, without their normalisation, for whoever reads them; of every model that is made.
        told: what else belongs to the recipe of every model.
    """

    images: Callable[[str], Images]
    regions: tuple[str, ...]
    epochs: Mapping[str, int]
    rate: float
    enough: int
    half: bool = False
    classes: int | None = None
    given: Given | None = None
    told: Mapping[str, object] = field(default_factory=dict)

    @property
    def constants(self) -> dict[str, object]:
        """What belongs to the recipe of every model. Worlds of full precision came first and tell no more than these two."""
        told = {"EPOCHS": dict(self.epochs), "RATE": self.rate, **self.told}
        return told | {"ENOUGH": self.enough, "HALF": True} if self.half else told


class Supplies:
    """Images and randomness for making one model. Who asks for `images` cannot see the truth.

    Args:
        lineage: text of the model being made; all its randomness derives from it.
        world: the images, and how long they are trained on.

    Attributes:
        regions: regions read so far.
        read_truth: whether any truth was read.
    """

    def __init__(self, lineage: str, world: World):
        self.lineage, self._world = lineage, world
        self.regions: list[str] = []
        self.read_truth = False

    def images(self, region: str, per_photo: int | None = None) -> Tensor:
        """(n,3,H,W) uint8 images of a region without their truth.

        Args:
            per_photo: take only so many of each photograph; images that were cut out of none are all taken.
        """
        self.regions.append(region)
        found = self._world.images(region)
        if per_photo is None or found.places is None:
            return found.pixels
        photos = found.places[:, 0]
        return found.pixels[torch.cat([(photos == photo).nonzero()[:per_photo, 0] for photo in photos.unique()])]

    def labelled(self, region: str) -> Images:
        """All images of a region with their truth."""
        self.regions.append(region)
        self.read_truth = True
        return self._world.images(region)

    def classes(self, data: Images) -> int:
        """How many classes there are, as far as these images show it where nobody says it."""
        return self._world.classes or int(data.truth.max()) + 1

    def schedule(self, architecture: str, images: int) -> Schedule:
        """How a network with fresh weights is trained on that many images: longer on few, so that these are fitted too."""
        longer = max(1.0, (self._world.enough / images) ** 0.5)
        return {"epochs": round(self._world.epochs[architecture] * longer), "rate": self._world.rate}

    def stream(self) -> torch.Generator:
        """The generator of this model."""
        return stream(0, "train", self.lineage)
