"""From answers to distances: what models answered is represented, and a detector compares the victim with all of them."""

from typing import NamedTuple

import torch
from torch import Tensor

from qurd_core.registry import detectors, representations
from qurd_core.schemes import Scheme
from qurd_core.types import Answers, Draw, Prefixes, Queries


class Costs(NamedTuple):
    """What each budget costs, (B,) each: images sent (0 = the cell is empty), labelled images looked at, gradients.

    `distinct` (B,) is the number of different images among those sent: below `used` where a craft repeats some.
    `converged` (B,) is the share of the seeds tried so far that gave queries: below 1 where a craft drops failures.
    `available` (B,) is the number of queries that could be made, at most the largest budget and the rest of its part.
    """

    used: Tensor
    distinct: Tensor
    samples: Tensor
    gradients: Tensor
    converged: Tensor
    available: Tensor


def costs_of(queries: Queries, draw: Draw, group: int, budgets: tuple[int, ...]) -> Costs:
    """A cell is empty where its budget buys no group, or where there are fewer queries than whole groups that it buys."""
    wanted = [budget // group * group for budget in budgets]
    used = torch.tensor([queries.prefix(n) if 0 < n <= len(queries) else 0 for n in wanted])
    nothing = torch.zeros(1, dtype=torch.long)
    place = torch.zeros(int(torch.cat([nothing, draw.indices]).max()) + 1, dtype=torch.long).index_put(
        (draw.indices,), torch.arange(len(draw.indices))
    )
    tried = torch.cat([nothing, place[queries.seed].cummax(0).values + 1])[used]
    samples = torch.cat([nothing, draw.looked.cummax(0).values])[tried]
    groups = torch.searchsorted(queries.group_ends, used, right=True)
    spent = torch.cat([nothing, queries.per_group("gradients").cumsum(0)])[groups]
    converged = (groups / tried.clamp_min(1)).clamp_max(1)
    different = torch.cat([nothing, queries.different])[used]
    return Costs(used, different, samples, spent, converged, torch.full((len(budgets),), len(queries)))


def represented(answers: Answers, scheme: Scheme, used: int) -> Tensor:
    """The representation of all models on the first `used` queries."""
    granted = Answers(answers.queries.take(used), scheme.access, answers.outputs[:, :used], answers.slopes)
    return representations.bound(scheme.representation)(granted)


def distances(looked: Tensor, queries: Queries, scheme: Scheme, used: Tensor) -> Tensor:
    """(M,B) float32 distances to the first model, NaN for empty cells."""
    representation = representations[scheme.representation.name].declares
    values = torch.full((len(looked), len(used)), torch.nan)
    filled = (used > 0).nonzero()[:, 0]
    rows = used[filled]
    if representation.rows:
        groups = torch.searchsorted(queries.group_ends, used[filled], right=True)
        rows = representation.rows(queries).cumsum(0)[groups - 1]
    prefixes = Prefixes(tuple(rows.tolist()), representation.square, representation.whole)
    values[:, filled] = detectors.bound(scheme.detector)(looked[0], looked, prefixes).float()
    return values
