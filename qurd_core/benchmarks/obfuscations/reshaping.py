"""Answers with other numbers in them: sharper or flatter, misleading, or wrong where the model is unsure."""

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.randomness import stream
from qurd_core.registry import Range, obfuscations

SMALLEST = 1e-12  # probit of which a log-odds is taken


@obfuscations.register(
    changes="answers",
    access=Access.PROBITS,
    source="common",
    keeps_label=True,
    null={"degree": 1.0},
    said="temperature {degree:g}",
)
def temperature(probits: Tensor, *, degree: Annotated[float, Range(0.05, 100)] = 4.0) -> Tensor:
    """Divide the logits by a number: above 1 answers become flatter, below 1 sharper."""
    return (probits.log() / degree).softmax(-1)


@obfuscations.register(
    changes="answers",
    access=Access.PROBITS,
    source="Lee, Edwards, Molloy, Su 2019",
    null={"beta": 0.0},
    said="reverse sigmoid, beta {beta:g}, gamma {gamma:g}",
)
def reverse_sigmoid(
    probits: Tensor, *, beta: Annotated[float, Range(0, 1)] = 0.21, gamma: Annotated[float, Range(0, 1)] = 0.2
) -> Tensor:
    """Take from sure answers and give to unlikely ones, y - beta (sigmoid(gamma logit y) - 1/2), over the sum.

    The defaults are Tang et al.'s for 10 classes; 2/C is about theirs for others. A beta near 1 may change labels.
    """
    within = probits.clamp(SMALLEST, 1 - SMALLEST)
    moved = within - beta * ((gamma * within.logit()).sigmoid() - 0.5)
    return moved / moved.sum(-1, keepdim=True)


@obfuscations.register(
    changes="answers",
    access=Access.PROBITS,
    source="Kariyappa, Qureshi 2020",
    null={"tau": 0.0},
    reconstruction="The paper asks a second network, trained to be wrong, and trains the model to be unsure of other images;"
    " here one fixed wrong answer per class stands in, and the model is as it was.",
    said="adaptive misinformation, tau {tau:g}",
)
def adaptive_misinformation(
    probits: Tensor, *, tau: Annotated[float, Range(0, 1)] = 0.7, nu: Annotated[float, Range(1, 100_000)] = 1000.0
) -> Tensor:
    """Answer wrongly where the largest probit is below tau: (1-a) y + a wrong, with a = sigmoid(nu (tau - max y)).

    The defaults are Tang et al.'s for 10 classes; they take a tau of 0.4, 0.3 and 0.25 for 100, 200 and 256.
    """
    share = (nu * (tau - probits.amax(-1, keepdim=True))).sigmoid()
    return (1 - share) * probits + share * _wrong(probits.shape[-1])[probits.argmax(-1)]


def _wrong(classes: int) -> Tensor:
    """(C,C) for every class the answer that stands for not this one: the complement of a noisy one-hot, over its sum."""
    noise = torch.rand(classes, classes, generator=stream(0, "misinformation", classes), dtype=torch.float64)
    wrong = noise * (1 - torch.eye(classes, dtype=torch.float64))
    return F.normalize(wrong, p=1, dim=-1)
