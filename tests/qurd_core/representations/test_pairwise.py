import pytest
import torch
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.detectors.cosine import cosine
from qurd_core.representations.pairwise import hard_pairwise, pairwise
from qurd_core.types import Answers, Prefixes, Queries


def answers(outputs: torch.Tensor) -> Answers:
    n = outputs.shape[1]
    return Answers(Queries(torch.zeros(n, 3, 0, 0), torch.arange(n) // 2, torch.arange(n) // 2), Access.LOGITS, outputs)


@pytest.fixture
def outputs():
    return torch.randn(4, 20, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("of", ["logits", "probits"])
def test_it_is_one_minus_the_cosine_of_every_pair(outputs, of):
    shown = getattr(answers(outputs), of)
    expected = 1 - F.cosine_similarity(shown[:, 0::2], shown[:, 1::2], dim=-1)
    torch.testing.assert_close(pairwise(answers(outputs), of=of), expected.double(), atol=1e-6, rtol=1e-4)


def test_it_is_blind_to_scale_and_class_order_but_not_to_a_constant(outputs):
    ddv = pairwise(answers(outputs), of="logits")
    scaled = outputs * torch.tensor([3.0, 0.5]).repeat(10)[:, None]
    torch.testing.assert_close(pairwise(answers(scaled), of="logits"), ddv)
    torch.testing.assert_close(pairwise(answers(outputs[..., [3, 0, 4, 1, 2]]), of="logits"), ddv)
    assert (pairwise(answers(outputs + 5), of="logits") - ddv).abs().min() > 1e-3
    torch.testing.assert_close(
        pairwise(answers(outputs + 5), of="probits"), pairwise(answers(outputs), of="probits"), atol=1e-6, rtol=1e-4
    )


@pytest.mark.parametrize("of", ["logits", "probits"])
def test_pairs_that_do_not_differ_are_at_exactly_zero_and_the_distance_is_defined(craft, ask, of):
    queries = craft("pgd", eps=0.0)
    outputs = ask(queries).outputs[:, ::2].repeat_interleave(2, 1)  # to the last bit, wherever they stood in their batch
    ddv = pairwise(Answers(queries, Access.LOGITS, outputs), of=of)
    assert ddv.unique().tolist() == [0]
    assert cosine(ddv[0], ddv, Prefixes((3, 12), whole=True)).unique().tolist() == [0]


def test_the_victim_with_its_classes_in_another_order_is_at_distance_zero(outputs):
    both = torch.cat([outputs[:1], outputs[:1][..., [3, 0, 4, 1, 2]], outputs[1:]])
    distances = cosine(
        *(pairwise(answers(both), of="logits")[rows] for rows in (0, slice(None))), Prefixes((10,), whole=True)
    )
    assert distances[1] < 1e-6
    assert distances[2:].min() > 1e-3


def test_an_output_of_zeros_gives_no_nan(outputs):
    outputs[:, :3] = 0
    ddv = pairwise(answers(outputs), of="logits")
    assert ddv[:, 0].tolist() == [0] * 4
    assert ddv[:, 1].tolist() == pytest.approx([0.5] * 4)


def test_labels_move_around_the_circle_of_classes():
    labels = torch.tensor([[0, 2, 2, 0, 1, 1, 3, 2]])
    assert hard_pairwise(answers(F.one_hot(labels, 4).float())).tolist() == [[2, 2, 0, 3]]
