"""Mixtures of samplers: what each prefix holds, what it costs, and shares that make no sense."""

import pytest
import torch

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from qurd_core.types import Queries, interleave
from tests.toy import VICTIMS

HEAD = "labels | hamming"
MIX = f"negative(test)@50 + uniform(test)->pgd@50 | {HEAD}"
PARTS = [f"negative(test) | {HEAD}", f"uniform(test)->pgd | {HEAD}"]


def queries(sizes, first):
    group = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    x = (torch.full((len(group), 3, 1, 1), float(first)) + torch.arange(len(group))[:, None, None, None]) / 1000
    return Queries(x, group, torch.arange(len(group)), None, {"gradients": torch.arange(len(sizes))})


@pytest.fixture
def desk(tmp_path):
    workbench.cache_clear()
    yield Workbench(benchmark("toy"), Store(tmp_path), Runtime())
    workbench.cache_clear()


def scores(desk, text, budgets=(10, 20, 40)):
    return desk.scores(VICTIMS[0], [Scheme.parse(text)], 0, budgets)[Scheme.parse(text)]


@pytest.mark.parametrize("shares", [(50, 50), (30, 60), (10, 70), (3, 2)])
def test_every_prefix_holds_the_parts_in_proportion_up_to_a_group(shares):
    parts = queries([1] * 40, 0), queries([2] * 40, 100)
    both, rows = interleave(parts, shares)
    second = (rows >= 40).cumsum(0)
    expected = torch.arange(1, len(rows) + 1) * shares[1] / sum(shares)
    assert float((second - expected).abs().max()) <= 2
    assert torch.equal(both.x, torch.cat([part.x for part in parts])[rows])
    assert torch.equal(both.group_ends.diff(prepend=torch.zeros(1, dtype=torch.long)).unique(), torch.tensor([1, 2]))


def test_a_larger_budget_keeps_the_queries_of_a_smaller_one_and_the_order_of_each_part():
    few, many = (interleave((queries([1] * n, 0), queries([2] * n, 100)), (50, 50)) for n in (5, 20))
    assert torch.equal(many[0].x[: len(few[0])], few[0].x)
    assert torch.equal(many[0].aux["gradients"][: len(few[0].group_ends)], few[0].aux["gradients"])
    mine = many[1][many[1] < 20]
    assert torch.equal(mine, torch.arange(len(mine)))


def test_a_part_that_runs_out_ends_the_set():
    both, rows = interleave((queries([1] * 3, 0), queries([1] * 30, 100)), (1, 1))
    assert (rows < 3).sum() == 3
    assert len(both) == 6
    assert len(interleave((queries([1] * 3, 0).take(0), queries([1] * 3, 100)), (1, 1))[0]) == 0


def test_the_distance_of_a_mixture_is_that_of_its_parts_weighted_by_what_each_gives(desk):
    mixed = scores(desk, MIX, (40,))
    alone = [scores(desk, text, (20,)) for text in PARTS]
    torch.testing.assert_close(mixed["values"], (alone[0]["values"] + alone[1]["values"]) / 2)
    assert mixed["used"].tolist() == [40]
    assert int(mixed["gradients"]) == int(alone[1]["gradients"])
    assert int(mixed["samples"]) == int(alone[0]["samples"])


def test_parts_asked_alone_before_cost_no_pass_in_a_mixture(desk):
    for text in PARTS:
        scores(desk, text, (400,))
    before = sum(oracle.asked for oracle in desk.oracles.values())
    scores(desk, MIX)
    assert sum(oracle.asked for oracle in desk.oracles.values()) == before


def test_a_mixture_runs_and_says_where_a_part_runs_out(tmp_path):
    with pytest.warns(UserWarning, match=r"negative\(test\) runs out at 80 queries to train\(vgg,victim\), before 100"):
        table = evaluate("toy", [MIX], budgets=[20, 100], seeds=1, store=Store(tmp_path))
    assert table.set_index("budget")["used"].to_dict() == {20: 20, 100: 100}, "the other victim errs often enough"
    assert str(Scheme.parse(str(Scheme.parse(MIX)))) == MIX


@pytest.mark.parametrize(
    ("sampler", "says"),
    [
        ("negative(test)@50", "two samplers or more with their shares"),
        ("negative(test)@50 + negative(test)@50", "stands twice"),
        ("negative(test)@0 + uniform(test)@50", "whole numbers of at least 1. Got 0"),
        ("negative(test)@0.5 + uniform(test)@50", "Got 0.5"),
        ("negative(test)@half + uniform(test)@50", "Got 'half'"),
        ("negative(test)@50 + uniform(test)->pgd@51", "whole groups of 2 queries. Got 51"),
        ("negative(test)@50 + uniform(test)", "Expected @, got '|'"),
        ("negative(test)@50 + noise->superpixels@100", "superpixels needs photographs"),
    ],
)
def test_shares_that_make_no_sense_are_refused_in_a_sentence(sampler, says):
    with pytest.raises(QurdError) as refused:
        Scheme.parse(f"{sampler} | {HEAD}")
    assert says in str(refused.value)


def test_a_look_that_needs_pairs_of_all_queries_is_refused_where_a_part_has_none():
    with pytest.raises(QurdError, match="needs pairs of images"):
        Scheme.parse("negative(test)@50 + uniform(test)->pgd@50 | pairwise | cosine")
    with pytest.raises(QurdError, match="in the sampler only"):
        Scheme.parse("negative(test) | labels@2 + probits@1 | hamming")
