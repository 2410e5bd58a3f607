"""Answers one by one: labels, ranks, outputs."""

from typing import Annotated

import torch
from torch import Tensor

from qurd_core.access import Access
from qurd_core.registry import Range, representations
from qurd_core.types import Answers

K = Annotated[int, Range(1, 1000)]


@representations.register(provides={"symbols", "sequence"}, access=Access.LABELS, counts_missing=True, plain=True)
def labels(answers: Answers) -> Tensor:
    """The most probable class of every query: (M,s)."""
    return answers.labels


@representations.register(provides={"symbols"}, access=Access.TOPK, counts_classes="k")
def topk(answers: Answers, *, k: K = 3) -> Tensor:
    """The k most probable classes of every query, best first: (M,s,k)."""
    return answers.top(k)


@representations.register(provides={"symbols", "sequence"}, needs={"truth"}, access=Access.TOPK, counts_classes="k")
def rank(answers: Answers, *, k: K = 3) -> Tensor:
    """The place of the true class among the k most probable ones, k where it is not among them: (M,s).

    The symbols of FBI (Maho, Furon, Le Merrer 2023). Mutual information of raw labels would call everything stolen as soon
    as the classes are many and the queries few.
    """
    hits = answers.top(k) == answers.queries.truth[:, None]
    return torch.where(hits.any(-1), hits.int().argmax(-1), k)


@representations.register(provides={"vectors", "distributions"}, access=Access.PROBITS, counts_missing=True, plain=True)
def probits(answers: Answers) -> Tensor:
    """The probabilities of every query: (M,s,C)."""
    return answers.probits


@representations.register(provides={"vectors"}, access=Access.LOGITS)
def logits(answers: Answers) -> Tensor:
    """The logits of every query: (M,s,C)."""
    return answers.logits
