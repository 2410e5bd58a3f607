"""Certain and uncertain seeds against an order that is known."""

from dataclasses import replace

import pytest
import torch

from qurd_core.errors import QurdError
from qurd_core.randomness import stream
from qurd_core.samplers.seeds.certainty import certain, uncertain
from qurd_core.types import Pool


def pool_of(logits: torch.Tensor, truth: torch.Tensor) -> Pool:
    pixels = torch.zeros(len(logits), 3, 2, 2, dtype=torch.uint8)
    return Pool(pixels, truth, logits.argmax(1), logits.double().softmax(1))


@pytest.fixture
def logits() -> torch.Tensor:
    return 3 * torch.randn(60, 4, generator=stream(0, "logits"))


@pytest.fixture
def table(logits) -> Pool:
    return pool_of(logits, torch.arange(60) % 4)


def exact(rule, table, on, **options):
    return rule(table, stream(0, "a"), len(table), on=on, width=0.0, **options).indices


def loss(table):
    return -table.victim_probits[torch.arange(len(table)), table.truth].log()


def test_without_noise_the_losses_are_sorted(table):
    assert bool((loss(table)[exact(certain, table, "right")].diff() > 0).all())
    assert bool((loss(table)[exact(certain, table, "wrong")].diff() < 0).all())


@pytest.mark.parametrize("on", ["right", "wrong"])
@pytest.mark.parametrize("by", ["loss", "gini"])
def test_certain_and_uncertain_are_reverses_of_each_other(table, on, by):
    assert torch.equal(exact(certain, table, on, by=by), exact(uncertain, table, on, by=by).flip(0))


def test_the_strata_partition_the_set(table):
    right, wrong = (exact(certain, table, on) for on in ("right", "wrong"))
    assert torch.equal(torch.cat([right, wrong]).sort().values, torch.arange(60))
    assert bool((table.victim_labels[right] == table.truth[right]).all())
    assert bool((table.victim_labels[wrong] != table.truth[wrong]).all())


@pytest.mark.parametrize("on", ["right", "wrong"])
def test_logits_times_three_keep_the_strata_and_of_two_classes_the_order(logits, table, on):
    sharper = pool_of(3 * logits, table.truth)
    assert set(exact(certain, sharper, on).tolist()) == set(exact(certain, table, on).tolist())
    two, truth = logits[:, :2], torch.arange(60) % 2
    assert torch.equal(*(exact(certain, pool_of(scale * two, truth), on) for scale in (1, 3)))


def test_by_gini_seeds_are_right_and_sorted_by_the_sum_of_squares(table):
    found = exact(certain, table, "right", by="gini")
    assert bool((table.victim_labels[found] == table.truth[found]).all())
    assert bool((table.victim_probits[found].square().sum(1).diff() <= 0).all())


def test_losses_too_small_for_float32_keep_their_order():
    margins = torch.tensor([20.0, 30.0, 25.0])
    table = pool_of(torch.stack([margins, torch.zeros(3)], 1), torch.zeros(3, dtype=torch.long))
    assert exact(certain, table, "right").tolist() == [1, 2, 0]


def test_the_noise_moves_a_seed_by_a_share_of_the_order_at_most(table):
    order, found = (exact(certain, table, "right"), certain(table, stream(0, "a"), 60, on="right").indices)
    assert not torch.equal(order, found)
    place = {int(seed): number for number, seed in enumerate(order)}
    moved = [abs(place[int(seed)] - number) for number, seed in enumerate(found)]
    assert max(moved) <= 0.2 * len(order) + 1


def test_every_truth_was_looked_at_to_sort_them(table):
    assert certain(table, stream(0, "a"), 5, on="right").looked.tolist() == [60] * 5


def test_a_pool_without_probits_is_refused(table):
    with pytest.raises(QurdError, match="victim's probits"):
        exact(certain, replace(table, victim_probits=None), "right")
