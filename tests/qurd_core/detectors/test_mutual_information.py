import pytest
import torch
from sklearn.metrics import mutual_info_score

from qurd_core.detectors.mutual_information import mutual_information
from qurd_core.errors import QurdError
from qurd_core.types import Prefixes


def random_symbols(models: int, rows: int, alphabet: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(alphabet, (models, rows), generator=torch.Generator().manual_seed(seed))


def alone(victim: list[int], suspect: list[int]) -> float:
    return mutual_information(torch.tensor(victim), torch.tensor([suspect]), Prefixes((len(victim),))).item()


@pytest.mark.parametrize("alphabet", [2, 4, 30])
def test_it_is_scikit_learns(alphabet):
    symbols, budgets = random_symbols(6, 60, alphabet), (60, 9, 25)
    symbols[1, ::2] = symbols[0, ::2]
    found = mutual_information(symbols[0], symbols, Prefixes(budgets))
    for column, n in enumerate(budgets):
        ours = symbols[0, :n]
        for model, theirs in enumerate(symbols[:, :n]):
            entropies = mutual_info_score(ours, ours), mutual_info_score(theirs, theirs)
            expected = 1 - mutual_info_score(ours, theirs) / min(entropies)
            assert found[model, column] == pytest.approx(expected, abs=1e-9)


def test_it_is_bit_for_bit_what_a_matrix_of_equal_symbols_gives():
    """The square form, whose numbers the shipped records have; this one takes memory for every query once."""

    def entropies(equal, rows):
        counts = equal.cumsum(1, dtype=torch.int32)
        return torch.stack([(n / counts[:, n - 1, :n].double()).log().mean(1) for n in rows], 1)

    for alphabet, rows in ((2, (1, 7, 50, 400)), (40, tuple(range(10, 401, 10))), (1000, (399,))):
        symbols = random_symbols(30, 400, alphabet)
        symbols[1::3, ::2] = symbols[0, ::2]
        ours, theirs = symbols[:1, :, None] == symbols[:1, None], symbols[:, :, None] == symbols[:, None]
        alone, other, joint = (entropies(equal, rows) for equal in (ours, theirs, ours & theirs))
        least = torch.minimum(alone, other)
        wanted = torch.where(least > 0, 1 - (alone + other - joint) / least, 1.0).clamp(0, 1)
        assert torch.equal(mutual_information(symbols[0], symbols, Prefixes(rows)), wanted)


def test_equal_and_relabelled_symbols_are_at_zero():
    u = [0, 1, 1, 0, 1, 0, 0, 1]
    assert alone(u, u) == 0
    assert alone(u, [1 - symbol for symbol in u]) == 0
    assert alone(u, [9 * symbol + 100 for symbol in u]) == 0


def test_a_balanced_independent_design_is_at_one():
    assert alone([0, 0, 1, 1] * 5, [0, 1, 0, 1] * 5) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 49, 400])
def test_a_constant_says_nothing(n):
    """The official code gave -1 here: its test for zero entropy missed 1e-16."""
    varied = [index % 2 for index in range(n)]
    assert alone([5] * n, [5] * n) == 1
    assert alone([5] * n, varied) == 1
    assert alone(varied, [5] * n) == 1


@pytest.mark.parametrize(("alphabet", "mean"), {2: 0.99, 6: 0.92, 10: 0.79, 102: 0.13, 1000: 0.01}.items())
def test_many_raw_labels_and_few_queries_make_strangers_look_stolen(alphabet, mean):
    """Why FBI compares ranks: mean distance of independent uniform sequences of 100."""
    first, second = random_symbols(200, 100, alphabet, seed=1), random_symbols(200, 100, alphabet, seed=2)
    found = torch.cat([mutual_information(u, v[None], Prefixes((100,))) for u, v in zip(first, second, strict=True)])
    assert found.mean() == pytest.approx(mean, abs=0.01)


def test_numbers_that_are_no_symbols_are_refused():
    with pytest.raises(QurdError, match="Expected integer symbols"):
        mutual_information(torch.rand(5), torch.rand(2, 5), Prefixes((5,)))
