"""DeepJudge's test cases on a linear model, and its distances on them."""

import pytest
import torch

from qurd_core.access import Access
from qurd_core.detectors.accuracy import accuracy_gap
from qurd_core.detectors.jensen_shannon import jensen_shannon
from qurd_core.representations.correct import correct
from qurd_core.representations.raw import probits
from qurd_core.types import Answers, Prefixes


@pytest.fixture
def right(seeds, victim):
    """The seeds with the victim's own labels for truth, as on what it gets right."""
    return seeds.__class__(seeds.x, seeds.group, seeds.seed, victim.labels(seeds.x))


@pytest.mark.parametrize(("project", "reach"), [(True, 0.1), (False, 0.1 + 0.3)])
def test_images_end_as_far_from_their_seeds_as_said(craft, seeds, project, reach):
    queries = craft("evasion", project=project)
    place = {int(seed): number for number, seed in enumerate(seeds.seed)}
    moves = queries.x - seeds.x[[place[int(seed)] for seed in queries.seed]]
    assert 0 < float(moves.abs().max()) <= reach + 1e-6
    assert project or float(moves.abs().max()) > 0.1


def test_a_victim_errs_on_every_test_case_and_is_at_distance_zero_from_itself(craft, right, victim):
    queries = craft("evasion", on=right)
    logits = torch.stack([victim.logits(queries.x)] * 2)
    found = correct(Answers(queries, Access.LABELS, logits))
    budgets = Prefixes((len(queries),))
    assert float(found.mean()) == 0  # Rob(victim)
    assert accuracy_gap(found[0], found, budgets).max() == 0
    seen = probits(Answers(queries, Access.PROBITS, logits))
    assert jensen_shannon(seen[0], seen, budgets).max() == 0


def test_a_suspect_that_is_always_right_is_as_far_as_can_be(craft, right):
    queries = craft("evasion", on=right)
    never, always = (torch.full((1, len(queries)), value) for value in (0.0, 1.0))
    assert accuracy_gap(never[0], always, Prefixes((len(queries),))).tolist() == [[1.0]]


def test_the_divergence_of_disjoint_answers_is_ln_2():
    ours = torch.tensor([[1.0, 0.0]])
    found = jensen_shannon(ours, torch.tensor([[[0.0, 1.0]]]), Prefixes((1,)))
    torch.testing.assert_close(found, torch.full((1, 1), 2.0, dtype=torch.float64).log())


def test_dropped_seeds_are_paid_for(craft, linear):
    victim = linear("victim")
    queries = craft("evasion", victim=victim, project=True, eps=0.02)
    assert 0 < len(queries) < 12
    assert int(queries.aux["gradients"].sum()) == victim.gradients == 120
