"""Small networks for 32-pixel images, built from torchvision's parts. The model owns its normalisation.

Torchvision is imported where a network is built: it takes as long to import as torch, and reading stored scores needs none.
"""

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from qurd_core.errors import unknown

MEAN, STD = 0.45, 0.25  # of every channel

Architecture = Literal["vgg", "res", "dense", "mb"]
ARCHITECTURES = get_args(Architecture)


class Normalised(nn.Module):
    """A network behind its normalisation: images in [0,1] in, logits out."""

    def __init__(self, network: nn.Module, architecture: str, classes: int):
        super().__init__()
        self.network, self.architecture, self.classes = network, architecture, classes

    def forward(self, x: Tensor) -> Tensor:
        return self.network((x - MEAN) / STD)


def vgg(classes: int) -> nn.Module:
    """VGG with batch normalisation, four stages."""
    from torchvision.models.vgg import make_layers

    features = make_layers([12, "M", 24, "M", 32, "M", 48, "M"], batch_norm=True)
    head = nn.Sequential(nn.Linear(48, 48), nn.ReLU(inplace=True), nn.Linear(48, classes))
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def res(classes: int) -> nn.Module:
    """ResNet with one basic block in each of three stages; torchvision's own class starts at 64 channels."""
    from torchvision.models.resnet import BasicBlock

    stem = [nn.Conv2d(3, 12, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(inplace=True)]
    blocks, width = [], 12
    for out, stride in ((12, 1), (24, 2), (48, 2)):
        change = stride != 1 or width != out
        shortcut = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if change else None
        blocks.append(BasicBlock(width, out, stride, shortcut))
        width = out
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def dense(classes: int) -> nn.Module:
    """DenseNet with three blocks of three layers."""
    from torchvision.models.densenet import DenseNet

    return DenseNet(growth_rate=8, block_config=(3, 3, 3), num_init_features=16, bn_size=2, num_classes=classes)


def mb(classes: int) -> nn.Module:
    """MobileNetV2 with a narrow head; torchvision's own head has at least 1280 channels."""
    from torchvision.models.mobilenetv2 import Conv2dNormActivation, MobileNetV2

    settings = [[1, 16, 1, 1], [3, 48, 2, 2], [3, 80, 2, 2], [3, 96, 1, 2]]
    network = MobileNetV2(classes, width_mult=0.4, inverted_residual_setting=settings, round_nearest=4)
    narrow = network.features[-1][0].in_channels
    network.features[-1] = Conv2dNormActivation(narrow, 128, kernel_size=1, activation_layer=nn.ReLU6)
    network.classifier = nn.Linear(128, classes)
    return network


_CONSTRUCTORS: dict[str, Callable[[int], nn.Module]] = {"vgg": vgg, "res": res, "dense": dense, "mb": mb}


def empty(architecture: str, classes: int) -> Normalised:
    """The network without weights (on the meta device), ready for a state dict."""
    if architecture not in _CONSTRUCTORS:
        raise unknown("architecture", architecture, _CONSTRUCTORS)
    with torch.device("meta"):
        return Normalised(_CONSTRUCTORS[architecture](classes), architecture, classes)


def initialised(architecture: str, classes: int, rng: torch.Generator) -> Normalised:
    """The network with fresh weights drawn from `rng` alone (torch's own constructors draw from the global generator)."""
    model = empty(architecture, classes).to_empty(device="cpu")
    for module in model.modules():
        initialise(module, rng)
    return model


def initialise(module: nn.Module, rng: torch.Generator) -> None:
    """Fresh weights for one layer: He's normal for convolutions, torch's default range for linear layers."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=rng)
    elif isinstance(module, nn.Linear):
        bound = module.in_features**-0.5
        nn.init.uniform_(module.weight, -bound, bound, generator=rng)
        nn.init.uniform_(module.bias, -bound, bound, generator=rng)
    elif isinstance(module, nn.BatchNorm2d):
        module.reset_parameters()
    if isinstance(module, nn.Conv2d) and module.bias is not None:
        nn.init.zeros_(module.bias)


def head_of(model: Normalised) -> tuple[str, nn.Linear]:
    """The last layer and its name."""
    return [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear)][-1]


def replace_head(model: Normalised, classes: int, rng: torch.Generator) -> None:
    """Give the model a fresh last layer for another number of classes."""
    name, old = head_of(model)
    head = nn.Linear(old.in_features, classes, device="meta").to_empty(device="cpu")
    initialise(head, rng)
    model.set_submodule(name, head)
    model.classes = classes
