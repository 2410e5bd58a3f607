"""Closed forms of every obfuscation, and Pillow, linear programming and automatic gradients as references."""

from io import BytesIO
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from scipy.optimize import linprog
from torch import Tensor
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.benchmarks.obfuscations import modelguard, pictures, poisoning, reshaping, smoothing, truncation
from qurd_core.randomness import stream
from qurd_core.registry import detectors, representations
from qurd_core.schemes import Scheme
from qurd_core.types import Answers, Prefixes, Queries

SIDE = 32


def pictures_of(n: int = 6) -> Tensor:
    """Smooth images in 8 bits, which JPEG does not only tear apart."""
    small = torch.rand(n, 3, 5, 5, generator=stream(0, "pictures"))
    return (F.interpolate(small, SIDE, mode="bicubic").clamp(0, 1) * 255).round() / 255


def probits(n: int, classes: int = 10, scale: float = 2.0) -> Tensor:
    return (scale * torch.randn(n, classes, generator=stream(0, "rows", classes), dtype=torch.float64)).softmax(-1)


def pillow(images: Tensor) -> list[Image.Image]:
    return [Image.fromarray((255 * image).round().byte().permute(1, 2, 0).numpy()) for image in images]


def tensors(images: list[Image.Image]) -> Tensor:
    return torch.stack([torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in images]).float() / 255


def levels(one: Tensor, other: Tensor) -> int:
    """The largest difference in levels of 255."""
    return int((255 * (one - other)).abs().max().round())


@pytest.mark.parametrize("quality", [30, 60, 90, 100])
def test_jpeg_is_pillows_byte_for_byte(quality):
    images, expected = pictures_of(), []
    for image in pillow(images):
        file = BytesIO()
        image.save(file, "JPEG", quality=quality)
        expected.append(Image.open(file))
    assert torch.equal(pictures.jpeg(images, quality=quality), tensors(expected))


def test_a_second_jpeg_changes_less_than_the_first_and_the_best_one_changes_something():
    images = torch.rand(4, 3, SIDE, SIDE, generator=stream(0, "rough"))
    for quality in (30, 90):
        once = pictures.jpeg(images, quality=quality)
        assert levels(pictures.jpeg(once, quality=quality), once) < levels(once, images)
    assert levels(pictures.jpeg(images, quality=100), images) > 0


def test_equalising_is_pillows_is_monotone_and_leaves_a_constant_alone():
    images = pictures_of()
    found = pictures.equalise(images)
    assert torch.equal(found, tensors([ImageOps.equalize(image) for image in pillow(images)]))
    for channel, mapped in zip(images.flatten(0, 1).flatten(1), found.flatten(0, 1).flatten(1), strict=True):
        assert bool((mapped[channel.argsort()].diff() >= 0).all())
    flat = torch.full((1, 3, SIDE, SIDE), 100 / 255)
    assert torch.equal(pictures.equalise(flat), flat)


@pytest.mark.parametrize("bits", range(1, 9))
def test_posterising_leaves_two_to_the_bits_levels_and_is_idempotent(bits):
    images = torch.rand(2, 3, SIDE, SIDE, generator=stream(0, "rough"))
    found = pictures.posterise(images, bits=bits)
    assert len(found.unique()) <= 2**bits
    assert torch.equal(pictures.posterise(found, bits=bits), found)
    assert bits < 8 or float((found - images).abs().max()) <= 1 / 510 + 1e-7


def test_top_k_sends_k_probits_as_they_are():
    rows = probits(50)
    for k in (1, 3, 10):
        found = truncation.topk(rows, k=k)
        assert bool(((found > 0).sum(-1) == k).all())
        assert bool(((found == rows) | (found == 0)).all())
        assert torch.equal(found.argmax(-1), rows.argmax(-1))
    assert torch.equal(truncation.topk(rows, k=1) > 0, truncation.argmax(rows) > 0)


def test_the_label_alone_has_no_entropy():
    found = truncation.argmax(probits(50))
    assert bool((found.sort(-1).values == torch.eye(10)[-1]).all())


