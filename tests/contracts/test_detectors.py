"""What every registered detector keeps to, on every representation that it accepts."""

import pytest
import torch

from qurd_core.registry import detectors, representations
from qurd_core.types import Prefixes

PAIRS = [
    (call, detector)
    for name in representations
    for call in representations[name].variants()
    for detector in detectors
    if detectors[detector].declares.needs <= representations[name].declares.provides
]


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: f"{pair[0]} | {pair[1]}")
def case(request, ask, suited):
    """A detector, the representation of all models with the victim first, and three budgets."""
    call, detector = request.param
    component = representations[call.name]
    found = component.function(ask(suited(call.name)), **component.bind(call))
    rows, declares = (found.shape[1] // 2, 1, found.shape[1]), component.declares
    return detectors[detector], found, Prefixes(rows, declares.square, declares.whole)


def test_distances_are_finite_and_not_negative(case):
    detector, found, budgets = case
    values = detector.function(found[0], found, budgets)
    assert values.shape == (len(found), 3)
    assert values.dtype == torch.float64
    assert bool(torch.isfinite(values).all())
    assert bool((values >= 0).all())
    assert not detector.declares.end_at_one or bool((values <= 1).all())


def test_a_model_is_at_distance_zero_from_itself_and_a_stranger_is_not(case):
    detector, found, budgets = case
    if detector.declares.control:
        pytest.skip("a control does not look at the victim")
    values = detector.function(found[0], found, budgets)
    enough = torch.tensor(budgets.rows) >= detector.declares.least_rows
    assert values[0][enough].max() < 1e-12
    assert bool((values[0][~enough] > 0).all())
    assert values[1, 2] < 1e-6  # the exact copy
    assert values[4:, 2].min() > 1e-4 * min(1.0, float(found.abs().max()))  # second differences of linear models are tiny


def test_suspects_are_compared_one_by_one(case):
    detector, found, budgets = case
    together = detector.function(found[0], found, budgets)
    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(detector.function(found[0], found[order], budgets), together[order], atol=1e-12, rtol=0)
    for model in range(len(found)):
        alone = detector.function(found[0], found[model : model + 1], budgets)
        torch.testing.assert_close(alone[0], together[model], atol=1e-12, rtol=0)


def test_several_budgets_are_each_budget_alone(case):
    detector, found, budgets = case
    together = detector.function(found[0], found, budgets)
    for column, rows in enumerate(budgets.rows):
        alone = Prefixes((rows,), budgets.square, budgets.whole)
        cut = found[:, :rows, :rows] if budgets.square else found[:, :rows]
        torch.testing.assert_close(detector.function(cut[0], cut, alone)[:, 0], together[:, column], atol=1e-12, rtol=0)


def test_representations_are_only_looked_at(case):
    detector, found, budgets = case
    before = found.clone()
    detector.function(found[0], found, budgets)
    assert torch.equal(found, before)
