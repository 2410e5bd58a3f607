"""DeepFool against its closed form on linear models."""

import pytest
import torch

from qurd_core.samplers.crafts.deepfool import LEAD, cross, deepfool, shortest
from tests.conftest import random_weights

STEEP = 0.25  # the toy divides pixels by it


@pytest.fixture
def grey(seeds):
    """The seeds near mean grey, so that no step leaves [0,1]."""
    return 0.45 + 0.05 * (seeds.x - 0.5)


def gaps(oracle, x):
    """Logits without the first class, from which the others are subtracted; and the lengths of the same of the weights."""
    logits = oracle.logits(x)
    weight, source = oracle.module.weight / STEEP, logits.argmax(1)
    normals = weight[None] - weight[source][:, None]
    apart = logits.gather(1, source[:, None]) - logits
    return source, apart, normals


def nearest(oracle, x):
    source, apart, normals = gaps(oracle, x)
    ratios = (apart / normals.norm(dim=2)).scatter(1, source[:, None], torch.inf)
    return ratios.min(1)


def test_a_linear_model_is_crossed_in_one_step_of_the_shortest_length(linear, grey):
    oracle = linear("victim")
    source = oracle.labels(grey)
    goals = torch.stack([(source + 1) % 3, (source + 2) % 3], 1)
    x, spent = cross(oracle, grey, source, goals, overshoot=0.02, rounds=50)
    assert spent.tolist() == [3] * len(grey)
    lengths, other = nearest(oracle, grey)
    torch.testing.assert_close((x - grey).flatten(1).norm(dim=1), 1.02 * lengths, rtol=1e-4, atol=1e-6)
    assert torch.equal(oracle.labels(x), other)


def test_at_the_step_without_overshoot_the_two_classes_are_tied(linear, grey):
    oracle = linear("victim")
    classes = oracle.logits(grey).argsort(1, descending=True)
    gradients, logits = oracle.jacobian(grey, classes)
    top = oracle.logits(grey + shortest(gradients, logits.gather(1, classes))).topk(2, 1).values
    assert float((top[:, 0] - top[:, 1]).abs().max()) < 1e-4


def test_between_two_classes_the_step_is_that_of_the_affine_case(linear, grey):
    oracle = linear(random_weights("two", 2))
    classes = oracle.logits(grey).argsort(1, descending=True)
    gradients, logits = oracle.jacobian(grey, classes)
    normal = (gradients[:, 1] - gradients[:, 0]).flatten(1)
    gap = (logits.gather(1, classes)[:, 0] - logits.gather(1, classes)[:, 1])[:, None]
    expected = gap / normal.square().sum(1, keepdim=True) * normal
    torch.testing.assert_close(shortest(gradients, logits.gather(1, classes)).flatten(1), expected)


def test_ten_times_the_logits_change_no_step(linear, grey):
    found = []
    for scale in (1, 10):
        oracle = linear(scale * random_weights("victim"))
        source = oracle.labels(grey)
        found.append(
            cross(oracle, grey, source, torch.stack([(source + 1) % 3, (source + 2) % 3], 1), overshoot=0.02, rounds=5)
        )
    torch.testing.assert_close(found[0][0], found[1][0], atol=1e-5, rtol=0)


def test_a_batch_is_its_images_one_by_one(curved, seeds):
    source = curved.labels(seeds.x)
    goals = torch.stack([(source + 1) % 3, (source + 2) % 3], 1)
    together, spent = cross(curved, seeds.x, source, goals, overshoot=0.02, rounds=50)
    assert len(spent.unique()) > 1, "all stop together: the test says nothing"
    for row in range(len(seeds)):
        one = slice(row, row + 1)
        alone, _ = cross(curved, seeds.x[one], source[one], goals[one], overshoot=0.02, rounds=50)
        torch.testing.assert_close(alone, together[one], atol=1e-5, rtol=0)


def test_every_query_is_across_and_a_target_is_reached(curved, seeds):
    labels = dict(zip(seeds.seed.tolist(), curved.labels(seeds.x).tolist(), strict=True))
    options = {"overshoot": 0.02, "rounds": 50, "candidates": 10}
    for target in ("nearest", "least_likely"):
        queries = deepfool(seeds, curved, torch.Generator(), target=target, **options)
        assert len(queries)
        found = curved.labels(queries.x)
        assert all(labels[seed] != label for seed, label in zip(queries.seed.tolist(), found.tolist(), strict=True))
        first, second = curved.logits(queries.x).topk(2, 1).values.T
        assert bool((first - second > 0.5 * LEAD * curved.logits(queries.x).abs().amax(1)).all())  # which rounding leaves


def test_the_jacobian_is_the_gradients_of_the_logits(curved, seeds):
    classes = torch.tensor([[0, 2]]).expand(len(seeds), -1)
    before = curved.gradients
    rows, logits = curved.jacobian(seeds.x, classes)
    assert curved.gradients - before == 2 * len(seeds)
    for place, label in enumerate((0, 2)):
        alone, same = curved.gradient(lambda found, label=label: found[:, label].sum(), seeds.x)
        torch.testing.assert_close(rows[:, place], alone)
        torch.testing.assert_close(logits, same)
