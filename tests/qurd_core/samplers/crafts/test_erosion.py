"""The momentum attack on eroded victims, against the plain one and in closed form."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.samplers.crafts.erosion import FRESH, climb, draw_masks, erosion, where
from qurd_core.samplers.crafts.inside import eroded
from qurd_core.samplers.crafts.targets import random_target
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


def test_a_batch_is_its_images_one_by_one(curved, seeds):
    """Gradients are divided by their length image by image, so no image weighs on the way of another."""
    goal = curved.labels(seeds.x)
    together = moved(curved, seeds.x, goal, rate=0.3, momentum=1.0, ghosts=3)
    for row in range(len(seeds)):
        one = slice(row, row + 1)
        alone = moved(curved, seeds.x[one], goal[one], rate=0.3, momentum=1.0, ghosts=3)
        torch.testing.assert_close(alone, together[one], atol=1e-5, rtol=0)


def test_erosion_leaves_what_batch_normalisation_has_counted():
    rng = stream(0, "normalised")
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 3)
    victim = Oracle(nn.Sequential(*layers), classes=3)
    counted = [layers[1].running_mean.clone(), layers[1].running_var.clone(), layers[1].num_batches_tracked.clone()]
    x = torch.rand(5, 3, 8, 8, generator=rng)
    moved(victim, x, victim.labels(x), rate=0.3, momentum=1.0, ghosts=2)
    assert not victim.module.training
    now = [layers[1].running_mean, layers[1].running_var, layers[1].num_batches_tracked]
    assert all(torch.equal(one, other) for one, other in zip(counted, now, strict=True))


def test_what_is_kept_fools_the_victim_and_as_many_fresh_eroded_ones_as_asked(curved, seeds):
    victim, options = curved, {"eps": 0.2, "steps": 6, "ghosts": 8, "rate": 0.3, "momentum": 1.0}
    queries = erosion(seeds, victim, stream(0, "filter"), targeted=True, agree=0.9, **options)
    every = erosion(seeds, victim, stream(0, "filter"), targeted=True, agree=0.0, **options)
    labels = dict(zip(seeds.seed.tolist(), victim.labels(seeds.x).tolist(), strict=True))
    assert 0 < len(queries) < len(every), "the filter drops none or all: the test says nothing"
    found = zip(queries.seed.tolist(), victim.labels(queries.x).tolist(), strict=True)
    assert all(labels[seed] != label for seed, label in found)
    # The same draws again: targets, the masks of the attack, and those of the fresh victims.
    rng, places = stream(0, "filter"), where(victim.module)
    random_target(victim.labels(seeds.x), victim.classes, rng)
    _, fresh = (draw_masks(places, copies, 0.3, rng) for copies in ((6, 8), (FRESH, 1)))
    own, agreeing = victim.labels(every.x), torch.zeros(len(every))
    for number in range(FRESH):
        with eroded(places, [mask[number] for mask in fresh]):
            agreeing += (victim.labels(every.x) == own).float()
    kept = (agreeing / FRESH >= 0.9).tolist()
    assert [seed for seed, stays in zip(every.seed.tolist(), kept, strict=True) if stays] == queries.seed.tolist()


def test_what_is_kept_gives_one_label_on_the_victim_and_on_most_eroded_ones(craft, linear):
    victim = linear("victim")
    kept = craft("erosion", victim=victim)
    every = craft("erosion", agree=0.0)
    assert 0 < len(kept) <= len(every)
    assert int(kept.aux["gradients"].sum()) == victim.gradients == 12 * 6 * 8
