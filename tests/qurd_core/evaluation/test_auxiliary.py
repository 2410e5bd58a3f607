"""Seeds that are chosen by auxiliary models: whom a rule sees, and that scores are not taken for those of another pool."""

from dataclasses import replace

import pytest
import torch

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation import request as requests
from qurd_core.evaluation.workbench import Workbench
from qurd_core.registry import seed_rules
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from qurd_core.types import Draw
from tests.toy import STRANGERS, VICTIMS

POOLS = ["train(vgg,attacker,seed=100)", "train(res,attacker,seed=101)"]
BUDGETS = (10, 20)


@pytest.fixture
def shared_errors(monkeypatch):
    """A rule that picks what victim and auxiliary models get wrong, registered for a while."""
    monkeypatch.setattr(seed_rules, "_components", dict(seed_rules._components))
    seen = []

    @seed_rules.register(
        name="shared_errors",
        provides={"photo", "truth", "scarce", "aim"},
        needs={"victim labels", "pool labels"},
        pool="test",
    )
    def pick(pool, rng, n):
        """Photographs that victim and auxiliary models get wrong."""
        seen.append(pool)
        wrong = (pool.victim_labels != pool.truth) & (pool.pool_labels != pool.truth).any(0)
        indices = wrong.nonzero().squeeze(1)
        order = indices[torch.randperm(len(indices), generator=rng)][:n]
        return Draw(order, torch.full_like(order, len(pool)))

    return seen


@pytest.fixture
def scheme(shared_errors):
    return Scheme.parse("shared_errors | aimed | l1")


def desk_with(pool, tmp_path):
    bench = replace(benchmark("toy"), pools=dict.fromkeys(VICTIMS, tuple(pool)))
    return Workbench(bench, Store(tmp_path), Runtime())


def test_a_rule_sees_the_labels_of_every_auxiliary_model(scheme, shared_errors, tmp_path):
    desk = desk_with(POOLS, tmp_path)
    desk.draw(VICTIMS[0], scheme, 0)
    wanted = torch.stack([desk.natural(model, "test").argmax(1) for model in POOLS])
    assert torch.equal(shared_errors[0].pool_labels, wanted)
    assert torch.equal(shared_errors[0].victim_labels, desk.natural(VICTIMS[0], "test").argmax(1))


def test_what_the_rule_needs_is_among_what_is_asked_first(scheme, tmp_path):
    desk = desk_with(POOLS, tmp_path)
    asked = [model for model, _ in desk.natural_needs(VICTIMS[0], scheme)]
    assert asked == [VICTIMS[0], *POOLS]
    assert not {*POOLS} & {*desk.models(VICTIMS[0])}


def test_scores_with_one_pool_are_not_those_with_another(scheme, tmp_path):
    desks = [desk_with(pool, tmp_path) for pool in (POOLS, POOLS[:1])]
    desks[0].scores(VICTIMS[0], [scheme], 0, BUDGETS)
    assert [desk.has_scores(VICTIMS[0], scheme, 0, BUDGETS) for desk in desks] == [True, False]
    crafted = Scheme.parse("shared_errors->pgd(steps=2) | labels | hamming")
    first, second = (next(desk.queries(VICTIMS[0], crafted, 0, 10)) for desk in desks)
    assert not torch.equal(first.seed[: len(second)], second.seed[: len(first)])


def test_a_pool_changes_no_key_of_a_scheme_that_does_not_look_at_it(shared_errors, tmp_path):
    plain = Scheme.parse("AKH")
    keys = [desk_with(pool, tmp_path)._stored(VICTIMS[0], plain, 0, BUDGETS)[0].digest for pool in (POOLS, ())]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("pool", "says"), [((), "and toy has none for train"), ((STRANGERS[0],), "that stand in no pair of toy. Got train")]
)
def test_a_benchmark_without_auxiliary_models_and_one_that_judges_them_are_refused(scheme, pool, says):
    bench = replace(benchmark("toy"), pools=dict.fromkeys(VICTIMS, pool))
    with pytest.raises(QurdError, match=says):
        requests._check_answers(bench, scheme)