def test_rounding_sends_the_label_where_nothing_is_left():
    rows = torch.tensor([[0.26, 0.74], [0.5, 0.5]], dtype=torch.float64)
    assert truncation.rounding(rows, decimals=1)[0].tolist() == pytest.approx([0.3, 0.7])
    many = F.normalize(1 + 0.1 * probits(4, 100), p=1, dim=-1)  # each below 0.05
    found = truncation.rounding(many, decimals=1)
    assert torch.equal(found, F.one_hot(many.argmax(-1), 100).double())


def test_temperature_divides_the_logits():
    logits = torch.randn(20, 5, generator=stream(0, "logits"), dtype=torch.float64)
    torch.testing.assert_close(reshaping.temperature(logits.softmax(-1), degree=3.0), (logits / 3).softmax(-1))


def test_reverse_sigmoid_takes_half_of_beta_from_a_sure_answer():
    sure = torch.tensor([[1 - 1e-9, 1e-9]], dtype=torch.float64)
    sent = reshaping.reverse_sigmoid(sure, beta=0.21, gamma=1.0)
    moved = torch.tensor([1 - 0.21 / 2, 0.21 / 2], dtype=torch.float64)
    torch.testing.assert_close(sent[0], moved / moved.sum(), atol=1e-6, rtol=0)
    even = torch.tensor([[0.5, 0.5]], dtype=torch.float64)
    assert torch.equal(reshaping.reverse_sigmoid(even), even)
    # With both at 1 every probit becomes 1/2 before the sum is divided out, and the label is lost.
    torch.testing.assert_close(reshaping.reverse_sigmoid(probits(9), beta=1.0, gamma=1.0), torch.full((9, 10), 0.1).double())
    rows = probits(2000, scale=4)
    assert torch.equal(reshaping.reverse_sigmoid(rows).argmax(-1), rows.argmax(-1))


def test_reverse_sigmoid_turns_the_order_of_tiny_probits_around_and_keeps_the_label():
    """For gamma below 1 what is sent falls with the probit near 0 and near 1, and grows in between."""
    ends = torch.tensor([[1 - 1e-9, 1e-9]], dtype=torch.float64)
    sent = reshaping.reverse_sigmoid(ends)  # beta 0.21, gamma 0.2: towards 1 - beta/2 and beta/2
    torch.testing.assert_close(sent, torch.tensor([[0.895, 0.105]], dtype=torch.float64), atol=4e-3, rtol=0)
    tiny = torch.tensor([[0.9885, 0.008, 0.003, 0.0005]], dtype=torch.float64)
    sent = reshaping.reverse_sigmoid(tiny)[0]
    assert sent[1] < sent[2] < sent[3] < sent[0]
    large = torch.tensor([[0.55, 0.3, 0.1, 0.05]], dtype=torch.float64)
    sent = reshaping.reverse_sigmoid(large)[0]
    assert bool((sent.diff() < 0).all())


@pytest.mark.parametrize("text", ["probits | l1", "probits | cosine", "probits | jensen_shannon", "listwise | l2"])
def test_schemes_on_probits_still_run_on_the_label_alone(text):
    scheme = Scheme.parse(f"uniform(test) | {text}")
    outputs = truncation.argmax(torch.stack([probits(20), probits(20).roll(1, 0)])).log()
    queries = Queries(torch.zeros(20, 3, 0, 0), torch.arange(20), torch.arange(20))
    seen = representations.bound(scheme.representation)(Answers(queries, Access.PROBITS, outputs.clamp(min=-1e4)))
    whole = representations[scheme.representation.name].declares.whole
    distances = detectors.bound(scheme.detector)(seen[0], seen, Prefixes((20,), whole=whole))[:, 0]
    assert bool(distances.isfinite().all())
    assert float(distances[0].abs()) < 1e-6 < float(distances[1])


