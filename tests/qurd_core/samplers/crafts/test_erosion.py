"""The momentum attack on eroded victims, against the plain one and in closed form."""

import pytest
import torch
from torch.nn import functional as F

from qurd_core.randomness import stream
from qurd_core.samplers.crafts.erosion import climb, draw_masks, where
from qurd_core.samplers.crafts.inside import eroded
from tests.conftest import random_weights

EPS, STEPS = 0.04, 10


def moved(victim, x, goal, *, rate, momentum, ghosts=1, sign=1):
    places = where(victim.module)
    masks = draw_masks(places, (STEPS, ghosts), rate, stream(0, "masks"))
    return climb(victim, places, masks, x, goal, eps=EPS, momentum=momentum, sign=sign)


def test_without_erosion_and_momentum_it_is_the_basic_iterative_method_to_the_bit(curved, seeds):
    goal = curved.labels(seeds.x)
    x = seeds.x
    for _ in range(STEPS):
        gradient, _ = curved.gradient(lambda logits: F.cross_entropy(logits, goal, reduction="sum"), x)
        x = (seeds.x + (x + EPS / STEPS * gradient.sign() - seeds.x).clamp(-EPS, EPS)).clamp(0, 1)
    assert torch.equal(moved(curved, seeds.x, goal, rate=0.0, momentum=0.0), x)


def test_between_two_classes_of_a_linear_model_it_ends_in_a_corner(linear, seeds):
    victim = linear(random_weights("two", 2))
    x = 0.3 + 0.4 * seeds.x
    labels = victim.labels(x)
    towards = (victim.module.weight[1 - labels] - victim.module.weight[labels]).view_as(x)
    found = moved(victim, x, labels, rate=0.0, momentum=1.0)
    torch.testing.assert_close(found, x + EPS * towards.sign(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_no_pixel_moves_farther_than_eps(curved, seeds, rate):
    found = moved(curved, seeds.x, curved.labels(seeds.x), rate=rate, momentum=1.0, ghosts=3)
    assert 0 < float((found - seeds.x).abs().max()) <= EPS + 1e-6


def test_ghosts_that_are_not_eroded_are_as_one(curved, seeds):
    goal = curved.labels(seeds.x)
    one, four = (moved(curved, seeds.x, goal, rate=0.0, momentum=1.0, ghosts=ghosts) for ghosts in (1, 4))
    torch.testing.assert_close(one, four, atol=1e-6, rtol=0)


def test_an_eroded_victim_is_the_victim_again_afterwards(curved, seeds):
    before, places = curved.logits(seeds.x), where(curved.module)
    masks = draw_masks(places, (1, 2), 0.5, stream(0, "masks"))
    with eroded(places, [mask[0] for mask in masks]):
        both = curved.logits(torch.cat([seeds.x, seeds.x])).unflatten(0, (2, -1))
    assert not torch.equal(both[0], both[1])
    assert torch.equal(curved.logits(seeds.x), before)


def test_what_is_kept_gives_one_label_on_the_victim_and_on_most_eroded_ones(craft, linear):
    victim = linear("victim")
    kept = craft("erosion", victim=victim)
    every = craft("erosion", agree=0.0)
    assert 0 < len(kept) <= len(every)
    assert int(kept.aux["gradients"].sum()) == victim.gradients == 12 * 6 * 8
