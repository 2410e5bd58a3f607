"""Random and AKH seeds against tables whose answer is known."""

import pytest
import torch

from qurd_core.errors import QurdError
from qurd_core.randomness import stream
from qurd_core.samplers.seeds.negative import negative
from qurd_core.samplers.seeds.noise import noise
from qurd_core.samplers.seeds.uniform import uniform
from qurd_core.types import Pool

WRONG = [3, 8, 9, 14, 21]  # of 30


@pytest.fixture
def table() -> Pool:
    labels = torch.zeros(30, dtype=torch.long)
    labels[WRONG] = 1
    return Pool(torch.zeros(30, 3, 2, 2, dtype=torch.uint8), torch.zeros(30, dtype=torch.long), labels)


def test_every_negative_is_misclassified_and_all_are_found(table):
    assert sorted(negative(table, stream(0, "a"), 30, split="test").indices.tolist()) == WRONG
    assert set(negative(table, stream(0, "a"), 3, split="test").indices.tolist()) < set(WRONG)


def test_negatives_come_in_the_order_of_the_uniform_draw_with_what_it_took_to_find_them(table):
    order = uniform(table, stream(0, "a"), 30, split="test").indices.tolist()
    found = negative(table, stream(0, "a"), 30, split="test")
    assert found.indices.tolist() == [index for index in order if index in WRONG]
    assert found.looked.tolist() == [place + 1 for place, index in enumerate(order) if index in WRONG]


def test_each_negative_is_drawn_equally_often(table):
    first = torch.stack([negative(table, stream(seed, "a"), 1, split="test").indices for seed in range(2000)])
    counts = torch.bincount(first.flatten(), minlength=30)[WRONG]
    assert counts.sum() == 2000
    assert ((counts - 400).abs() < 4 * (2000 * 0.2 * 0.8) ** 0.5).all()


def test_a_victim_without_mistakes_gives_no_negative(table):
    right = Pool(table.pixels, table.truth, table.truth)
    found = negative(right, stream(0, "a"), 5, split="train")
    assert len(found.indices) == len(found.looked) == 0


@pytest.mark.parametrize("missing", ["truth", "victim_labels"])
def test_negatives_need_the_truth_and_the_victims_labels(table, missing):
    labels = {"truth": table.truth, "victim_labels": table.victim_labels} | {missing: None}
    with pytest.raises(QurdError, match="the truth and the victim's labels"):
        negative(Pool(table.pixels, **labels), stream(0, "a"), 5, split="test")


def test_uniform_and_noise_look_at_no_labels(table):
    bare = Pool(table.pixels, None)
    assert uniform(bare, stream(0, "a"), 5, split="train").looked.tolist() == [0] * 5
    assert noise(bare, stream(0, "a"), 5).looked.tolist() == [0] * 5
    assert sorted(noise(bare, stream(0, "a"), 99).indices.tolist()) == list(range(30))
