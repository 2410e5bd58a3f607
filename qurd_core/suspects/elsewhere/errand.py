"""One API and the pictures that it is sent: what that costs, in which order they leave, and after which of them none is
needed any more.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from qurd_core.benchmarks.own.sources.api_file import Api
from qurd_core.benchmarks.own.sources.by_picture import ByPicture, png
from qurd_core.suspects.elsewhere import network
from qurd_core.suspects.elsewhere.egress import Line
from qurd_core.suspects.elsewhere.journal import Journal
from qurd_core.suspects.elsewhere.network import Asking, Bill


@dataclass(frozen=True)
class Errand:
    """What one suspect behind an API is sent.

    Attributes:
        suspect: its name.
        theirs, ours: the classes in the order of the API, and in that of the benchmark.
        pictures: (3,H,W) uint8 by name, in the order in which they leave.
        queries, easy: names of pictures: the queries of the first scheme in the order in which they were drawn, and the
            images of the fit.
        labels: (T,) of the victim, to the queries of the first scheme.
        early: a verdict may stand before all queries have left.
        decided: after how many it stands, see `judging.decided`.
    """

    suspect: str
    api: Api
    journal: Journal
    theirs: tuple[str, ...]
    ours: tuple[str, ...]
    pictures: Mapping[str, np.ndarray]
    queries: tuple[str, ...]
    easy: frozenset[str]
    labels: Tensor
    early: bool
    decided: Callable[[Tensor], int | None]
    _known: dict[str, int] = field(default_factory=dict)

    @property
    def bill(self) -> Bill:
        """What is still to be sent, and what that costs.

        Raises:
            QurdError: the caps of the API do not allow so many.
        """
        return network.bill(self.api, list(self.pictures), self.journal, self.needed, early=self.early and self._open)

    def asking(self, line: Line) -> Asking:
        """Requests about what is still to be sent."""
        files = {name: png(pixels) for name, pixels in self.pictures.items()}
        return Asking(self.api, files, self.journal, line, self.theirs, self.needed)

    def needed(self, picture: str) -> bool:
        """Whether a picture is worth a request: the images of the fit are, and queries until a verdict stands."""
        return not self.early or picture in self.easy or self._open

    @property
    def sent(self) -> int:
        """How many queries have an answer."""
        return sum(name in self.journal.answered for name in self.queries)

    @property
    def agrees(self) -> Tensor:
        """(k,) whether it answers like the victim, as far as all queries before have an answer."""
        held = [name in self.journal.answered for name in self.queries]
        return self._alike[: held.index(False) if False in held else len(held)]

    @property
    def _alike(self) -> Tensor:
        """(T,) whether it is known to answer like the victim."""
        return torch.tensor([self._label(name) for name in self.queries]) == self.labels

    @property
    def _open(self) -> bool:
        """Whether no verdict stands yet."""
        return self.decided(self._alike) is None

    def _label(self, picture: str) -> int:
        """The class in our order; -1 where there is no answer that counts."""
        if picture not in self._known and picture in self.journal.answered:
            row = network.row_of(self.api, self.journal.answered[picture], self.theirs)
            row = row and self._in_our_order(row)
            place = row.index(max(row)) if row else -1
            self._known[picture] = place if place < len(self.ours) else -1
        return self._known.get(picture, -1)

    def told(self) -> ByPicture:
        """Everything that it answered."""
        rows = network.answers(self.api, self.journal, self.theirs)
        ordered = {picture: self._in_our_order(row) for picture, row in rows.items()}
        return ByPicture(ordered, len(self.ours), self.api.digest)

    def _in_our_order(self, row: list[float]) -> list[float]:
        """(C+1) numbers in the order of the benchmark: the last stands for none of its classes."""
        return [row[self.theirs.index(name)] for name in self.ours] + row[-1:]

    def notes(self) -> Iterator[str]:
        """What is to be known of its answers, a sentence each."""
        if again := network.repeated(self.api, self.journal, list(self.pictures), self.theirs):
            yield again
