"""Fields of gradients: completeness, linear models, and who is as far as can be."""

import pytest
import torch

from qurd_core.access import Access
from qurd_core.detectors.cosine import cosine
from qurd_core.errors import QurdError
from qurd_core.randomness import stream
from qurd_core.representations.gradient_field import gradient_field
from qurd_core.samplers.crafts.paths import NOTHING, nodes, paths
from qurd_core.types import Answers, Prefixes
from tests.conftest import random_weights

POINTS = 51


@pytest.fixture
def sent(seeds, victim):
    return paths(seeds, victim, stream(0, "paths"), points=POINTS)


def slopes(oracle, queries, labels):
    return oracle.gradient(lambda logits: logits.gather(1, labels[:, None]).sum(), queries.x)[0]


def own(oracle, queries):
    return oracle.labels(queries.x)[queries.group_starts]


def field(queries, *gradients):
    answers = Answers(queries, Access.GRADIENTS, torch.zeros(len(gradients), len(queries), 3), torch.stack(gradients))
    return gradient_field(answers)


def test_weights_sum_to_one_and_places_lie_between():
    place, weight = nodes(50)
    assert float(weight.sum()) == pytest.approx(1)
    assert 0 < float(place.min()) < float(place.max()) < 1
    assert bool((place.diff() > 0).all())


def test_at_the_end_of_a_path_the_field_sums_to_what_the_logit_gained(curved, seeds, sent):
    labels = own(curved, sent)
    found = field(sent, slopes(curved, sent, labels))[0].unflatten(0, (len(seeds), POINTS - 1))[:, -1].sum(1)
    mine = labels[::POINTS, None]
    gained = curved.logits(seeds.x).gather(1, mine) - curved.logits(torch.full_like(seeds.x, NOTHING)).gather(1, mine)
    torch.testing.assert_close(found, gained[:, 0], atol=1e-4, rtol=1e-4)


def test_of_a_linear_model_all_fields_of_a_path_are_parallel_and_the_last_is_the_weights_times_the_way(linear, seeds, sent):
    victim = linear("victim")
    labels = own(victim, sent)
    found = field(sent, slopes(victim, sent, labels))[0].unflatten(0, (len(seeds), POINTS - 1))
    units = torch.nn.functional.normalize(found, dim=2)
    torch.testing.assert_close((units * units[:, -1:]).sum(2), torch.ones(units.shape[:2]))
    weights = victim.module.weight[labels[::POINTS]] / 0.25
    torch.testing.assert_close(found[:, -1], weights * (seeds.x - NOTHING).flatten(1), atol=1e-4, rtol=1e-4)


def test_a_copy_and_a_scaled_copy_are_at_distance_zero_and_a_negative_one_is_at_two(linear, sent):
    victim, scaled = linear("victim"), linear(3 * random_weights("victim"))
    labels = own(victim, sent)
    mine = slopes(victim, sent, labels)
    found = field(sent, mine, slopes(victim, sent, labels), slopes(scaled, sent, own(scaled, sent)), -mine)
    values = cosine(found[0], found, Prefixes((found.shape[1],)))[:, 0]
    assert float(values[:2].max()) < 1e-12
    assert float(values[2]) < 1e-6
    assert float(values[3]) == pytest.approx(2)


def test_gradients_that_were_not_asked_for_are_missed_in_a_sentence(sent):
    with pytest.raises(QurdError, match="They were not asked for"):
        gradient_field(Answers(sent, Access.GRADIENTS, torch.zeros(1, len(sent), 3)))
