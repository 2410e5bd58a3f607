import pytest
import torch
from torch import nn

from qurd_core.access import Access
from qurd_core.errors import QurdError
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime

X = torch.rand(11, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_model_owns_its_normalisation(linear):
    victim = linear("victim")
    weight = victim._module.weight
    torch.testing.assert_close(victim.logits(X), ((X - 0.45) / 0.25).flatten(1) @ weight.T)


def test_every_level_is_the_same_answer(linear):
    victim = linear("victim")
    torch.testing.assert_close(victim.probits(X), victim.logits(X).softmax(1))
    assert torch.equal(victim.labels(X), victim.logits(X).argmax(1))


@pytest.mark.parametrize("access", list(Access))
def test_more_than_was_granted_is_refused(access, linear):
    victim = linear("victim", access=access, name="the suspect")
    asks = {
        Access.PROBITS: victim.probits,
        Access.LOGITS: victim.logits,
        Access.GRADIENTS: lambda x: victim.gradient(lambda z: z.sum(), x),
    }
    victim.labels(X)
    for needed, ask in asks.items():
        if needed <= access:
            ask(X)
        else:
            with pytest.raises(QurdError, match=f"the suspect answers {access} only, {needed} were asked for"):
                ask(X)


def test_it_counts_images_and_gradients(linear):
    victim = linear("victim")
    victim.labels(X)
    victim.gradient(lambda z: z.sum(), X[:4])
    victim.gradient(lambda z: z.sum(), X[:4])
    assert (victim.asked, victim.gradients) == (19, 8)


@pytest.mark.parametrize("batch_size", [1, 7, 256])
def test_the_batch_size_changes_no_label(batch_size, curved):
    other = Oracle(curved._module, classes=3, runtime=Runtime(batch_size=batch_size))
    assert torch.equal(other.labels(X), curved.labels(X))
    torch.testing.assert_close(other.logits(X), curved.logits(X), atol=1e-5, rtol=0)


def test_the_gradient_of_a_linear_model_is_its_weight(linear):
    victim = linear("victim")
    gradient, logits = victim.gradient(lambda z: z[:, 1].sum(), X)
    torch.testing.assert_close(gradient.flatten(1), (victim._module.weight[1] / 0.25).expand(11, -1))
    torch.testing.assert_close(logits, victim.logits(X))
    assert not logits.requires_grad


def test_images_stay_independent_in_a_batch(curved):
    together, _ = curved.gradient(lambda z: z.logsumexp(1).sum(), X)
    alone = torch.cat([curved.gradient(lambda z: z.logsumexp(1).sum(), x[None])[0] for x in X])
    torch.testing.assert_close(together, alone)


def test_the_module_is_frozen_and_evaluates():
    module = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(192, 3)).train()
    oracle = Oracle(module, classes=3)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    assert torch.equal(oracle.logits(X), oracle.logits(X))
    oracle.gradient(lambda z: z.sum(), X)
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_the_images_asked_about_are_left_alone(linear):
    x = X.clone()
    linear("victim").gradient(lambda z: z.sum(), x)
    assert torch.equal(x, X)
    assert not x.requires_grad


class Constant(nn.Module):
    """Answers one row for every image."""

    def __init__(self, row: list[float]):
        super().__init__()
        self.row = torch.tensor(row)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.row.expand(len(x), -1) + 0 * x.mean((1, 2, 3))[:, None]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_answers_that_are_no_numbers_are_refused(bad):
    oracle = Oracle(Constant([0.0, bad, 1.0]), classes=3, name="the suspect")
    for ask in (oracle.labels, oracle.logits, lambda x: oracle.gradient(lambda z: z.sum(), x)):
        with pytest.raises(QurdError, match="Expected finite logits from the suspect"):
            ask(X)


def test_the_wrong_number_of_classes_is_refused_with_both_numbers():
    with pytest.raises(QurdError, match=r"to answer \(11,3\) logits. Got \(11, 4\)"):
        Oracle(Constant([0.0, 1.0, 2.0, 3.0]), classes=3).labels(X)


@pytest.mark.parametrize("x", [2 * X, X - 1, X.double(), X[:, :1]], ids=["bright", "normalised", "double", "grey"])
def test_images_that_are_no_images_are_refused(x, linear):
    for ask in (linear("victim").labels, lambda x: linear("victim").gradient(lambda z: z.sum(), x)):
        with pytest.raises(QurdError, match="Expected images"):
            ask(x)


def test_the_noise_of_arithmetic_is_answered_as_if_it_were_not_there(linear):
    victim, noisy = linear("victim"), X.clone().clamp(0.1, 0.9)
    noisy[0, 0, 0, 0], noisy[1, 1, 1, 1] = -1e-8, 1.0000001
    clean = noisy.clamp(0, 1)
    assert torch.equal(victim.logits(noisy), victim.logits(clean))
    assert torch.equal(victim.gradient(lambda z: z.sum(), noisy)[1], victim.gradient(lambda z: z.sum(), clean)[1])


def test_no_question_has_no_answer(linear):
    assert linear("victim").logits(X[:0]).shape == (0, 3)


def test_a_model_is_asked_once_per_query_about_the_pixels_themselves(linear, seeds):
    suspect = linear("stranger")
    found = suspect.logits(seeds.x)
    assert suspect.asked == len(seeds)
    torch.testing.assert_close(found, ((seeds.x - 0.45) / 0.25).flatten(1) @ suspect._module.weight.T)
    assert not found.requires_grad


def test_no_queries_have_no_answers(linear, seeds):
    assert linear("stranger").logits(seeds.take(0).x).shape == (0, 3)
    torch.testing.assert_close(linear("stranger").logits(seeds.take(5).x), linear("stranger").logits(seeds.x)[:5])
