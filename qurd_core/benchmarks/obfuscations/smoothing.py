"""Randomised smoothing: the model answers noisy copies of an image, and something of all these answers is sent."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Annotated

import torch
from scipy.stats import binomtest
from torch import Tensor
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.randomness import stream
from qurd_core.registry import Range, obfuscations

Ask = Callable[[Tensor], Tensor]
Deviation = Annotated[float, Range(0, 1)]
Copies = Annotated[int, Range(1, 10_000)]


@obfuscations.register(
    changes="model",
    access=Access.LOGITS,
    source="Maho, Furon, Le Merrer 2023",
    null={"sd": 0.0},
    said="mean of {copies} noisy copies, s.d. {sd:g}",
)
def smooth_mean(ask: Ask, images: Tensor, *, sd: Deviation = 0.04, copies: Copies = 100) -> Tensor:
    """The mean of the logits over copies of the image with Gaussian noise."""
    return torch.stack([answers.mean(0) for answers in _asked(ask, images, sd, copies)])


@obfuscations.register(
    changes="model",
    access=Access.LABELS,
    source="Cohen, Rosenfeld, Kolter 2019",
    said="vote of {copies} noisy copies, s.d. {sd:g}",
)
def smooth_vote(
    ask: Ask, images: Tensor, *, sd: Deviation = 0.12, copies: Copies = 100, alpha: Annotated[float, Range(0, 1)] = 0.001
) -> Tensor:
    """The class that most copies of the image with Gaussian noise get; none where the two first may be equally frequent.

    It abstains where a two-sided binomial test of their votes has a p-value above alpha. Then all classes are equal, so that
    whoever reads a label reads the first.
    """
    return torch.stack([_voted(answers, alpha) for answers in _asked(ask, images, sd, copies)])


def _asked(ask: Ask, images: Tensor, sd: float, copies: int) -> Iterator[Tensor]:
    """(copies,C) logits of the noisy copies of each image; the noise of an image is drawn from its own content."""
    for image in images:
        rng = stream(0, "smoothing", sha256(image.contiguous().numpy().tobytes()).hexdigest())
        yield ask(image + sd * torch.randn(copies, *image.shape, generator=rng))


def _voted(answers: Tensor, alpha: float) -> Tensor:
    """(C,) the class with most votes at 1, or zeros."""
    classes = answers.shape[-1]
    first, second = answers.argmax(-1).bincount(minlength=max(2, classes)).topk(2).values.tolist()
    label = answers.argmax(-1).mode().values
    sure = binomtest(first, first + second).pvalue <= alpha
    return F.one_hot(label, classes).to(answers) * sure
