"""A GPU gives the CPU's answers: labels of natural queries equal, scores within a thousandth. Skips without one."""

import pytest
import torch

from qurd_core.benchmarks.base import benchmark
from qurd_core.evaluation.workbench import Workbench
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")

VICTIM = "train(res,victim)"


@pytest.fixture
def desks(tmp_path):
    bench = benchmark("patchwork-sac")
    return [Workbench(bench, Store(tmp_path / device), Runtime(device=device)) for device in ("cpu", "cuda")]


def test_labels_of_natural_queries_are_equal(desks):
    on_cpu, on_gpu = (desk.natural(VICTIM, "test").argmax(1) for desk in desks)
    assert torch.equal(on_cpu, on_gpu)


@pytest.mark.parametrize("text", ["AKH", "uniform(test) | probits | l2", "ModelDiff"])
def test_scores_are_within_a_thousandth(desks, text):
    scheme = Scheme.parse(text)
    on_cpu, on_gpu = (desk.scores(VICTIM, [scheme], 0, (20,))[scheme]["values"] for desk in desks)
    assert torch.allclose(on_cpu, on_gpu, atol=1e-3)
