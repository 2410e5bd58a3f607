"""The attack of ModelDiff's code: which way it goes."""

import torch
from torch import nn

from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.representations.pairwise import pairwise
from qurd_core.samplers.crafts.divergence import FAR, divergence, error
from qurd_core.types import Answers, Queries


def test_each_output_of_an_identity_moves_away_from_the_mean():
    x = 0.2 + 0.6 * torch.rand(8, 3, 1, 1, generator=stream(0, "x"))
    oracle = Oracle(nn.Flatten(), classes=3)
    queries = divergence(Queries(x, torch.arange(8), torch.arange(8)), oracle, stream(0, "craft"), eps=0.05, steps=50)
    moves = (queries.x[1::2] - x).flatten(1)
    assert torch.equal(moves.sign(), (x.flatten(1) - x.flatten(1).mean(0)).sign())
    assert float(moves.abs().max()) <= 0.05 + 1e-6


def test_the_error_grows_with_every_step(linear, seeds):
    victim = linear("victim")
    logits = victim.logits(seeds.x)
    target = FAR * (logits.mean(0) - logits)
    found = [divergence(seeds, victim, stream(0, "craft"), eps=0.05, steps=steps).x[1::2] for steps in (1, 3, 6, 12)]
    means = torch.tensor([float(error(victim.logits(x), target).mean()) for x in found])
    assert bool((means.diff() >= -1e-6 * means[1:]).all())
    assert means[-1] > means[0]


def test_without_room_a_pair_is_the_seed_twice(craft, ask):
    queries = craft("divergence", eps=0.0)
    assert torch.equal(queries.x[::2], queries.x[1::2])
    answers = ask(queries)
    assert float(pairwise(Answers(queries, answers.access, answers.outputs), of="logits").abs().max()) == 0
