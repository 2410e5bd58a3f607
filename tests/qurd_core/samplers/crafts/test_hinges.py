"""Hinges of a small network in closed form."""

import pytest
import torch
from torch import nn

from qurd_core.access import Access
from qurd_core.detectors.cosine import cosine
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.representations.bend import bend
from qurd_core.samplers.crafts.hinges import before_switching, crossings, hinges, triplets
from qurd_core.types import Answers, Prefixes, Queries


def network(*, scale=1.0, affine=False, normalised=True):
    """One hidden convolution, in float64 but for the images."""
    rng = stream(0, "hinges")
    hidden, norm, last = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4 * 36, 3)
    with torch.no_grad():
        for values in (*hidden.parameters(), *last.parameters(), norm.weight, norm.bias, norm.running_mean):
            values.copy_(0.3 * torch.randn(values.shape, generator=rng))
        last.weight.mul_(scale), last.bias.mul_(scale)
    middle = nn.Identity() if affine else nn.ReLU(inplace=True)
    return Oracle(nn.Sequential(hidden, norm if normalised else nn.Identity(), middle, nn.Flatten(), last), classes=3)


@pytest.fixture
def ends(seeds):
    return torch.stack([seeds.x[:6], seeds.x[6:]], 1)


def test_the_unit_is_zero_where_it_is_said_to_switch(ends):
    oracle = network()
    units = before_switching(oracle, ends.flatten(0, 1)).unflatten(0, (6, 2))
    places = crossings(units, stream(0, "lots"), 0.01)
    assert not bool(places.isnan().any())
    x = triplets(ends, places, 0.01)[:, :, 1]
    there = before_switching(oracle, x.flatten(0, 1)).unflatten(0, (6, -1))
    assert float(there.abs().min(2).values.max()) < 1e-5  # images are float32


def test_the_outputs_bend_by_the_weight_of_the_unit_times_its_slope(ends):
    """Of a network with one hidden layer, where a single unit switches between the three images."""
    oracle = network(normalised=False)
    hidden, last = oracle.module[0].double(), oracle.module[4].double()
    delta = 1e-4
    units = before_switching(network(normalised=False), ends.flatten(0, 1)).unflatten(0, (6, 2)).double()
    start, end = units.unbind(1)
    place = start / (start - end)
    inside = (place > 0.01) & (place < 0.99)
    for pair in range(6):
        unit = int(inside[pair].nonzero()[0])
        around = place[pair, unit] + delta * torch.tensor([-1.0, 0, 1], dtype=torch.float64)
        first, second = ends[pair].double()
        x = first + around[:, None, None, None] * (second - first)
        seen = hidden(x).flatten(1)
        switching = (seen[0] * seen[2] < 0).nonzero().squeeze(1).tolist()
        if switching != [unit]:
            continue
        logits = last(seen.relu())
        q = logits[0] - 2 * logits[1] + logits[2]
        expected = last.weight[:, unit] * delta * (end - start)[pair, unit].abs()
        torch.testing.assert_close(q, expected, rtol=1e-3, atol=1e-9)
        return
    raise AssertionError("no pair has a unit that switches alone")


def test_an_affine_network_bends_nowhere(seeds):
    oracle = network(affine=True)
    queries = hinges(seeds, oracle, stream(0, "craft"), delta=0.01)
    q = bend(Answers(queries, Access.LOGITS, oracle.logits(queries.x)[None]), of="logits")
    assert len(queries) == 18
    assert float(q.abs().max()) < 1e-4
    curved = hinges(seeds, network(), stream(0, "craft"), delta=0.01)
    q = bend(Answers(curved, Access.LOGITS, network().logits(curved.x)[None]), of="logits")
    assert float(q.norm(dim=2).min()) > 1e-3


def test_scaled_outputs_are_as_near(seeds):
    queries = hinges(seeds, network(), stream(0, "craft"), delta=0.01)
    logits = [network(scale=scale).logits(queries.x) for scale in (1.0, 7.0)]
    found = bend(Answers(queries, Access.LOGITS, torch.stack([*logits, 7 * logits[0]])), of="logits")
    values = cosine(found[0], found, Prefixes((6,)))
    assert float(values[2]) < 1e-4
    assert float(values[1]) < 1e-2


def test_a_seed_alone_gives_no_triplet(seeds):
    one = Queries(seeds.x[:1], seeds.group[:1], seeds.seed[:1])
    assert len(hinges(one, network(), stream(0, "craft"), delta=0.01)) == 0
