"""Obfuscation of leaked weights by removing some and training the rest to recover."""

from collections.abc import Callable
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from qurd_core.benchmarks.zoo.architectures import Normalised
from qurd_core.benchmarks.zoo.supplies import Supplies
from qurd_core.benchmarks.zoo.training import cross_entropy, fit
from qurd_core.registry import Range, thefts
from qurd_core.types import Images

RECOVERY_EPOCHS, RECOVERY_RATE = 3, 1e-3
PROBE = 512  # images on which the activity of channels is measured


@thefts.register(reads="weights")
def prune(
    victim: Normalised,
    supplies: Supplies,
    *,
    ratio: Annotated[float, Range(0, 0.99)],
    region: Literal["victim", "train", "theirs"] = "victim",
    seed: int = 0,
) -> Normalised:
    """Zero the smallest weights of every convolution but depthwise ones, and recover (after Li et al. 2021).

    Per layer: one threshold for the whole network leaves small MobileNets as constants.
    """

    def smallest(layer: nn.Conv2d) -> Tensor:
        magnitudes = layer.weight.detach().abs()
        rank = magnitudes.flatten().argsort(stable=True).argsort().view_as(magnitudes)
        return (rank >= int(ratio * magnitudes.numel())).float()

    masks = {layer.weight: smallest(layer) for layer in _convolutions(victim) if layer.groups == 1}
    return _recover(victim, supplies.labelled(region), supplies.stream(), masks)


@thefts.register(reads="weights")
def fine_prune(
    victim: Normalised,
    supplies: Supplies,
    *,
    share: Annotated[float, Range(0, 0.99)],
    region: Literal["attacker", "theirs", "train"] = "attacker",
    seed: int = 0,
) -> Normalised:
    """Remove the least active channels of every convolution and recover (Liu, Dolan-Gavitt, Garg 2018)."""
    patches, rng = supplies.labelled(region), supplies.stream()
    probe = patches.pixels[torch.randperm(len(patches), generator=rng)[:PROBE]].float() / 255
    masks = {}
    for layer, activity in _activity(victim, probe).items():
        dormant = activity.argsort(stable=True)[: int(share * len(activity))]
        masks[layer.weight] = torch.ones_like(layer.weight)
        masks[layer.weight][dormant] = 0
    return _recover(victim, patches, rng, masks)


@thefts.register(reads="weights")
def filter_prune(
    victim: Normalised,
    supplies: Supplies,
    *,
    share: Annotated[float, Range(0, 0.99)],
    region: Literal["attacker", "theirs", "train"] = "attacker",
    seed: int = 0,
) -> Normalised:
    """Remove the filters of smallest L1 norm of every convolution but depthwise ones, and recover (Li et al. 2017).

    What remains of a filter gives zeros: its bias and its channel of the normalisation behind it are removed, too.
    """
    masks = {}
    for layer, behind in _normalised(victim):
        smallest = layer.weight.detach().abs().flatten(1).sum(1).argsort(stable=True)[: int(share * layer.out_channels)]
        kept = torch.ones(layer.out_channels).index_fill(0, smallest, 0)
        masks[layer.weight] = kept.view(-1, 1, 1, 1).expand_as(layer.weight)
        channels = [layer.bias] + ([behind.weight, behind.bias] if behind else [])
        masks |= {parameter: kept for parameter in channels if parameter is not None}
    return _recover(victim, supplies.labelled(region), supplies.stream(), masks)


def _normalised(model: nn.Module) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Every convolution but depthwise ones, with the normalisation of its outputs alone, where there is one."""
    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.BatchNorm2d)]
    found = []
    for layer, behind in zip(layers, [*layers[1:], None], strict=True):
        if isinstance(layer, nn.Conv2d) and layer.groups == 1:
            own = isinstance(behind, nn.BatchNorm2d) and behind.num_features == layer.out_channels
            found.append((layer, behind if own else None))
    return found


def _convolutions(model: nn.Module) -> list[nn.Conv2d]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d)]


@torch.no_grad()
def _activity(model: nn.Module, images: Tensor) -> dict[nn.Conv2d, Tensor]:
    """Mean absolute output of every channel of every convolution."""
    found: dict[nn.Conv2d, Tensor] = {}

    def note(layer: nn.Conv2d, _: object, output: Tensor) -> None:
        found[layer] = output.abs().mean((0, 2, 3))

    hooks = [layer.register_forward_hook(note) for layer in _convolutions(model)]
    model.eval()(images)
    for hook in hooks:
        hook.remove()
    return found


def _recover(model: Normalised, patches: Images, rng: torch.Generator, masks: dict[nn.Parameter, Tensor]) -> Normalised:
    """Train on while every masked weight stays exactly zero (masking gradients alone lets momentum revive them)."""
    hold = _holder(masks)
    hold()
    loss = cross_entropy(patches.truth)
    return fit(model, patches.pixels, loss, rng, epochs=RECOVERY_EPOCHS, rate=RECOVERY_RATE, after_step=hold)


def _holder(masks: dict[nn.Parameter, Tensor]) -> Callable[[], None]:
    @torch.no_grad()
    def hold() -> None:
        for parameter, mask in masks.items():
            parameter.mul_(mask)

    return hold
