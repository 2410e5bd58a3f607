"""Obfuscation of leaked weights by storing them in fewer bits. Weight-only: computed in fp32."""

from typing import Literal

import torch
from torch import Tensor, nn

from qurd_core.benchmarks.zoo.architectures import Normalised
from qurd_core.benchmarks.zoo.supplies import Supplies
from qurd_core.registry import thefts


@thefts.register(reads="weights", derived=True)
@torch.no_grad()
def quantize(victim: Normalised, supplies: Supplies, *, dtype: Literal["float16", "qint8", "int4"]) -> Normalised:
    """Round all weights to half precision, or those of convolutions and linear layers to 8 or 4 bits per output channel."""
    if dtype == "float16":
        for parameter in victim.parameters():
            parameter.copy_(parameter.half().float())
    else:
        for module in victim.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.copy_(_integer(module.weight, bits=8 if dtype == "qint8" else 4))
    return victim


def _integer(weight: Tensor, bits: int) -> Tensor:
    """Symmetric rounding to whole numbers of so many bits, with one scale per output channel."""
    largest = 2 ** (bits - 1) - 1
    scale = weight.abs().flatten(1).amax(1).clamp_min(1e-12) / largest
    scale = scale.view(-1, *[1] * (weight.ndim - 1))
    return (weight / scale).round().clamp(-largest, largest) * scale
