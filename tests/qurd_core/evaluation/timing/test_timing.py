"""What `qurd speed` measures, on the toy benchmark: that it counts what it says, not how fast this machine is."""

import math
import subprocess
import sys

import pytest
import torch
from torch import nn

from qurd_core.benchmarks.base import benchmark
from qurd_core.evaluation.timing import bare, crafted, growth, peers
from qurd_core.evaluation.timing.clock import timed
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from tests import toy as _toy  # noqa: F401 (importing registers the benchmark)

SOME = ("AKH", "Random", "uniform(test)->pgd(steps=3) | labels | hamming")


@pytest.fixture
def toy():
    return benchmark("toy")


def schemes(*texts):
    return [Scheme.parse(text) for text in texts]


def test_an_exponent_is_the_slope_between_logarithms():
    assert growth.exponent([1, 10, 100], [5.0, 5.0, 5.0]) == 0
    assert growth.exponent([50, 100, 800], [0.5, 1.0, 8.0]) == 1
    assert growth.exponent([2, 4], [3.0, 12.0]) == 2
    assert math.isnan(growth.exponent([10], [1.0]))
    assert math.isnan(growth.exponent([1, 2], [0.0, 1.0]))


def test_bare_passes_are_counted_by_image_and_gradient(toy):
    found = bare.compared(toy, schemes("uniform(test)->pgd(steps=3) | labels | hamming"))
    models, seeds, queries = len(toy.pairs_of(toy.victims[0])), bare.SEEDS, 400
    parts = -(-queries // 64)
    seeds_made = min(parts * 32, 160)  # half the queries of a part, out of the seed set
    assert found["gradients"] == seeds * seeds_made * 3
    answers = seeds * 2 * seeds_made * models
    labels = seeds * seeds_made  # that a craft asks the victim first
    assert found["asked"] == found["gradients"] + labels + answers
    assert found["met"] == (found["ratio"] <= 0.7)


@pytest.mark.slow
def test_every_axis_works_through_its_numbers(toy):
    rows = {row["against"]: row for row in growth.axes(toy, schemes(*SOME))}
    assert rows["suspects"]["numbers"] == [10, 20, 28], "as many as there are"
    assert rows["combinations"]["numbers"] == [1, 3, 10, 30, 100]
    assert rows["queries"]["numbers"] == [50, 100, 200], "what 160 seeds with pairs pay for"
    for row in rows.values():
        assert len(row["seconds"]) == len(row["memory_mb"]) == len(row["numbers"])
        assert row["met"] == (row["exponent"] <= row["goal"])
        assert row["seconds"] == sorted(row["seconds"]) or row["against"] in ("suspects", "queries")


@pytest.mark.slow
def test_more_combinations_and_query_seeds_ask_no_model_again(toy, monkeypatch):
    asked = []
    standing = growth.standing

    class Counted:
        def __init__(self, *arguments):
            self.inner = standing(*arguments)

        def __enter__(self):
            self.desk = self.inner.__enter__()
            return self.desk

        def __exit__(self, *error):
            asked.append(sum(oracle.asked for oracle in self.desk.oracles.values()))
            return self.inner.__exit__(*error)

    monkeypatch.setattr(growth, "standing", Counted)
    for numbers in ([1], [1, 50]):
        list(growth.by_combinations(toy, schemes(*SOME), numbers))
    for numbers in ([1], [1, 20]):
        list(growth.by_seeds(toy, schemes(*SOME), numbers))
    assert asked[0] == asked[1] > 0
    assert asked[2] == asked[3] > 0


def test_a_scheme_that_runs_out_of_seeds_does_not_measure_growth(toy):
    with growth.standing(toy, 5) as desk:
        akh, zest = schemes("AKH", "ZestOfLIME")
        assert growth.spends(desk, akh, 20)
        assert not growth.spends(desk, akh, 100), "the victim is wrong on a quarter of 160"
        assert not growth.spends(desk, zest, 50), "which buys no group of 100"


@pytest.mark.slow
def test_every_craft_of_a_named_scheme_has_a_row(toy):
    rows = {row["craft"]: row for row in crafted.crafted(toy)}
    assert {"pgd", "boundary", "cutmix", "superpixels", "deepfool"} <= {*rows}
    assert rows["pgd"]["queries"] == 128
    assert all(row["ours_ms"] > 0 and row["faster"] > 0 for row in rows.values())
    assert 0 <= rows["pgd"]["captum_moved"] <= 1
    assert rows["pgd"]["captum_ms"] > 0


def test_a_peer_runs_with_the_settings_of_the_craft(linear):
    """captum's images lie within eps of where they began and have other labels, as the craft's do."""
    victim, x = linear("victim"), torch.rand(12, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    labels, values = victim.labels(x), crafted.values("pgd", eps=0.2)
    moved = dict(peers.attacks("pgd", victim.module, x, labels, values))["captum"]()
    assert float((moved - x).abs().max()) <= 0.2 + 1e-6
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1
    assert (victim.labels(moved.detach()) != labels).all()
    assert not list(peers.attacks("cutmix", victim.module, x, labels, {}))


def test_memory_is_the_most_since_it_was_asked_for():
    """In a process of its own: one that has held more before may not be told of less."""
    code = """
import torch
from qurd_core.evaluation.timing.clock import Peak
peak = Peak()
before = peak()
held = torch.zeros(40_000_000)  # 160 MB
assert peak() - before >= held.nbytes * 0.9 or before == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_command_that_fails_says_what_it_said():
    with pytest.raises(RuntimeError, match="no such thing"):
        timed(["-c", "raise SystemExit('no such thing')"])


def test_a_pass_is_measured_on_the_eager_module(toy):
    x = toy.images("test").pixels[:64].float() / 255
    one = bare.Pass(toy.oracle(toy.victims[0], Runtime()), x, backward=True)
    assert isinstance(toy.oracle(toy.victims[0], Runtime()).module, nn.Module)
    assert one.forward > 0
    assert one.backward > 0
