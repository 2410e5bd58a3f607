"""The toy with a grid of ways to hide its stolen models: the benchmark `toy-grid`, there for those who ask for it."""

from typing import Literal

import pytest

from qurd_core.benchmarks import base
from qurd_core.benchmarks.base import Benchmark
from qurd_core.errors import QurdError
from qurd_core.registry import benchmarks
from qurd_core.types import Pair
from tests import toy


class Queried(toy.Toy):
    """The toy models, with what their makers asked."""

    def record(self, model: str) -> dict[str, object]:
        if "merge" in model:
            raise QurdError(f"Unknown model '{model}'.")
        return {"lineage": model, "victim_queries": 100 * model.count("finetune")}

    def digest(self, model: str) -> str:
        return self.record(model)["lineage"]


@pytest.fixture
def grid_of_toy(monkeypatch) -> None:
    """Registers it for one test: to all others the toy has no grid."""
    base.register_benchmarks()  # which happens once, and not to be forgotten with it
    monkeypatch.setattr(benchmarks, "_components", dict(benchmarks._components))
    benchmarks.register(name="toy-grid", vary=("hiding",))(toy_grid)


def toy_grid(*, hiding: Literal["none", "finetune", "merge"] = "none") -> Benchmark:
    """The pairs of the toy, its stolen models followed by a step."""
    plain, step = toy.toy(), "" if hiding == "none" else f"->{hiding}"
    pairs = tuple(
        Pair(pair.victim, pair.suspect + step, pair.kind, pair.tasks) if pair.kind == "positive" else pair
        for pair in plain.pairs
    )
    names = tuple(dict.fromkeys(name for pair in pairs for name in (pair.victim, pair.suspect)))
    name = str(benchmarks["toy-grid"].call({"hiding": hiding}))
    return Benchmark(name, plain.classes, pairs, names, Queried())
