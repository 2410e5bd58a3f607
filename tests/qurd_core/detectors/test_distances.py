"""Hamming, l1, l2, cosine and Jensen-Shannon against SciPy."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial import distance

from qurd_core.detectors.cosine import aligned_cosine, cosine
from qurd_core.detectors.hamming import hamming
from qurd_core.detectors.jensen_shannon import jensen_shannon
from qurd_core.detectors.norms import l1, l2
from qurd_core.types import Prefixes


def rng() -> torch.Generator:
    """The same for every test, so that a test sees the same numbers when it runs alone."""
    return torch.Generator().manual_seed(0)


VECTORS = torch.randn(5, 30, 4, generator=rng())
SYMBOLS = torch.randint(4, (5, 30), generator=rng())
BUDGETS = (7, 30, 1)


def expected(function, values: torch.Tensor) -> torch.Tensor:
    """(M,B) a distance of plain arrays, of the first model from every model at every budget."""
    rows = [[function(values[0, :n].numpy(), model[:n].numpy()) for n in BUDGETS] for model in values]
    return torch.tensor(rows, dtype=torch.float64)


def close(found: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-6)


def test_hamming_is_scipys():
    close(hamming(SYMBOLS[0], SYMBOLS, Prefixes(BUDGETS)), expected(distance.hamming, SYMBOLS))


def test_hamming_of_lists_counts_every_place():
    found = hamming(torch.tensor([[1, 2], [3, 4]]), torch.tensor([[[1, 2], [4, 3]], [[1, 9], [3, 4]]]), Prefixes((2,)))
    assert found.tolist() == [[0.5], [0.25]]


def test_the_two_ends_of_hamming():
    assert hamming(SYMBOLS[0], (SYMBOLS[:1] + 1) % 4, Prefixes((30,))).item() == 1
    assert hamming(SYMBOLS[0], SYMBOLS[:1], Prefixes((30,))).item() == 0


def test_akh_sees_nothing_but_the_mistakes_it_is_shown():
    """h is wrong on E; h' equals h on half of E: the distance is one half whatever happens elsewhere."""
    wrong = torch.arange(10)
    victim, suspect = torch.zeros(100, dtype=torch.long), torch.randint(3, (100,), generator=rng())
    victim[wrong] = 1
    suspect[wrong] = torch.tensor([1, 2]).repeat(5)
    assert hamming(victim[wrong], suspect[None, wrong], Prefixes((10,))).item() == 0.5


@pytest.mark.parametrize("whole", [False, True])
def test_l1_and_l2_are_means_over_all_entries(whole):
    budgets = Prefixes(BUDGETS, whole=whole)
    close(l1(VECTORS[0], VECTORS, budgets), expected(lambda u, v: np.abs(u - v).mean(), VECTORS))
    close(
        l2(VECTORS[0], VECTORS, budgets),
        expected(lambda u, v: distance.euclidean(u.ravel(), v.ravel()) / u.size**0.5, VECTORS),
    )


def test_cosine_of_raw_outputs_is_the_mean_over_queries():
    found = cosine(VECTORS[0], VECTORS, Prefixes(BUDGETS))
    close(found, expected(lambda u, v: np.mean([distance.cosine(*rows) for rows in zip(u, v, strict=True)]), VECTORS))


@pytest.mark.parametrize("square", [False, True])
def test_cosine_of_a_whole_is_that_of_the_flat_vectors(square):
    values = torch.randn(5, 30, 30, generator=rng()) if square else VECTORS
    found = cosine(values[0], values, Prefixes(BUDGETS, square=square, whole=True))
    cut = (lambda u: u[:, : len(u)].ravel()) if square else np.ravel
    close(found, expected(lambda u, v: distance.cosine(cut(u), cut(v)), values))


@pytest.mark.parametrize("whole", [False, True])
def test_the_cosine_of_nothing_is_defined(whole):
    zero, one = torch.zeros(1, 3, 2), torch.ones(1, 3, 2)
    budgets = Prefixes((3,), whole=whole)
    assert cosine(zero[0], zero, budgets).item() == 0
    assert cosine(zero[0], one, budgets).item() == 1
    assert cosine(one[0], zero, budgets).item() == 1
    assert cosine(one[0], -one, budgets).item() == pytest.approx(2)


def test_short_vectors_have_angles_too():
    tiny = 1e-12 * VECTORS.double()
    torch.testing.assert_close(
        cosine(tiny[0], tiny, Prefixes((30,), whole=True)),
        cosine(VECTORS[0], VECTORS, Prefixes((30,), whole=True)),
        atol=1e-6,
        rtol=0,
    )


def test_jensen_shannon_is_the_square_of_scipys():
    probits = VECTORS.softmax(-1)
    found = jensen_shannon(probits[0], probits, Prefixes(BUDGETS))
    close(found, expected(lambda u, v: (distance.jensenshannon(u, v, axis=1) ** 2).mean(), probits))


def test_certain_and_opposite_answers_are_ln_2_apart():
    first, second = torch.eye(3)[None, [0, 1]], torch.eye(3)[None, [1, 2]]
    assert jensen_shannon(first[0], second, Prefixes((2,))).item() == pytest.approx(math.log(2))
    assert jensen_shannon(first[0], first, Prefixes((2,))).item() == 0


def weights(models: int = 4, classes: int = 6) -> torch.Tensor:
    return torch.randn(models, 30, classes, generator=rng(), dtype=torch.float64)


def test_classes_in_another_order_are_matched():
    found = weights()
    permuted = found[:1][..., [4, 2, 0, 5, 1, 3]]
    budgets = Prefixes((9, 30), whole=True)
    assert aligned_cosine(found[0], permuted, budgets).max() < 1e-12
    assert cosine(found[0], permuted, budgets).min() > 0.1
    assert aligned_cosine(found[0], 7 * permuted, budgets).max() < 1e-12


def test_the_matching_is_the_best_of_all():
    found = weights(classes=3)
    best = []
    for model in found:
        costs = torch.tensor(
            [[distance.cosine(found[0, ..., a].ravel(), model[..., b].ravel()) for b in range(3)] for a in range(3)]
        )
        orders = torch.cartesian_prod(*[torch.arange(3)] * 3)
        orders = orders[[len(set(order.tolist())) == 3 for order in orders]]
        order = orders[costs[torch.arange(3), orders].sum(1).argmin()]
        best.append(distance.cosine(found[0].ravel(), model[..., order].ravel()))
    torch.testing.assert_close(
        aligned_cosine(found[0], found, Prefixes((30,), whole=True))[:, 0], torch.tensor(best, dtype=torch.float64)
    )
