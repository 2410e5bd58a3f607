"""Models that are at hand in Python as a benchmark: networks, and any function from images to answers."""

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark, Source
from qurd_core.benchmarks.own.answer_table import FLOOR, OFF
from qurd_core.errors import QurdError
from qurd_core.grammar import Call
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime
from qurd_core.types import Images, Pair

Model = nn.Module | Callable[[Tensor], Any]
VICTIM = "the victim"
_TRIED = 8  # images on which it is seen what a function answers
SHOWN = 5  # names in a sentence


class AtHand(Source):
    """The source of models that are at hand.

    Args:
        models: by name.
        images: the only seed set, called test.
        classes: number of classes.
        taken: what the answers of each model are taken as, in every batch.
    """

    splits = ("test",)
    kept = False
    asks = True

    def __init__(self, models: Mapping[str, Model], images: Images, classes: int, taken: Mapping[str, Access]):
        self.models, self._images, self._classes, self._taken = models, images, classes, taken

    def lineage(self, model: str) -> Lineage:
        """Each model was trained on its own, whatever its name looks like."""
        return Lineage.parse(str(Call("train", ("at hand", list(self.models).index(model)))))

    def record(self, model: str) -> dict[str, Any]:
        return {"lineage": str(self.lineage(model)), "model": model}

    def digest(self, model: str) -> str:
        """Of its name: what is asked of it is kept as long as the question."""
        return hashlib.sha256(model.encode()).hexdigest()

    def images(self, split: str) -> Images:
        return self._images

    def images_digest(self, split: str) -> str:
        return self._images.digest

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        own = self.models[model]
        if isinstance(own, nn.Module):
            return Oracle(copy.deepcopy(own), classes=self._classes, runtime=runtime, name=model)
        made = _Function(own, model, self._classes, self._taken[model])
        return Oracle(made, classes=self._classes, access=Access.LOGITS, runtime=runtime, name=model)


class _Function(nn.Module):
    """A function as a network: its answers as logits of which the label is the largest."""

    def __init__(self, function: Callable[[Tensor], Any], name: str, classes: int, taken: Access):
        super().__init__()
        self._function, self._name, self._classes, self._taken = function, name, classes, taken

    def forward(self, x: Tensor) -> Tensor:
        found, what = _answers(self._function(x.contiguous()), len(x), self._classes, self._name)
        if what is not self._taken and not (what is Access.PROBITS and self._taken is Access.LOGITS):
            raise QurdError(
                f"Expected {self._taken} from '{self._name}', as its first answers were. Got {what} later: let it answer in"
                " one way."
            )
        return _logits(found, self._classes, self._taken)


def bench_of(
    victim: Model | str | None,
    suspects: Mapping[str, Model] | Sequence[str],
    unrelated: Mapping[str, Model],
    hard: Mapping[str, Model],
    images: tuple[Tensor | np.ndarray, Tensor | np.ndarray] | None,
    classes: Sequence[str] | None,
) -> Benchmark:
    """The benchmark of models that are at hand, which reveals what all of them answer.

    Raises:
        QurdError: something is missing, is no model, or has another shape than it should.
    """
    if victim is None or not isinstance(suspects, Mapping) or not suspects or not unrelated or images is None:
        raise QurdError(
            "Expected a victim, suspects and unrelated models by name, and images with their classes, as in"
            " check(victim=net, suspects={'shop': ask}, unrelated={...}, images=(x, y)); or the name of a benchmark first."
        )
    models = {VICTIM: victim, **suspects, **unrelated, **hard}
    if len(models) < 1 + len(suspects) + len(unrelated) + len(hard):
        raise QurdError("Expected every model under a name of its own. One is named twice.")
    for name, model in models.items():
        if not callable(model):
            raise QurdError(f"Expected a network or a function as '{name}'. Got a {type(model).__name__}.")
    if not isinstance(images, tuple | list) or len(images) != 2:
        raise QurdError("Expected images with their classes, as in images=(x, y).")
    seeds = _seed_set(*images)
    named = tuple(map(str, classes)) if classes is not None else tuple(map(str, range(int(seeds.truth.max()) + 1)))
    if len({*named}) != len(named) or not int(seeds.truth.max()) < len(named) >= 2:
        raise QurdError(
            f"Expected a name for each of the {int(seeds.truth.max()) + 1} classes, 2 or more. Got {len(named)}."
        )
    pairs = [Pair(VICTIM, name, kind, ()) for kind, some in (("negative", unrelated), ("hard", hard)) for name in some]
    taken = {name: _access(model, name, seeds, len(named)) for name, model in models.items()}
    access = min(taken.values())
    if isinstance(victim, nn.Module) and access is Access.LOGITS:
        access = Access.GRADIENTS if all(isinstance(model, nn.Module) for model in models.values()) else access
    source = AtHand(models, seeds, len(named), taken)
    judged, notes = (VICTIM, *unrelated, *hard), tuple(_told(models, taken))
    return Benchmark("models at hand", named, tuple(pairs), judged, source, access, suspects=tuple(suspects), notes=notes)


