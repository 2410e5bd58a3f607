"""One loop that trains every model: AdamW under a one-cycle rate, random flips, everything drawn from one generator."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

BATCH = 64

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits (b,C) and positions (b,) of the images in the training set, to a scalar."""


def fit(
    model: nn.Module,
    pixels: Tensor,
    loss: Loss,
    rng: torch.Generator,
    *,
    epochs: int,
    rate: float,
    perturb: Callable[[Tensor, Tensor], Tensor] | None = None,
    after_step: Callable[[], None] | None = None,
) -> nn.Module:
    """Train the parameters that require gradients, in place, and return the model in evaluation mode.

    Args:
        pixels: (n,3,H,W) uint8.
        loss: what to minimise; it is given the positions, so that the targets stay with the caller.
        rng: decides order and flips.
        epochs: passes over the images.
        rate: the largest learning rate.
        perturb: images (b,3,H,W) and positions to further images trained on beside them (adversarial training).
        after_step: called after every step, to keep pruned weights at zero.
    """
    model.train().to(memory_format=torch.channels_last)
    images = (pixels.float() / 255).to(memory_format=torch.channels_last)
    steps = epochs * -(-len(images) // BATCH)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    for _ in range(epochs):
        for index in torch.randperm(len(images), generator=rng).split(BATCH):
            batch = images[index]
            mirrored = torch.rand(len(index), 1, 1, 1, generator=rng) < 0.5
            batch = torch.where(mirrored, batch.flip(3), batch)
            total = loss(model(batch), index)
            if perturb:
                total = total + loss(model(perturb(batch, index)), index)
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            optimiser.step()
            schedule.step()
            if after_step:
                after_step()
    return model.eval()


def cross_entropy(targets: Tensor) -> Loss:
    """The loss against one class (n,) or one distribution (n,C) per image."""
    return lambda logits, index: nn.functional.cross_entropy(logits, targets[index])
