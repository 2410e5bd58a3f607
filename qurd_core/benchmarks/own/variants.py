"""What a network has otherwise than its constructor makes it: arguments of timm, a stem for small images, another head, and
other names in its file. Each is a choice out of a list; nothing that a file says is run.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from qurd_core.errors import QurdError, unknown, visible

CONSTRUCTED = ("arguments", "stem", "head")  # what a network is made by
KEYS = (*CONSTRUCTED, "rename")
ARGUMENTS: dict[str, tuple[float, float] | None] = {  # of timm's constructors; None for a word, else from and to
    "global_pool": None,
    "img_size": (1, 1024),
    "patch_size": (1, 128),
    "window_size": (1, 128),
    "drop_rate": (0, 1),
    "drop_path_rate": (0, 1),
}
POOLS = ("avg", "max", "avgmax", "catavgmax", "fast", "token", "map", "")
STEMS = ("cifar",)
LAYERS: dict[str, Callable[[int], nn.Module]] = {
    "relu": lambda width: nn.ReLU(),
    "gelu": lambda width: nn.GELU(),
    "tanh": lambda width: nn.Tanh(),
    "dropout": lambda width: nn.Dropout(),
    "batchnorm": nn.BatchNorm1d,
}
MOST, WIDEST, LONGEST = 12, 16_384, 200  # layers of a head, outputs of one, characters of a name's beginning


@dataclass(frozen=True)
class Variant:
    """What the manifest says of a network beside its architecture.

    Attributes:
        arguments: of timm's constructor.
        stem: `"cifar"`: a convolution of 3x3 with stride 1 and no pooling before the first block (torchvision's ResNets).
        head: layers in place of the last linear one, such as `linear(256)`, `relu`, `linear`.
        rename: beginnings of names in the file of weights, and what stands there in the network.
    """

    arguments: tuple[tuple[str, Any], ...] = ()
    stem: str | None = None
    head: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()

    @property
    def about(self) -> list[Any]:
        """The same as JSON values; empty where nothing is said."""
        every = [list(map(list, self.arguments)), self.stem, list(self.head), list(map(list, self.rename))]
        return every if any(every) else []

    def of(self, network: nn.Module, classes: int, architecture: str) -> nn.Module:
        """A network of torchvision, timm or ours with this stem and this head.

        Raises:
            QurdError: it has no such part.
        """
        if self.stem:
            _small_images(network, architecture)
        if self.head:
            _with_head(network, classes, self.head, architecture)
        return network

    def renamed(self, name: str) -> str:
        """What a tensor of the file is called in the network."""
        for theirs, ours in self.rename:
            if name.startswith(theirs):
                name = ours + name.removeprefix(theirs)
        return name


def variant(model: Mapping[str, Any]) -> Variant:
    """What an entry of the manifest says, after `variant_faults` has looked at it."""
    return Variant(
        tuple(sorted(model.get("arguments", {}).items())),
        model.get("stem"),
        tuple(model.get("head", ())),
        tuple(model.get("rename", {}).items()),
    )


def _small_images(network: nn.Module, architecture: str) -> None:
    from torchvision.models import ResNet

    if not isinstance(network, ResNet):
        raise QurdError(
            f"Expected a ResNet of torchvision where 'stem' is {STEMS[0]}. Got {architecture}: leave 'stem' out."
        )
    network.conv1 = nn.Conv2d(3, network.conv1.out_channels, 3, stride=1, padding=1, bias=False)
    network.maxpool = nn.Identity()


def _with_head(network: nn.Module, classes: int, head: tuple[str, ...], architecture: str) -> None:
    last = [name for name, one in network.named_modules() if isinstance(one, nn.Linear) and one.out_features == classes]
    if not last:
        raise QurdError(f"Expected a last linear layer that 'head' replaces. {architecture} has none: leave 'head' out.")
    home, _, name = last[-1].rpartition(".")
    width, layers = network.get_submodule(last[-1]).in_features, []
    for layer in head:
        kind, _, number = layer.rstrip(")").partition("(")
        if kind == "linear":
            layers.append(nn.Linear(width, int(number or classes)))
            width = int(number or classes)
        else:
            layers.append(LAYERS[kind](width))
    setattr(network.get_submodule(home), name, nn.Sequential(*layers))


def variant_faults(model: Mapping[str, Any], what: str) -> Iterator[str]:
    """What is wrong with these keys of an entry, a sentence each."""
    if "arguments" in model:
        yield from _argument_faults(model["arguments"], str(model.get("architecture")), what)
    if "stem" in model and model["stem"] not in STEMS:
        yield f"Expected 'stem' of {what} as {' or '.join(STEMS)}. Got {str(model['stem'])[:60]!r}."
    if "head" in model:
        yield from _head_faults(model["head"], what)
    rename = model.get("rename", {})
    texts = [*rename, *rename.values()] if isinstance(rename, dict) else [None]
    if not all(isinstance(text, str) and len(text) <= LONGEST for text in texts) or "" in rename:
        yield f'Expected \'rename\' of {what} as beginnings of names with what replaces them, as in {{"module.": ""}}.'


def _argument_faults(given: Any, architecture: str, what: str) -> Iterator[str]:
    if not isinstance(given, dict) or not architecture.startswith("timm/"):
        yield f"Expected 'arguments' of {what} as names with values, for an architecture of timm. Got {str(given)[:60]!r}."
        return
    for name, value in given.items():
        if name not in ARGUMENTS:
            yield f"{unknown('argument', str(name), ARGUMENTS)} (In {what}.)"
            continue
        limits = ARGUMENTS[name]
        whole = name.endswith("_size")
        if limits is None and (not isinstance(value, str) or value not in POOLS):
            yield f"Expected '{name}' of {what} as one of {', '.join(filter(None, POOLS))}. Got {str(value)[:60]!r}."
        elif limits and (type(value) not in ((int,) if whole else (int, float)) or not limits[0] <= value <= limits[1]):
            yield f"Expected '{name}' of {what} from {limits[0]} to {limits[1]}. Got {str(value)[:60]!r}."


def _head_faults(head: Any, what: str) -> Iterator[str]:
    names = ", ".join(["linear", "linear(256)", *LAYERS])
    if not isinstance(head, list) or not 1 <= len(head) <= MOST or head[-1] != "linear":
        yield f"Expected 'head' of {what} as 1 to {MOST} layers out of {names}, the last of them linear."
        return
    for layer in head:
        kind, bracket, number = str(layer).partition("(")
        sized = bracket and number.endswith(")") and number[:-1].isdecimal() and 1 <= int(number[:-1][:9]) <= WIDEST
        if not (kind == "linear" and sized) and layer not in ("linear", *LAYERS):
            yield f"Expected a layer out of {names} in 'head' of {what}. Got '{visible(str(layer)[:60])}'."
