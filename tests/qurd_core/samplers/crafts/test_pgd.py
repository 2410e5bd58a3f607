"""Adversarial partners against closed forms and captum."""

import pytest
import torch
from captum.robust import PGD
from torch.nn import functional as F

from qurd_core.randomness import stream
from qurd_core.samplers.crafts.pgd import STEP, climb, random_start
from qurd_core.samplers.crafts.targets import least_likely, random_target


def partners(queries):
    return queries.x[0::2], queries.x[1::2]


def test_pairs_are_a_seed_and_its_partner(craft, seeds):
    queries = craft("pgd")
    assert torch.equal(queries.x[0::2], seeds.x)
    assert queries.group.tolist() == seeds.group.repeat_interleave(2).tolist()
    assert queries.seed.tolist() == seeds.seed.repeat_interleave(2).tolist()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_ball_of_radius_zero_holds_the_seed_only(craft, norm):
    seed, partner = partners(craft("pgd", eps=0.0, norm=norm))
    assert torch.equal(seed, partner)


@pytest.mark.parametrize("eps", [0.03, 0.3])
def test_partners_stay_near(craft, eps):
    seed, partner = partners(craft("pgd", eps=eps))
    assert (partner - seed).abs().amax() <= eps + 1e-6
    seed, partner = partners(craft("pgd", eps=eps, norm="l2"))
    lengths = (partner - seed).flatten(1).norm(dim=1)
    assert lengths.max() <= eps + 1e-6
    assert lengths.max() > 0.9 * eps


def test_the_labels_attacked_are_the_victims_own_so_partners_flip(craft, linear):
    victim = linear("victim")
    seed, partner = partners(craft("pgd", eps=0.2))
    assert (victim.labels(seed) != victim.labels(partner)).all()


@pytest.mark.filterwarnings("ignore:Input Tensor")  # captum's, about what it does to its inputs
@pytest.mark.parametrize("targeted", [False, True])
def test_without_a_random_start_it_is_captums(curved, seeds, targeted):
    labels = curved.labels(seeds.x)
    if targeted:
        labels = random_target(labels, 3, stream(0, "target"))
    sign = -1 if targeted else 1
    loss = torch.nn.CrossEntropyLoss(reduction="none")
    ours = climb(curved, lambda z: sign * loss(z, labels).sum(), seeds.x, seeds.x, eps=0.1, steps=12, norm="linf")
    attack = PGD(curved._module, loss, lower_bound=0, upper_bound=1)
    attack.fgsm.zero_thresh = 0  # it lets pixels stand whose gradient is below 1e-6; the paper's attack does not
    theirs = attack.perturb(seeds.x.clone(), radius=0.1, step_size=STEP * 0.1, step_num=12, target=labels, targeted=targeted)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)
    assert (ours != seeds.x).float().mean() > 0.9


def test_two_linear_classes_are_left_along_the_sign_of_their_difference(linear, seeds):
    victim = linear("two", classes=2)
    labels, eps = victim.labels(seeds.x), 0.05
    x = climb(
        victim, lambda z: F.cross_entropy(z, labels, reduction="sum"), seeds.x, seeds.x, eps=eps, steps=31, norm="linf"
    )
    towards = (victim._module.weight[1 - labels] - victim._module.weight[labels]).view_as(x)
    torch.testing.assert_close(x, (seeds.x + eps * towards.sign()).clamp(0, 1))


def test_in_the_euclidean_ball_they_are_left_along_the_difference_itself(linear, seeds):
    victim = linear("two", classes=2)
    labels, eps = victim.labels(seeds.x), 0.05
    middle = 0.3 + 0.4 * seeds.x  # so that no pixel reaches the border
    labels = victim.labels(middle)
    x = climb(victim, lambda z: F.cross_entropy(z, labels, reduction="sum"), middle, middle, eps=eps, steps=31, norm="l2")
    towards = F.normalize(victim._module.weight[1 - labels] - victim._module.weight[labels])
    torch.testing.assert_close((x - middle).flatten(1), eps * towards, atol=1e-6, rtol=1e-3)


def test_a_target_is_another_class_and_is_approached(craft, linear):
    victim = linear("victim")
    seed, partner = partners(craft("pgd", eps=0.3, targeted=True))
    reached = victim.labels(partner)
    assert (reached != victim.labels(seed)).all()
    assert len(reached.unique()) > 1


@pytest.mark.parametrize(("norm", "reach"), [("linf", 1.0), ("l2", 0.97)])
def test_the_random_start_fills_the_ball(norm, reach):
    x, eps = torch.full((400, 3, 8, 8), 0.5), 0.1
    moves = (random_start(x, eps, norm, stream(0, norm)) - x).flatten(1)
    lengths = moves.abs().amax(1) if norm == "linf" else moves.norm(dim=1)
    assert 0.99 * eps * reach < lengths.mean() <= lengths.max() <= eps + 1e-6
    assert moves.mean().abs() < 0.01 * eps


def test_random_targets_are_uniform_over_the_other_classes():
    source = torch.arange(4).repeat(3000)
    counts = torch.zeros(4, 4).index_put_(
        (source, random_target(source, 4, stream(0, "t"))), torch.ones(()), accumulate=True
    )
    assert counts.diagonal().tolist() == [0] * 4
    assert ((counts[~torch.eye(4, dtype=torch.bool)] - 1000).abs() < 120).all()
    assert random_target(torch.tensor([0, 1]), 2, stream(0, "t")).tolist() == [1, 0]


def test_the_least_likely_class_is_never_the_source():
    logits = torch.tensor([[3.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-5.0, -1.0, -9.0]])
    assert least_likely(logits, logits.argmax(1)).tolist() == [2, 1, 2]
