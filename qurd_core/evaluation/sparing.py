"""A workbench for somebody who watches: models are asked about the natural images that are sent, and about no other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from qurd_core.evaluation.workbench import Workbench
from qurd_core.store import Key, Store


@dataclass
class Sparing(Workbench):
    """A workbench that asks models only about the natural images that a scheme sends. Its scores are not stored: asked in
    other batches, answers may differ in the last digit.
    """

    known: dict[tuple[str, str], Tensor] = field(default_factory=dict)

    @classmethod
    def beside(cls, desk: Workbench) -> "Sparing":
        """One that shares models, images and what was asked before with another workbench."""
        known = _KNOWN.setdefault((str(desk.store.folder), desk.bench.name), {})
        return cls(desk.bench, Unstored(desk.store), desk.runtime, desk.oracles, desk._images, known)

    def natural(self, model: str, split: str) -> Any:
        """The answers of a victim, which chooses its queries by them, and of whoever has answered; of others a promise."""
        if model in self.bench.victims or self.has_natural(model, split):
            return super().natural(model, split)
        return _Promise(self, model, split)


_KNOWN: dict[tuple[str, str], dict[tuple[str, str], Tensor]] = {}  # of every store and benchmark, as long as the process


@dataclass(frozen=True)
class _Promise:
    """The answers of a model to natural images, asked for when somebody looks at them."""

    desk: Sparing
    model: str
    split: str

    def __getitem__(self, indices: Tensor) -> Tensor:
        images = self.desk.images(self.split).pixels
        nothing = torch.full((len(images), len(self.desk.bench.classes)), torch.nan)
        known = self.desk.known.setdefault((self.model, self.split), nothing)
        new = indices[known[indices, 0].isnan()].unique()
        if len(new):
            x = (images[new].float() / 255).contiguous(memory_format=torch.channels_last)
            known[new] = self.desk.oracle(self.model).logits(x)
        return known[indices]


class Unstored:
    """A store whose scores are kept in memory only.

    Args:
        store: for everything else.
    """

    def __init__(self, store: Store):
        self.store, self.folder = store, store.folder
        self.scores: dict[str, dict[str, Tensor]] = {}

    def get(self, key: Key, make: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
        if key.kind != "scores":
            return self.store.get(key, make)
        if key.digest not in self.scores:
            self.scores[key.digest] = dict(make())
        return self.scores[key.digest]

    def has(self, key: Key) -> bool:
        return key.digest in self.scores if key.kind == "scores" else self.store.has(key)
