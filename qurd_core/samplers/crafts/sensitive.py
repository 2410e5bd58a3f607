"""Images whose answers move most when a weight moves: sensitive samples (He, Zhang, Lee 2019)."""

from typing import Annotated

import torch
from torch import Tensor, nn

from qurd_core.errors import QurdError
from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.samplers.crafts.boundary import adam
from qurd_core.samplers.crafts.inside import affine_layers, listening
from qurd_core.types import Queries

START = 1 / 255  # noise at the start, so that other generators make other queries


@crafts.register(drops={"aim"}, story="adversarial", swept=False)
def sensitive(
    seeds: Queries,
    victim: Oracle,
    rng: torch.Generator,
    *,
    eps: Annotated[float, Range(0, 1)] = 10 / 255,
    steps: Annotated[int, Range(1, 10_000)] = 100,
    lr: Annotated[float, Range(1e-6, 1)] = 0.01,
    bag: Annotated[int, Range(1, 64)] = 4,
) -> Queries:
    """Make seeds sensitive to the victim's last weights, and keep of every `bag` one: those that most units answer to.

    Sensitivity is the squared length of the gradient of all log-probabilities together with respect to the last weights. The
    kept ones of a call are in the order in which the greedy choice (`cover`) takes them.

    Args:
        eps: root mean square of the change of an image at most.
    """
    head = last_layer(victim.module)
    origin = seeds.x.to(victim.device)
    x = (origin + START * (2 * torch.rand(seeds.x.shape, generator=rng).to(origin) - 1)).clamp(0, 1)
    radius = eps * origin[0].numel() ** 0.5
    mean, square = torch.zeros_like(x), torch.zeros_like(x)
    seen: list[Tensor] = []
    with listening(head, seen.append):
        for step in range(1, steps + 1):
            seen.clear()
            gradient, _ = victim.gradient(lambda logits: of_log_probits(logits, seen[-1]).sum(), x)
            x, mean, square = adam(x, mean, square, -gradient, step, lr)
            x = origin + (x - origin).renorm(2, 0, radius)
        seen.clear()
        found = x.clamp(0, 1).cpu()
        logits = victim.logits(found)
    features = torch.cat(seen).cpu()
    order = cover(features > features.mean(0), of_log_probits(logits, features), max(1, len(found) // bag))
    spent = torch.full_like(order, len(found) * steps // len(order))
    spent[-1] += len(found) * steps - int(spent.sum())
    truth = None if seeds.truth is None else seeds.truth[order]
    return Queries(found[order], seeds.group[: len(order)], seeds.seed[order], truth, {"gradients": spent})


def last_layer(module: nn.Module) -> nn.Linear:
    """The linear layer that gives the logits.

    Raises:
        QurdError: the model ends otherwise.
    """
    last = affine_layers(module)[-1]
    if not isinstance(last, nn.Linear):
        raise QurdError(f"Expected a victim whose last layer is linear. Got {type(last).__name__}: use another craft.")
    return last


def of_logits(logits: Tensor, features: Tensor) -> Tensor:
    """(n,) squared length of the derivative of all logits by the last weights: C |phi|^2, which only sees the features."""
    return logits.shape[1] * features.square().sum(1)


def of_probits(logits: Tensor, features: Tensor) -> Tensor:
    """(n,) the same of all probabilities, |diag(p) - p p'|^2 |phi|^2: 0 where an answer is certain."""
    p = logits.softmax(1)
    return (torch.diag_embed(p) - p[:, :, None] * p[:, None]).square().sum((1, 2)) * features.square().sum(1)


def of_log_probits(logits: Tensor, features: Tensor) -> Tensor:
    """(n,) the same of the sum of all log-probabilities, |1 - C p|^2 |phi|^2: what the authors' code maximises."""
    return (1 - logits.shape[1] * logits.softmax(1)).square().sum(1) * features.square().sum(1)


def cover(active: Tensor, sensitivity: Tensor, n: int) -> Tensor:
    """The n candidates that together activate most units, taken one by one, of equals the most sensitive (MANC).

    The authors count a unit of a hidden layer as active where it is positive; behind average pooling all are, so here it is
    where it exceeds its mean over the candidates.

    Args:
        active: (candidates,units) bool.
        sensitivity: (candidates,).
    """
    order = sensitivity.argsort(descending=True, stable=True)
    rows, covered, chosen = active[order].float(), torch.zeros(active.shape[1]), []
    left = torch.ones(len(order), dtype=torch.bool)
    for _ in range(n):
        gain = (rows * (1 - covered)).sum(1).masked_fill(~left, -1)
        best = int(gain.argmax())
        left[best] = False
        covered = torch.maximum(covered, rows[best])
        chosen.append(best)
    return order[chosen]
