"""Sensitive samples: closed forms against automatic differentiation, the greedy choice on a table, and what they are for."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from qurd_core.access import Access
from qurd_core.detectors.hamming import hamming
from qurd_core.errors import QurdError
from qurd_core.randomness import stream
from qurd_core.representations.raw import labels
from qurd_core.samplers.crafts.sensitive import cover, last_layer, of_log_probits, of_logits, of_probits
from qurd_core.types import Answers, Prefixes
from tests.conftest import random_weights


@pytest.mark.parametrize(
    ("closed", "outputs"),
    [
        (of_logits, lambda z: z),
        (of_probits, lambda z: z.softmax(0)),
        (of_log_probits, lambda z: z.log_softmax(0).sum()[None]),
    ],
)
def test_sensitivity_is_the_squared_length_of_the_derivative_by_the_last_weights(closed, outputs):
    rng = stream(0, "closed")
    weight, features = (torch.randn(size, 7, generator=rng, dtype=torch.float64) for size in (4, 5))
    found = closed(features @ weight.T, features)
    for row, phi in enumerate(features):
        derivative = torch.autograd.functional.jacobian(lambda w, phi=phi: outputs(w @ phi), weight)
        torch.testing.assert_close(found[row], derivative.square().sum(), rtol=1e-12, atol=0)


def test_images_stay_near_their_seeds_and_in_range_and_grow_sensitive(craft, curved, seeds):
    place = {int(seed): row for row, seed in enumerate(seeds.seed)}

    def mean(queries):
        features = curved.module[:3](queries.x)
        return float(of_log_probits(curved.logits(queries.x), features).mean())

    means = []
    for steps in (1, 2, 5, 10, 20, 40):  # the same way, left off after so many steps
        queries = craft("sensitive", victim=curved, steps=steps, bag=1)
        moves = queries.x - seeds.x[[place[int(seed)] for seed in queries.seed]]
        assert float(moves.flatten(1).norm(dim=1).max()) <= 10 / 255 * 192**0.5 + 1e-4
        assert float(queries.x.min()) >= 0 and float(queries.x.max()) <= 1
        means.append(mean(queries))
    assert all(later > 0.99 * earlier for earlier, later in pairwise(means)), "it grows on average"
    assert means[-1] > 1.1 * means[0]


def test_the_greedy_choice_takes_what_covers_most_units():
    active = torch.tensor([[1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1], [1, 1, 1, 1, 0]], dtype=torch.bool)
    assert cover(active, torch.ones(4), 2).tolist() == [3, 2]
    assert cover(active, torch.tensor([0.0, 1, 0, 0]), 4).tolist() == [3, 2, 1, 0]


def test_every_fourth_is_kept_and_the_others_are_paid_for(craft, linear):
    victim = linear("victim")
    queries = craft("sensitive", victim=victim, steps=7)
    assert len(queries) == 3
    assert int(queries.aux["gradients"].sum()) == victim.gradients == 7 * 12


def test_an_untouched_model_is_at_distance_zero_and_a_changed_one_is_not(craft, linear):
    victim = linear("victim")
    queries = craft("sensitive", victim=victim, steps=40)
    changed = random_weights("victim")
    changed[1, :] += 5
    logits = torch.stack([model.logits(queries.x) for model in (victim, linear("victim"), linear(changed))])
    found = labels(Answers(queries, Access.LABELS, logits))
    values = hamming(found[0], found, Prefixes((len(queries),)))[:, 0]
    assert values[1] == 0
    assert values[2] > 0


def test_one_large_change_of_one_weight_is_seen(craft, linear):
    victim = linear("victim")
    queries = craft("sensitive", victim=victim, steps=40)
    for row, column in ((0, 0), (1, 95), (2, 191)):
        changed = random_weights("victim")
        changed[row, column] += 1000
        logits = torch.stack([model.logits(queries.x) for model in (victim, linear(changed))])
        found = labels(Answers(queries, Access.LABELS, logits))
        assert hamming(found[0], found, Prefixes((len(queries),)))[1, 0] > 0


def test_a_model_that_does_not_end_in_a_linear_layer_is_refused():
    with pytest.raises(QurdError, match=r"last layer is linear\. Got Conv2d"):
        last_layer(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten()))
    with pytest.raises(QurdError, match="convolutions or linear layers"):
        last_layer(nn.Flatten())