def _told(models: Mapping[str, Model], taken: Mapping[str, Access]) -> Iterator[str]:
    """What the answers of functions were taken as, a sentence for each kind of answer."""
    for what in sorted({*taken.values()}):
        names = [name for name, own in taken.items() if own is what and not isinstance(models[name], nn.Module)]
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield f"Taken as {what}: the answers of {', '.join(names[:SHOWN])}{more}."


def _seed_set(pixels: Tensor | np.ndarray, truth: Tensor | np.ndarray) -> Images:
    """Images as eight bits, as every query is that is sent to somebody else."""
    try:
        x, y = torch.as_tensor(pixels), torch.as_tensor(truth)
    except (TypeError, ValueError, RuntimeError) as error:
        raise QurdError(f"Expected images (n,3,H,W) and their classes (n,) as whole numbers. {error}.") from None
    if x.ndim != 4 or x.shape[1] != 3 or not len(x) or y.shape != (len(x),) or y.is_floating_point() or int(y.min()) < 0:
        raise QurdError(
            "Expected images (n,3,H,W) and their classes (n,) as whole numbers from 0. Got"
            f" {tuple(x.shape)} and {y.dtype} {tuple(y.shape)}."
        )
    if x.dtype != torch.uint8:
        if not bool(((x >= 0) & (x <= 1)).all()):
            raise QurdError(f"Expected images from 0 to 1, or bytes. Got {float(x.min()):.3g} to {float(x.max()):.3g}.")
        x = (x.float() * 255).round().to(torch.uint8)
    return Images(x.contiguous(), y.long())


def _access(model: Model, name: str, seeds: Images, classes: int) -> Access:
    """What a model answers: a network logits, a function what it returns on a few images."""
    if isinstance(model, nn.Module):
        return Access.LOGITS
    few = seeds.pixels[:_TRIED].float() / 255
    return _answers(model(few), len(few), classes, name)[1]


def _answers(answers: Any, n: int, classes: int, name: str) -> tuple[Tensor, Access]:
    """Answers of one batch as they came, and what they look like: labels (n,), probits or logits (n,C)."""
    try:
        found = torch.as_tensor(answers).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        raise QurdError(f"Expected labels (n,) or numbers (n,C) from '{name}'. Got a {type(answers).__name__}.") from None
    if found.shape == (n,) and not found.is_floating_point() and found.dtype != torch.bool:
        if bool(((found < 0) | (found >= classes)).any()):
            raise QurdError(
                f"Expected labels from 0 to {classes - 1} from '{name}'. Got {int(found.min())} to {int(found.max())}."
            )
        return found.long(), Access.LABELS
    if found.shape != (n, classes) or not found.is_floating_point():
        raise QurdError(
            f"Expected labels ({n},) as whole numbers, or ({n},{classes}) probits or logits, from '{name}'. Got"
            f" {found.dtype} {tuple(found.shape)}."
        )
    found = found.float()
    sound = bool(((found >= 0) & (found <= 1)).all()) and bool(((found.sum(1) - 1).abs() <= OFF).all())
    return found, Access.PROBITS if sound else Access.LOGITS


def _logits(answers: Tensor, classes: int, taken: Access) -> Tensor:
    """(n,C) answers as logits of which the label is the largest."""
    if taken is Access.LABELS:
        return F.one_hot(answers, classes).float()
    return answers.clamp_min(FLOOR).log() if taken is Access.PROBITS else answers
