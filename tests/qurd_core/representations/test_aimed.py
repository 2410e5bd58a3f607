"""The probability of the victim's class, by hand."""

import torch

from qurd_core.access import Access
from qurd_core.representations.aimed import aimed
from qurd_core.types import Answers, Queries


def test_it_is_the_probability_of_the_class_that_the_victim_gave():
    probits = torch.tensor([[[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]], [[0.1, 0.8, 0.1], [0.25, 0.25, 0.5]]])
    queries = Queries(torch.zeros(2, 3, 1, 1), torch.arange(2), torch.arange(2), None, {"aim": torch.tensor([0, 2])})
    torch.testing.assert_close(
        aimed(Answers(queries, Access.PROBITS, probits.log())), torch.tensor([[0.7, 0.4], [0.1, 0.5]])
    )
