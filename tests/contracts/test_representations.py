"""What every registered representation keeps to."""

from dataclasses import replace

import pytest
import torch

from qurd_core.access import Access
from qurd_core.errors import QurdError
from qurd_core.registry import representations
from qurd_core.types import Answers

CALLS = [call for name in representations for call in representations[name].variants()]
pytestmark = pytest.mark.parametrize("call", CALLS, ids=str)


def represent(call, answers: Answers) -> torch.Tensor:
    component = representations[call.name]
    return component.function(answers, **component.bind(call))


def test_the_pipeline_knows_its_rows(call, ask, suited):
    queries = suited(call.name)
    answers, declares = ask(queries), representations[call.name].declares
    found = represent(call, answers)
    rows = int(declares.rows(queries).sum()) if declares.rows else len(queries)
    assert found.shape[:2] == (len(answers.outputs), rows)
    assert not declares.square or found.shape[2] == rows
    assert bool(torch.isfinite(found.double()).all())


def test_a_model_looks_the_same_alone_and_among_others(call, ask, suited):
    answers = ask(suited(call.name))
    together = represent(call, answers)
    for model in range(len(together)):
        one = slice(model, model + 1)
        alone = represent(call, replace(answers, outputs=answers.outputs[one], slopes=answers.slopes[one]))
        torch.testing.assert_close(alone[0], together[model], atol=1e-6, rtol=1e-6)


def test_a_copy_looks_like_the_victim_and_a_stranger_does_not(call, ask, suited):
    found = represent(call, ask(suited(call.name)))
    torch.testing.assert_close(found[1], found[0])
    assert not torch.equal(found[4], found[0])


def test_leading_rows_need_only_leading_queries(call, ask, suited):
    queries = suited(call.name)
    answers, declares = ask(queries), representations[call.name].declares
    some = queries.take(len(queries) // 2)
    cut = {name: getattr(answers, name)[:, : len(some)] for name in ("outputs", "slopes")}
    fewer = represent(call, replace(answers, queries=some, **cut))
    expected = represent(call, answers)[:, : fewer.shape[1]]
    expected = expected[:, :, : fewer.shape[1]] if declares.square else expected
    torch.testing.assert_close(fewer, expected, atol=1e-6, rtol=1e-6)


def test_it_needs_the_declared_access_and_no_more(call, ask, suited):
    queries = suited(call.name)
    answers, component = ask(queries), representations[call.name]
    access = component.access(component.bind(call))
    represent(call, replace(answers, access=access))
    if access > Access.LABELS:
        with pytest.raises(QurdError, match="asked for"):
            represent(call, replace(answers, access=Access(access - 1)))


def test_answers_are_only_looked_at(call, ask, suited):
    answers = ask(suited(call.name))
    before = answers.outputs.clone(), answers.slopes.clone()
    represent(call, answers)
    assert torch.equal(answers.outputs, before[0])
    assert torch.equal(answers.slopes, before[1])
