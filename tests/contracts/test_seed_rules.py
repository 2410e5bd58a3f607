"""What every registered seed rule keeps to."""

import pytest
import torch

from qurd_core.randomness import stream
from qurd_core.registry import seed_rules

CALLS = [call for name in seed_rules for call in seed_rules[name].variants()]


@pytest.fixture(params=CALLS, ids=str)
def draw(request, pool):
    component = seed_rules[request.param.name]

    def draw(n, seed=0):
        return component.function(pool, stream(seed, "draw"), n, **component.bind(request.param))

    draw.declares = component.declares
    return draw


def test_a_draw_is_in_the_pool_without_repetition(draw, pool):
    indices = draw(30).indices
    assert len(indices) == len(indices.unique()) == 30
    assert indices.min() >= 0
    assert indices.max() < len(pool)


def test_a_small_draw_is_a_prefix_of_a_large_one(draw):
    small, large = draw(7), draw(35)
    assert torch.equal(small.indices, large.indices[:7])
    assert torch.equal(small.looked, large.looked[:7])


def test_a_draw_follows_its_generator_alone(draw):
    before = torch.get_rng_state()
    assert torch.equal(draw(30).indices, draw(30).indices)
    assert torch.equal(draw(30).indices, draw(30, seed=1).indices) == draw.declares.deterministic
    assert torch.equal(torch.get_rng_state(), before)


def test_a_seed_set_that_runs_out_gives_all_it_has_once(draw, pool):
    indices = draw(10 * len(pool)).indices
    assert 0 < len(indices) <= len(pool)
    assert len(indices) == len(indices.unique())


def test_labels_looked_at_are_counted_in_draw_order(draw, pool):
    looked = draw(len(pool)).looked
    assert bool((looked.diff() >= 0).all())
    assert looked.max() <= len(pool)
