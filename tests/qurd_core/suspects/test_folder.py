"""Suspects in a folder of models: roles in its manifest, crafted queries, and how often each model is asked."""

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation.workbench import _workbench, workbench
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects.checking import check
from tests.qurd_core.benchmarks.own.test_model_folder import network

CLASSES = ["cat", "dog", "owl"]
UNRELATED, ITEMS = 20, 120


def folder_of_suspects(home, suspects=1):
    """A victim, unrelated models and suspects, of which the first is the victim with a little noise."""
    home.mkdir()
    rng = np.random.default_rng(0)
    blocks = rng.integers(256, size=(ITEMS, 3, 6, 6), dtype=np.uint8).repeat(6, 2).repeat(6, 3)[..., :32, :32]
    pixels = torch.from_numpy(np.ascontiguousarray(blocks))
    save_file({"pixels": pixels, "truth": torch.arange(ITEMS) % 3}, home / "test.safetensors")
    victim = network(0)
    noise = torch.Generator().manual_seed(1)
    copy = {n: t + 0.002 * t.std() * torch.randn(t.shape, generator=noise) if t.ndim > 1 else t for n, t in victim.items()}
    nets = {"mine": victim} | {f"u{n}": network(n + 1) for n in range(UNRELATED)}
    nets |= {f"s{n}": copy if n == 0 else network(100 + n) for n in range(suspects)}
    models = []
    for name, weights in nets.items():
        save_file(weights, home / f"{name}.safetensors")
        role = {"m": "victim", "u": "unrelated", "s": "suspect"}[name[0]]
        about = {"model": name, "role": role, "architecture": "patchwork/mb", "weights": f"{name}.safetensors"}
        models.append(about | ({} if role == "suspect" else {"lineage": f"train(mb,{name})"}))
    manifest = {"classes": CLASSES, "side": 32, "images": {"test": "test.safetensors"}, "models": models}
    manifest["normalisation"] = {"mean": [0.5] * 3, "std": [0.25] * 3}
    (home / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    return home


class Counted:
    """Counts the images that models are asked about while it is open.

    Args:
        fails_after: calls after which the power is gone.
    """

    def __init__(self, monkeypatch, fails_after=None):
        self.images, self.by_model, self._left, self._patch = 0, {}, fails_after, monkeypatch

    def __enter__(self):
        _workbench.cache_clear()
        asking = Oracle.logits

        def logits(oracle, x):
            if self._left is not None:
                self._left -= 1
                if self._left < 0:
                    raise QurdError("the power is gone")
            self.images += len(x)
            self.by_model[oracle.name] = self.by_model.get(oracle.name, 0) + len(x)
            return asking(oracle, x)

        self._context = self._patch.context()
        self._context.__enter__().setattr(Oracle, "logits", logits)
        return self

    def __exit__(self, *ended):
        self._context.__exit__(*ended)
        _workbench.cache_clear()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return folder_of_suspects(tmp_path_factory.mktemp("suspects") / "bench", suspects=2)


@pytest.mark.slow
def test_everybody_is_sent_the_queries_and_the_fit_and_nothing_else(home, tmp_path, monkeypatch):
    workbench(benchmark(str(home)), Store(tmp_path), Runtime())  # read first, in a process with limits
    with Counted(monkeypatch) as counted:
        found = check(str(home), budget=20, fit=15, level=0.1, store=Store(tmp_path))
    assert all(one.asked == 20 and one.fit.asked == 15 for one in found.each)
    assert counted.by_model.pop("mine") == ITEMS  # its answers choose
    assert {counted.by_model.pop(name) for name in ("s0", "s1")} == {20 + 15}
    assert {*counted.by_model} == {f"u{n}" for n in range(UNRELATED)}
    assert {*counted.by_model.values()} == {ITEMS}  # how good they are is seen on all of so few


@pytest.mark.slow
def test_crafted_queries_are_answered_once(home, tmp_path, monkeypatch):
    scheme = "negative(test)->pgd | pairwise(of=logits) | cosine"
    how = {"budget": 20, "fit": 0, "level": 0.1, "store": Store(tmp_path)}
    first = check(str(home), scheme=scheme, suspects=["s0"], **how)
    with Counted(monkeypatch) as counted:
        both = check(str(home), scheme=scheme, **how)
    assert {*counted.by_model} == {"s1"}
    assert both.each[0].p == first.each[0].p


def test_a_split_that_is_not_there_is_named(home, tmp_path):
    with pytest.raises(QurdError, match=r"Unknown split of .* 'train'"):
        check(str(home), scheme="IPGuard", store=Store(tmp_path))


@pytest.mark.slow
def test_gradients_of_suspects_are_taken_where_a_scheme_needs_them(home, tmp_path):
    scheme = "negative(test)->paths | gradient_field | cosine"
    found = check(str(home), scheme=scheme, budget=11, fit=0, level=0.1, store=Store(tmp_path))
    assert found.each[0].said == "closer"
