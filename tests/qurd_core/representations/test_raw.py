import pytest
import torch

from qurd_core.access import Access
from qurd_core.representations.raw import labels, logits, probits, rank, topk
from qurd_core.types import Answers, Queries


@pytest.fixture
def answers():
    rng = torch.Generator().manual_seed(0)
    queries = Queries(torch.zeros(40, 3, 0, 0), torch.arange(40), torch.arange(40), torch.randint(6, (40,), generator=rng))
    return Answers(queries, Access.LOGITS, torch.randn(3, 40, 6, generator=rng))


def test_raw_answers_are_the_answers(answers):
    assert torch.equal(logits(answers), answers.outputs)
    torch.testing.assert_close(probits(answers), answers.outputs.softmax(-1))
    assert torch.equal(labels(answers), answers.outputs.argmax(-1))
    assert torch.equal(topk(answers, k=1)[..., 0], labels(answers))
    assert topk(answers, k=4).shape == (3, 40, 4)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_the_rank_is_the_place_of_the_truth_among_the_best(answers, k):
    found, truth = rank(answers, k=k), answers.queries.truth.tolist()
    for model, rows in enumerate(answers.outputs.tolist()):
        for query, scores in enumerate(rows):
            place = sum(score > scores[truth[query]] for score in scores)
            assert found[model, query] == min(place, k)


def test_with_one_label_the_rank_is_right_or_wrong(answers):
    assert torch.equal(rank(answers, k=1) == 0, labels(answers) == answers.queries.truth)
    assert set(rank(answers, k=1).unique().tolist()) == {0, 1}