def test_misinformation_is_sent_below_tau_only_and_never_for_the_label():
    rows = torch.tensor([[0.9, 0.1, 0.0], [0.4, 0.3, 0.3]], dtype=torch.float64)
    sent = reshaping.adaptive_misinformation(rows, tau=0.7)
    torch.testing.assert_close(sent[0], rows[0])
    assert float(sent[1, 0]) < 1e-12
    at_tau = reshaping.adaptive_misinformation(torch.tensor([[0.7, 0.3]], dtype=torch.float64), tau=0.7)
    torch.testing.assert_close(at_tau, torch.tensor([[0.35, 0.65]], dtype=torch.float64))


def unit(rows: Tensor) -> Tensor:
    return rows / rows.norm(dim=-1, keepdim=True)


def turned(sent: Tensor, rows: Tensor, untrained: Tensor) -> Tensor:
    return (unit(untrained - sent) - unit(untrained - rows)).square().sum(-1)


def test_the_angle_between_answers_is_that_between_the_gradients_of_a_last_layer():
    rng = stream(0, "layer")
    weight, features = (torch.randn(*shape, generator=rng, dtype=torch.float64) for shape in ((5, 7), (7,)))
    weight.requires_grad_()
    untrained = (weight @ features).softmax(0)

    def gradient(answer: Tensor) -> Tensor:
        return torch.autograd.grad(-(answer * (weight @ features).log_softmax(0)).sum(), weight)[0].flatten()

    rows = probits(2, 5)
    between = unit(gradient(rows[0])) - unit(gradient(rows[1]))
    expected = turned(rows[:1], rows[1:], untrained.detach())
    torch.testing.assert_close(between.square().sum(), expected[0], atol=1e-6, rtol=0)


def test_poisoned_answers_are_as_far_as_allowed_keep_the_label_and_turn_most():
    rows, untrained = probits(60, 5), poisoning.student(5)
    sent = poisoning.mad(rows, eps=0.3)
    torch.testing.assert_close((sent - rows).abs().sum(-1), torch.full((60,), 0.3).double())
    assert bool((sent >= 0).all())
    assert torch.equal(sent.argmax(-1), rows.argmax(-1))
    vertices = []
    for members in product([0.0, 1.0], repeat=5):
        if any(members):
            vertices.append(torch.tensor(members).double() / sum(members))
    found = poisoning.mad(rows, eps=2.0)
    for row, vertex in zip(rows, found, strict=True):
        keeping = [one for one in vertices if one[row.argmax()] > 0]
        best = max(float(turned(one, row, untrained)) for one in keeping)
        assert float(turned(vertex, row, untrained)) == pytest.approx(best, abs=1e-9)


def test_many_classes_are_poisoned_nearly_as_much_by_a_sort(monkeypatch):
    rows, untrained = probits(200), poisoning.student(10)
    best = turned(poisoning.mad(rows, eps=2.0), rows, untrained)
    monkeypatch.setattr(poisoning, "ALL", 3)
    sorted_out = turned(poisoning.mad(rows, eps=2.0), rows, untrained)
    assert bool((sorted_out <= best + 1e-9).all())
    assert float((best - sorted_out).mean()) < 0.01


def least(row: np.ndarray, eps: float) -> float | None:
    """The optimum of ModelGuard-W's linear program, or None where it has no solution."""
    n, label, eye = len(row), int(row.argmax()), np.eye(len(row))
    behind = np.delete(eye - eye[label], label, axis=0)
    left = np.block(
        [[eye, -eye], [-eye, -eye], [behind, np.zeros((n - 1, n))], [np.zeros((1, n)), np.ones((1, n))]],
    )
    right = np.concatenate([row, -row, np.full(n - 1, -modelguard.MARGIN), [eps]])
    whole = np.concatenate([np.ones(n), np.zeros(n)])[None]
    cost = np.concatenate([np.log(row + modelguard.OFFSET), np.zeros(n)])
    solved = linprog(cost, left, right, whole, [1], bounds=(0, None))
    return solved.fun if solved.status == 0 else None


