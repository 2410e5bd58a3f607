"""How a model is served: the obfuscations between it and whoever asks, written `jpeg(quality=60)->topk(k=1)`.

The first stands next to the model, the last next to whoever asks. A step that changes answers needs the answers only; they
are read divided by their sum, as logarithms of at least `FLOOR`. Every answer of a step is checked against what it declares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from qurd_core.access import Access
from qurd_core.declarations import Obfuscation
from qurd_core.errors import QurdError, doing
from qurd_core.grammar import Call, Value, parse_chain
from qurd_core.randomness import stream
from qurd_core.registry import Component, obfuscations

FLOOR = 1e-12  # the smallest probit of which a logarithm is taken
AHEAD = 1e-6  # by which the label leads in the logarithms at least where a step keeps it
TOGETHER = 256  # images that a model is asked at once by a step that asks it several times
EXACT = 1e-6  # how far sums, and answers alone from those among others, may be off
PROBED, SIDE = 24, 16  # made-up answers, and pixels of made-up images, on which a step is tried


@dataclass(frozen=True)
class Step:
    """One obfuscation with its parameters."""

    component: Component[Obfuscation]
    values: dict[str, Value]

    @property
    def call(self) -> Call:
        """The canonical call."""
        return self.component.call(self.values)

    @property
    def declares(self) -> Obfuscation:
        return self.component.declares

    @property
    def identity(self) -> list[Any]:
        """What changes its answers, as JSON values."""
        return [self.component.name, self.values, self.component.version]

    @property
    def access(self) -> Access:
        """The most that is revealed behind it."""
        return self.component.access(self.values)

    @property
    def counted(self) -> int | None:
        """The number of classes whose probits are sent, if that is a parameter."""
        return self.values[self.declares.counts_classes] if self.declares.counts_classes else None

    def of_images(self, images: Tensor) -> Tensor:
        """(n,3,H,W) what the model gets in place of some images."""
        found = self.component.function(images, **self.values)
        if found.shape != images.shape or found.dtype != torch.float32 or not bool(((found >= 0) & (found <= 1)).all()):
            raise self._broken(f"images float32 {tuple(images.shape)} in [0,1]", found)
        return found

    def of_model(self, ask: Callable[[Tensor], Tensor], images: Tensor, classes: int) -> Tensor:
        """(n,C) logits of a model that is asked in another way."""
        found = self.component.function(ask, images, **self.values)
        if found.shape != (len(images), classes) or not bool(found.isfinite().all()):
            raise self._broken(f"finite logits {(len(images), classes)}", found)
        return found

    def of_answers(self, probits: Tensor, seen: Tensor | None) -> Tensor:
        """(n,C) float64 probits in place of some.

        Args:
            seen: (m,C) what was answered before to a seed set, for a step that recalls it.
        """
        remembered = (seen,) if self.declares.recalls else ()
        found = self.component.function(probits, *remembered, **self.values)
        if found.shape != probits.shape or not bool((found >= 0).all() & found.isfinite().all()):
            raise self._broken(f"numbers of at least 0 {tuple(probits.shape)}", found)
        sums, label = found.sum(-1, keepdim=True), probits.argmax(-1, keepdim=True)
        if not bool((sums > 0).all()):
            raise self._broken("a number above 0 in every answer", found)
        if self.declares.sums_to_one and float((sums - 1).abs().max()) > EXACT:
            raise self._broken("answers that sum to 1", found)
        if self.declares.keeps_label and bool((found.gather(-1, label) < found.amax(-1, keepdim=True) - EXACT).any()):
            raise self._broken("answers that keep their label", found)
        return found / sums

    def sent(self, probits: Tensor, seen: Tensor | None) -> Tensor:
        """As `of_answers`, with the label ahead of all other classes where the step keeps it."""
        found = self.of_answers(probits, seen)
        if not self.declares.keeps_label:
            return found
        label = probits.argmax(-1, keepdim=True)
        ahead = found.scatter(-1, label, 0).amax(-1, keepdim=True) * (1 + AHEAD)
        return found.scatter(-1, label, found.gather(-1, label).maximum(ahead))

    def _broken(self, wanted: str, found: Tensor) -> QurdError:
        return QurdError(
            f"Expected '{self.call}' to give {wanted}, as it declares. Got {found.dtype} {tuple(found.shape)}"
            f" that are not. Mend it in {self.component.function.__module__}."
        )


@dataclass(frozen=True)
class Server:
    """What is made of the answers of a model on their way out.

    Attributes:
        behind: name of the model.
        steps: each changes answers.
    """

    behind: str
    steps: tuple[Step, ...]

    @property
    def recalls(self) -> bool:
        """Whether it is told what the model answered before."""
        return any(step.declares.recalls for step in self.steps)

    def __call__(self, logits: Tensor, seen: Tensor | None) -> Tensor:
        """(n,C) logarithms of the probits that are sent in place of logits.

        Args:
            seen: (m,C) the model's logits on a seed set; None if it `recalls` nothing.
        """
        sent, remembered = _probits(logits), None if seen is None else _probits(seen)
        for step in self.steps:
            sent = step.sent(sent, remembered)
            remembered = None if remembered is None else step.sent(remembered, remembered)
        return sent.clamp_min(FLOOR).log().float()


class Served(nn.Module):
    """A model behind one step that does more than change answers, or behind a server: images to logits.

    Args:
        step: what stands before the model.
    """

    def __init__(self, model: nn.Module, step: Step, classes: int):
        super().__init__()
        self.model, self.step, self.classes = model, step, classes

    def forward(self, x: Tensor) -> Tensor:
        images = x.cpu().contiguous()
        if self.step.declares.changes == "images":
            return self._ask(self.step.of_images(images), x.device)
        return self.step.of_model(lambda some: self._ask(some, x.device).cpu(), images, self.classes).to(x.device)

    def _ask(self, images: Tensor, device: torch.device) -> Tensor:
        some = images.split(TOGETHER)
        return torch.cat([self.model(part.to(device, memory_format=torch.channels_last)) for part in some])


class Sending(nn.Module):
    """A model behind a server: images to logarithms of the probits that are sent.

    Args:
        seen: (m,C) the model's logits on a seed set; None if the server recalls nothing.
    """

    def __init__(self, model: nn.Module, server: Server, seen: Tensor | None):
        super().__init__()
        self.model, self.server, self.seen = model, server, seen

    def forward(self, x: Tensor) -> Tensor:
        return self.server(self.model(x).cpu(), self.seen).to(x.device)


@lru_cache(maxsize=64)
def steps_of(text: str) -> tuple[Step, ...]:
    """Read obfuscations and try each on made-up images or answers.

    Raises:
        QurdError: an unknown one, a parameter out of its range, or one that breaks what it declares.

    >>> [str(step.call) for step in steps_of("jpeg(quality=60)->topk(1)")]
    ['jpeg', 'topk(k=1)']
    """
    steps = tuple(Step(obfuscations[call.name], obfuscations[call.name].bind(call)) for call in parse_chain(text).calls)
    for step in steps:
        with doing(f"trying '{step.call}' on made-up {'answers' if step.declares.changes == 'answers' else 'images'}"):
            _try(step)
    return steps


def changing_answers(steps: Sequence[Step]) -> int:
    """How many steps at the end change answers, which are known where those of what stands before them are."""
    count = 0
    while count < len(steps) and steps[-1 - count].declares.changes == "answers":
        count += 1
    return count


def _try(step: Step) -> None:
    """
    Raises:
        QurdError: it breaks what it declares, or an answer follows from others than its own image.
    """
    rng, classes = stream(0, "made up", step.component.name), max(10, step.counted or 0)
    if step.declares.changes == "answers":
        scale = torch.logspace(-1, 1.3, PROBED, dtype=torch.float64)[:, None]
        given = (scale * torch.randn(PROBED, classes, generator=rng, dtype=torch.float64)).softmax(-1)
        answer = lambda some: step.of_answers(some, given)  # noqa: E731
    else:
        given = torch.rand(3, 3, SIDE, SIDE, generator=rng)
        weight = torch.randn(3 * SIDE * SIDE, classes, generator=rng)
        ask = lambda some: some.flatten(1) @ weight  # noqa: E731
        answer = step.of_images if step.declares.changes == "images" else lambda some: step.of_model(ask, some, classes)
    together, backwards = answer(given), answer(given.flip(0)).flip(0)
    if not torch.allclose(together, backwards, atol=EXACT, rtol=EXACT):
        raise QurdError(
            f"Expected '{step.call}' to answer each image as if it were alone. Got other answers in another order: draw what"
            " is random from a generator of the image."
        )


def _probits(logits: Tensor) -> Tensor:
    return logits.double().softmax(-1)
