import pytest
import torch

from qurd_core.access import Access
from qurd_core.detectors.norms import l1, l2
from qurd_core.representations.listwise import hard_listwise, listwise
from qurd_core.types import Answers, Prefixes, Queries


def answers(outputs: torch.Tensor) -> Answers:
    n = outputs.shape[1]
    return Answers(Queries(torch.zeros(n, 3, 0, 0), torch.arange(n), torch.arange(n)), Access.LOGITS, outputs)


def whole(rows: int) -> Prefixes:
    return Prefixes((rows,), square=True, whole=True)


@pytest.fixture
def outputs():
    return torch.randn(4, 20, 5, generator=torch.Generator().manual_seed(0))


def distances(first: torch.Tensor, second: torch.Tensor, detector=l1, of="logits") -> torch.Tensor:
    """Between the models of `first` and those of `second`, one by one."""
    pairs = zip(*(listwise(answers(outputs), of=of) for outputs in (first, second)), strict=True)
    return torch.cat([detector(one, two[None], whole(len(one)))[0] for one, two in pairs])


def test_orthogonal_answers_are_half_apart_and_opposite_ones_wholly():
    matrix = listwise(answers(torch.tensor([[[2.0, 0, 0], [0, 5, 0], [-3, 0, 0]]])), of="logits")
    torch.testing.assert_close(matrix, torch.tensor([[[0, 0.5, 1], [0.5, 0, 0.5], [1, 0.5, 0]]]))


def test_a_case_by_hand():
    ours, theirs = torch.tensor([[[1.0, 0], [0, 1]]]), torch.tensor([[[1.0, 0], [-1, 0]]])
    assert distances(ours, theirs).item() == pytest.approx((0 + 0.5 + 0.5 + 0) / 4)
    assert distances(ours, theirs, l2).item() == pytest.approx(((0.25 + 0.25) / 4) ** 0.5)


def test_it_is_blind_to_scale_and_class_order_but_not_to_a_constant(outputs):
    assert distances(outputs, outputs).max() == 0
    assert distances(outputs, 3 * outputs).max() < 1e-6
    assert distances(outputs, outputs[..., [3, 0, 4, 1, 2]]).max() < 1e-6
    assert distances(outputs, outputs + 5).min() > 0.01
    assert distances(outputs, outputs + 5, of="probits").max() < 1e-6
    assert distances(outputs, outputs.log_softmax(-1)).min() > 0.01  # logits are not log-probabilities


@pytest.mark.parametrize("detector", [l1, l2])
def test_the_order_of_the_queries_does_not_matter(outputs, detector):
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    other = outputs.roll(1, 0)
    torch.testing.assert_close(
        distances(outputs[:, order], other[:, order], detector), distances(outputs, other, detector), atol=1e-7, rtol=1e-5
    )


def test_answers_of_zeros_have_a_zero_diagonal_and_no_nan(outputs):
    outputs[:, :2] = 0
    matrix = listwise(answers(outputs), of="logits")
    assert matrix.diagonal(dim1=1, dim2=2).unique().tolist() == [0]
    assert matrix[:, 0, 1:].unique().tolist() == [0.5]


def test_it_is_a_share_and_symmetric(outputs):
    matrix = listwise(answers(outputs), of="probits")
    assert matrix.min() >= 0
    assert matrix.max() <= 1
    torch.testing.assert_close(matrix, matrix.mT)


def test_from_labels_it_has_the_authors_two_values_up_to_a_factor():
    """The authors take the cosine matrix of a softmax over 1 at the label and .01 elsewhere; ten classes give .0880."""
    labels = torch.tensor([[1, 4, 1, 9, 4, 0]])
    one_hot = torch.nn.functional.one_hot(labels, 10).float()
    authors = listwise(answers(one_hot.clamp(min=0.01)), of="probits")
    torch.testing.assert_close(authors, 0.0880 * hard_listwise(answers(one_hot)), atol=5e-5, rtol=0)


def test_on_two_values_the_square_norm_ranks_as_the_absolute_one(outputs):
    matrix = hard_listwise(answers(outputs))
    torch.testing.assert_close(l2(matrix[0], matrix, whole(20)), l1(matrix[0], matrix, whole(20)).sqrt())