@pytest.mark.parametrize("eps", [0.01, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_modelguard_w_is_the_optimum_of_its_linear_program(eps, scale):
    rows = probits(30, scale=scale)
    sent = modelguard.modelguard_w(rows, eps=eps)
    assert float((sent - rows).abs().sum(-1).max()) <= eps + 1e-9
    for row, found in zip(rows.numpy(), sent.numpy(), strict=True):
        optimum = least(row, eps)
        if optimum is None:
            assert np.allclose(found, row)
        else:
            assert float((found * np.log(row + modelguard.OFFSET)).sum()) == pytest.approx(optimum, abs=1e-5)
            second, first = np.sort(found)[-2:]
            assert first - second >= modelguard.MARGIN - 1e-9


def test_modelguard_w_leaves_alone_whom_it_cannot_help():
    tied = torch.tensor([[0.5, 0.5 - 1e-6, 1e-6]], dtype=torch.float64)
    assert torch.equal(modelguard.modelguard_w(tied, eps=1e-5), tied)


def test_modelguard_s_sends_few_answers_none_farther_than_allowed_from_what_it_saw():
    rows = probits(800, scale=4)
    sent = modelguard.modelguard_s(rows, rows, eps=1.0)
    assert float((sent - rows).abs().sum(-1).max()) <= 1
    assert len(sent.unique(dim=0)) < 100
    assert torch.equal(sent.argmax(-1), rows.argmax(-1))
    for label in range(10):
        mine = rows[rows.argmax(-1) == label]
        listed = [mine[0]]
        for row in mine:  # as it is published: the first within eps, or the answer itself, which is listed then
            if not any(float((row - one).abs().sum()) <= 1 for one in listed):
                listed.append(row)
        assert torch.equal(modelguard._listed(mine, 1.0), torch.stack(listed))


def test_modelguard_s_sends_the_nearest_to_what_it_never_saw_and_the_answer_where_it_saw_no_such_label():
    seen = torch.tensor([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0]], dtype=torch.float64)
    asked = torch.tensor([[0.5, 0.2, 0.3], [0.1, 0.2, 0.7]], dtype=torch.float64)
    sent = modelguard.modelguard_s(asked, seen, eps=0.1)
    assert torch.equal(sent[0], seen[1])
    assert torch.equal(sent[1], asked[1])


def test_the_mean_over_copies_of_a_linear_model_comes_closer_as_one_over_the_root_of_their_number():
    weight = torch.randn(3 * 8 * 8, 3, generator=stream(0, "linear"))
    images = torch.rand(8, 3, 8, 8, generator=stream(0, "images"))

    def ask(some: Tensor) -> Tensor:
        return some.flatten(1) @ weight

    exact = ask(images)
    error = {n: float((smoothing.smooth_mean(ask, images, sd=0.1, copies=n) - exact).std()) for n in (16, 1600)}
    assert 5 < error[16] / error[1600] < 20
    assert error[16] == pytest.approx(0.1 * float(weight.norm(dim=0).mean()) / 4, rel=0.5)


def test_smoothing_draws_the_same_noise_for_the_same_image_only():
    images = torch.rand(2, 3, 8, 8, generator=stream(0, "images"))[[0, 1, 0]]
    asked: list[Tensor] = []

    def ask(some: Tensor) -> Tensor:
        asked.append(some)
        return some.flatten(1)[:, :3]

    smoothing.smooth_mean(ask, images, copies=5)
    assert torch.equal(asked[0], asked[2])
    assert not torch.equal(asked[0] - images[0], asked[1] - images[1])


def test_a_vote_without_noise_is_the_label_and_between_two_equal_classes_there_is_none():
    images = torch.rand(6, 3, 8, 8, generator=stream(0, "images"))

    def ask(some: Tensor) -> Tensor:
        return some.flatten(1)[:, :3]

    assert torch.equal(smoothing.smooth_vote(ask, images, sd=0.0).argmax(-1), ask(images).argmax(-1))

    def coin(some: Tensor) -> Tensor:
        heads = (some[:, 0, 0, 0] > images[0, 0, 0, 0]).float()
        return torch.stack([heads, 1 - heads, torch.zeros(len(some))], dim=1)

    assert not smoothing.smooth_vote(coin, images[:1]).any()
    assert smoothing.smooth_vote(coin, images[:1], alpha=1.0).any()
