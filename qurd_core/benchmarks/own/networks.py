"""The architectures that foreign weights may be loaded into: constructors of torchvision and timm, the dropout variants of
ModelReuse, and Patchwork's small ones. A name is looked up in a list; nothing that a file says is ever imported or run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qurd_core.benchmarks.own.variants import Variant
from qurd_core.benchmarks.own.weights import check_fit, load_into
from qurd_core.benchmarks.zoo import architectures
from qurd_core.errors import SHOWN, QurdError

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
NORMALISATIONS = {
    "mean 0 and std 1": ((0.0,) * 3, (1.0,) * 3),
    "the mean and std of ImageNet": (MEAN, STD),
    "mean 0.5 and std 0.5": ((0.5,) * 3, (0.5,) * 3),
    "pixels from 0 to 255 (mean 0, std 1/255)": ((0.0,) * 3, (1 / 255,) * 3),
}
FAMILIES = {  # what stands before the slash, and whose constructors these are
    "": "torchvision's",
    "timm": "timm's",
    "modelreuse": "those of ModelReuse",
    "patchwork": "Patchwork's",
}
LARGEST, SMALLEST = 1e6, 1e-6  # of a mean or standard deviation; float32 holds what becomes of the pixels
CLOSE = 3  # architectures that are offered in place of one that is unknown
PLAIN = Variant()
_MOBILENET_STAGES = (4, 3, 4, 6, 2)  # blocks of torchvision's features in each stage of ModelReuse's


@dataclass(frozen=True)
class Preparation:
    """What a network does to an image in [0,1] before anything else.

    Attributes:
        mean, std: of the three channels.
        side: the image is scaled to so many pixels; None to take it as it is.
    """

    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    side: int | None = None

    def __str__(self) -> str:
        return f"mean={self.mean} std={self.std} side={self.side}"


def three_numbers(values: object) -> bool:
    """Whether what a file says is one number per channel, none of them so large that nothing is left of the pixels."""
    if not isinstance(values, list) or len(values) != 3:
        return False
    return all(type(value) in (int, float) and abs(value) <= LARGEST for value in values)


class Prepared(nn.Module):
    """A network behind its preparation: images in [0,1] in, logits out.

    Args:
        columns: the output of the network that stands for each class of the benchmark; as they come if not given.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, preparation: Preparation, columns: Sequence[int] | None = None):
        super().__init__()
        self.network, self.side, self.columns = network, preparation.side, columns
        self.register_buffer("mean", torch.tensor(preparation.mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(preparation.std).view(3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        asked = tuple(x.shape[1:])
        if self.side and asked[1:] != (self.side, self.side):
            x = F.interpolate(x, (self.side, self.side), mode="bilinear", antialias=True)
        try:
            answers = self.network((x - self.mean) / self.std)
            return answers if self.columns is None else answers[:, [*self.columns]]
        except (torch.OutOfMemoryError, QurdError):
            raise
        except _REFUSALS as error:
            why = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise QurdError(
                f"The network cannot answer images of {asked}: {why.rstrip('.')}. Give another 'side'."
            ) from None


_REFUSALS = (RuntimeError, AssertionError, ValueError, TypeError, IndexError)  # of a size that a network does not take


def loaded(architecture: str, classes: int, path: Path, variant: Variant = PLAIN) -> nn.Module:
    """The network with the weights of a file, for which memory is taken once the file is known to hold them.

    Args:
        architecture: `resnet18` is torchvision's, `timm/resnet18` timm's; see `FAMILIES`.

    Raises:
        QurdError: it is unknown, or the file holds other weights.
    """
    check_fit(blank(architecture, classes, variant), path, architecture, variant.renamed)
    return load_into(empty(architecture, classes, variant), path, architecture, variant.renamed)


def blank(architecture: str, classes: int, variant: Variant = PLAIN) -> nn.Module:
    """The same without memory (on the meta device): what names and shapes a file of its weights has."""
    with torch.device("meta"):
        return empty(architecture, classes, variant)


def empty(architecture: str, classes: int, variant: Variant = PLAIN) -> nn.Module:
    """A network that waits for a state dict; some of timm hold what is in none, so these are built with their memory."""
    family, name = check(architecture)
    if family == "timm":
        return _filled(lambda: variant.of(_timm(name, classes, **dict(variant.arguments)), classes, architecture))
    made = {"modelreuse": _modelreuse, "patchwork": _patchwork, "": _torchvision}[family]
    return _unfilled(lambda: variant.of(made(name, classes), classes, architecture))


def check(architecture: str) -> tuple[str, str]:
    """Family and name of an architecture.

    Raises:
        QurdError: it is none of the allowed ones.
    """
    family, _, name = architecture.rpartition("/")
    # A list, which refuses timm's 'hf-hub:' and 'local-dir:', that would follow what a file says.
    if family not in FAMILIES or name not in _names(family):
        raise _unknown(architecture)
    return family, name


def _unknown(architecture: str) -> QurdError:
    """The error for an architecture that is in no list: three names that are near, not the two thousand that there are."""
    family, _, name = architecture.rpartition("/")
    name = name[:SHOWN]
    homes: dict[str, list[str]] = {}
    for prefix in FAMILIES:
        for one in _names(prefix):
            homes.setdefault(one, []).append(_full(prefix, one))
    near = [homes[one][0] for one in get_close_matches(name, homes, n=CLOSE)]
    own = get_close_matches(name, _names(family), n=1) if family in FAMILIES else []  # of those that were asked for
    meant = [f"'{one}'" for one in dict.fromkeys([*homes.get(name, ()), *(_full(family, one) for one in own), *near])]
    hint = f" Did you mean {', '.join(meant[:-1])}{' or ' * (len(meant) > 1)}{meant[-1]}?" if meant else ""
    families = ", ".join(f"{prefix}/NAME for {of}" if prefix else f"NAME for {of}" for prefix, of in FAMILIES.items())
    return QurdError(f"Unknown architecture '{architecture[:SHOWN]}'.{hint} Write {families}.")


def _full(family: str, name: str) -> str:
    return f"{family}/{name}" if family else name


@cache
def _names(family: str) -> tuple[str, ...]:
    if family == "timm":
        import timm

        return tuple(timm.list_models())
    if family == "patchwork":
        return architectures.ARCHITECTURES
    if family == "modelreuse":
        return ("mbnetv2", "resnet18")
    from torchvision import models

    return tuple(models.list_models(module=models))


def _torchvision(name: str, classes: int) -> nn.Module:
    from torchvision import models

    quiet = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return models.get_model(name, weights=None, num_classes=classes, **quiet)


def _timm(name: str, classes: int, **arguments: Any) -> nn.Module:
    import timm

    return timm.create_model(name, pretrained=False, num_classes=classes, **arguments)


def _modelreuse(name: str, classes: int) -> nn.Module:
    """Li et al.'s variants with dropout between the stages, which has no weights and does nothing when a model answers."""
    from torchvision import models

    if name == "resnet18":
        return models.resnet18(num_classes=classes)
    return StagedMobileNet(models.mobilenet_v2(num_classes=classes))


def _patchwork(name: str, classes: int) -> nn.Module:
    return architectures.empty(name, classes).network


class StagedMobileNet(nn.Module):
    """MobileNetV2 with its blocks in five stages, as ModelReuse's state dicts name them."""

    def __init__(self, network: Any):
        super().__init__()
        blocks = iter(network.features)
        for number, size in enumerate(_MOBILENET_STAGES, 1):
            setattr(self, f"layer{number}", nn.Sequential(*(next(blocks) for _ in range(size))))
        self.classifier = network.classifier

    def forward(self, x: Tensor) -> Tensor:
        for number in range(1, len(_MOBILENET_STAGES) + 1):
            x = getattr(self, f"layer{number}")(x)
        return self.classifier(x.mean((2, 3)))


def _unfilled(make: Callable[[], nn.Module]) -> nn.Module:
    """Built without memory; every tensor comes out of the state dict."""
    with torch.device("meta"):
        return make()


def _filled(make: Callable[[], nn.Module]) -> nn.Module:
    """Built with its initial values: timm keeps some tensors out of the state dict. The global generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        try:
            return make()
        except QurdError:
            raise
        except (RuntimeError, TypeError, ValueError, AssertionError, KeyError, AttributeError, ZeroDivisionError) as error:
            raise QurdError(
                f"Cannot build the network: {str(error).rstrip('.')[:200]}. Are its 'arguments' right?"
            ) from None
