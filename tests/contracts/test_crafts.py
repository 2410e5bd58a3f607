"""What every registered craft keeps to."""

import pytest
import torch

from qurd_core.registry import crafts
from qurd_core.types import Queries, concatenate

pytestmark = pytest.mark.parametrize("name", list(crafts))


def equal(one: Queries, two: Queries) -> bool:
    """Whether two query sets are the same to the last bit."""
    parts = [
        (one.x, two.x),
        (one.group, two.group),
        (one.seed, two.seed),
        *((one.aux[key], two.aux[key]) for key in one.aux),
    ]
    return one.aux.keys() == two.aux.keys() and all(torch.equal(*pair) for pair in parts)


def test_a_craft_follows_its_generator_alone(name, craft):
    before = torch.get_rng_state()
    assert equal(craft(name), craft(name))
    assert torch.equal(torch.get_rng_state(), before)
    assert equal(craft(name), craft(name, rng=1)) == crafts[name].declares.deterministic


def test_queries_are_fit_for_the_store(name, craft):
    queries = craft(name)
    assert len(queries)
    for tensor in (queries.x, queries.group, queries.seed, *queries.aux.values()):
        assert tensor.device.type == "cpu"
        assert tensor.is_contiguous()
        assert not tensor.requires_grad
    assert {len(rows) for rows in queries.aux.values()} <= {len(queries), len(queries.group_ends)}


def test_groups_are_whole_and_as_large_as_declared(name, craft, values, seeds):
    queries = craft(name)
    (size,) = queries.group_ends.diff(prepend=torch.zeros(1, dtype=torch.long)).unique().tolist()
    assert size == crafts[name].group_size(values(name))
    assert set(queries.seed.tolist()) <= set(seeds.seed.tolist())


def test_a_budget_buys_a_prefix(name, craft):
    queries = craft(name)
    some = queries.take(len(queries) // 2)
    assert 0 < len(some) < len(queries)
    assert torch.equal(some.x, queries.x[: len(some)])
    assert all(torch.equal(rows, queries.aux[key][: len(rows)]) for key, rows in some.aux.items())


def test_truth_stays_or_is_declared_dropped(name, craft, pool):
    queries = craft(name)
    if "truth" in crafts[name].declares.drops:
        assert queries.truth is None
    else:
        assert torch.equal(queries.truth, pool.truth[queries.seed])


def test_the_aim_stays_or_is_declared_dropped(name, craft, pool):
    queries = craft(name)
    if "aim" in crafts[name].declares.drops:
        assert "aim" not in queries.aux
    else:
        assert torch.equal(queries.aux["aim"], pool.victim_labels[queries.seed])


def test_every_gradient_is_accounted_for(name, craft, linear):
    victim = linear("victim")
    assert int(craft(name, victim=victim).per_group("gradients").sum()) == victim.gradients


def test_the_victim_is_left_as_it_was(name, craft, linear):
    victim = linear("victim")
    before = {key: value.clone() for key, value in victim._module.state_dict().items()}
    craft(name, victim=victim)
    assert all(torch.equal(value, before[key]) for key, value in victim._module.state_dict().items())
    assert all(parameter.grad is None for parameter in victim._module.parameters())


def test_chunks_go_together(name, craft, seeds):
    halves = [
        Queries(seeds.x[rows], seeds.group[rows], seeds.seed[rows], seeds.truth[rows]) for rows in torch.arange(12).split(6)
    ]
    parts = [craft(name, on=half) for half in halves]
    both = concatenate(parts)
    assert torch.equal(both.x, torch.cat([part.x for part in parts]))
    assert len(both.group_ends) == sum(len(part.group_ends) for part in parts)
    assert both.aux.keys() == parts[0].aux.keys()
