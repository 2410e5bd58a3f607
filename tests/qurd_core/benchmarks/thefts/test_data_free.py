"""Data-free extraction: no picture is read, queries are counted, and the losses have their closed forms."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from qurd_core.access import Access
from qurd_core.benchmarks.patchwork.protocol import WORLD
from qurd_core.benchmarks.thefts import data_free
from qurd_core.benchmarks.thefts.data_free import BATCH
from qurd_core.benchmarks.zoo.architectures import initialised
from qurd_core.benchmarks.zoo.supplies import Supplies
from qurd_core.errors import QurdError
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream


def nothing(region: str) -> None:
    raise AssertionError(f"read {region}")


class Told(nn.Module):
    """A victim that answers by a rule, and remembers what it was asked."""

    def __init__(self, rule):
        super().__init__()
        self.rule, self.seen = rule, []

    def forward(self, x):
        self.seen.append(x.clone())
        return nn.functional.one_hot(self.rule(x), 10).float()


def steal(rule, queries=4 * BATCH):
    """The student, its victim, and what was noted of the theft."""
    victim, supplies = Told(rule), Supplies("train(vgg,victim)->data_free(vgg)", replace(WORLD, images=nothing))
    asked = Oracle(victim, classes=10, access=Access.LABELS)
    return data_free.data_free(asked, supplies, arch="vgg", queries=queries), asked, supplies


def constant(x):
    return torch.full((len(x),), 3)


@pytest.mark.slow
def test_no_picture_is_read_and_the_victim_is_asked_once_an_image():
    student, asked, supplies = steal(constant, 5 * BATCH + 7)
    assert (supplies.regions, supplies.read_truth) == ([], False)
    assert (asked.asked, asked.gradients) == (5 * BATCH, 0)  # the generator's steps ask nothing
    assert not student.training


@pytest.mark.slow
def test_images_are_in_eight_bits_before_they_are_sent():
    _, asked, _ = steal(constant)
    sent = torch.cat(asked.module.seen)
    assert sent.shape == (4 * BATCH, 3, 32, 32)
    assert 0 <= sent.min() < 0.2 < 0.8 < sent.max() <= 1
    assert ((sent * 255) - (sent * 255).round()).abs().max() < 1e-3
    assert len(torch.unique(sent.flatten(1), dim=0)) == len(sent)  # none is sent twice


@pytest.mark.slow
def test_a_student_of_a_constant_victim_is_constant():
    student, asked, _ = steal(constant, 12 * BATCH)
    with torch.no_grad():
        assert (student(asked.module.seen[-1]).argmax(1) == 3).float().mean() > 0.95


@pytest.mark.slow
def test_a_student_of_random_labels_agrees_with_them_by_chance():
    rng = stream(0, "random labels")
    student, asked, _ = steal(lambda x: torch.randint(10, (len(x),), generator=rng), 12 * BATCH)
    x = torch.rand(400, 3, 32, 32, generator=rng)
    with torch.no_grad():
        agreed = (student(x).argmax(1) == asked.labels(x)).float().mean()
    assert abs(float(agreed) - 0.1) < 0.06


def test_disagreement_of_two_students_is_their_distance_over_the_root_of_two():
    one, other = torch.rand(2, 6, 10, dtype=torch.float64, generator=stream(0, "votes")).softmax(-1)
    assert float(data_free.disagreement(one, other)) == pytest.approx(float((one - other).abs().mean()) / math.sqrt(2))
    assert float(data_free.disagreement(one, one)) == 0
    apart = torch.eye(10, dtype=torch.float64)
    assert float(data_free.disagreement(apart[:1], apart[1:2])) == pytest.approx(math.sqrt(2) / 10)


def test_diversity_is_lowest_where_all_classes_are_as_frequent():
    every, first = torch.eye(10, dtype=torch.float64), torch.eye(10, dtype=torch.float64)[:1].repeat(10, 1)
    assert float(data_free.diversity(every, every)) == pytest.approx(-math.log(10))
    assert float(data_free.diversity(first, first)) == 0


def test_students_start_apart_since_equal_ones_never_disagree(monkeypatch):
    made = []
    monkeypatch.setattr(data_free, "initialised", lambda *given: made.append(initialised(*given)) or made[-1])
    monkeypatch.setattr(data_free, "_learn", lambda *given: None)
    steal(constant, BATCH)
    one, other = made
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


def test_a_step_of_the_generator_leaves_the_students_as_they_are():
    rng = stream(0, "step")
    students = [initialised("vgg", 10, rng) for _ in range(2)]
    maker = data_free._generator(rng)
    before, made = [p.clone() for s in students for p in s.parameters()], [p.clone() for p in maker.parameters()]
    data_free._disagree(maker, students, torch.optim.Adam(maker.parameters()), rng)
    assert all(torch.equal(*pair) for pair in zip(before, [p for s in students for p in s.parameters()], strict=True))
    assert all(p.grad is None for s in students for p in s.parameters())
    assert not any(torch.equal(*pair) for pair in zip(made, maker.parameters(), strict=True))


def test_only_the_latest_images_are_remembered(monkeypatch):
    monkeypatch.setattr(data_free, "RING", 2 * BATCH)
    learned = []
    monkeypatch.setattr(data_free, "_learn", lambda students, learning, pixels, labels: learned.append(pixels))
    steal(constant)
    per_round = 1 + data_free.REPLAYS
    assert len(learned) == 4 * per_round
    first, last = learned[0], torch.cat(learned[-data_free.REPLAYS :])
    known = {image.numpy().tobytes() for image in first}
    assert not any(image.numpy().tobytes() in known for image in last)


def test_fewer_queries_than_a_batch_are_refused():
    from qurd_core.benchmarks.zoo.models import canonical

    with pytest.raises(QurdError, match="'queries' of 'data_free' must be between 64"):
        canonical("train(vgg,victim)->data_free(vgg,queries=10)")
