"""How near `run` comes to its forward and backward passes alone: python -m tests.benchmarks.limit [--seeds N]

The passes are recorded by oracles that note every batch in an inline run of the same request. `replay` then makes exactly
these passes. `run` and `replay` take turns, both with two workers and timed from process start to process end.
"""

import argparse
import json
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import torch
from torch import Tensor

from qurd_core.evaluation.pipeline import compute, request
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from tests.benchmarks.clock import BUDGETS, SIX, Timed, load, run_command, show, timed

WORKERS = 2
WARM = 3  # runs with everything stored


class Recorder(Oracle):
    """An oracle that notes the size of every batch: `passes[model, kind, size]` counts them."""

    passes: ClassVar[Counter[tuple[str, str, int]]] = Counter()

    def _ask(self, x: Tensor) -> Tensor:
        self.passes.update((self.name, "forward", len(batch)) for batch in x.split(self.runtime.batch_size))
        return super()._ask(x)

    def gradient(self, objective: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        self.passes[self.name, "gradient", len(x)] += 1
        return super().gradient(objective, x)


def record(seeds: int, budgets: list[int], path: Path) -> None:
    """Write the passes of an inline run with an empty store, by model, kind and batch size."""
    asked = request("patchwork-sac", SIX, budgets=budgets, seeds=seeds)
    with tempfile.TemporaryDirectory() as folder, patch("qurd_core.benchmarks.base.Oracle", Recorder):
        compute(asked, Store(Path(folder)), Runtime())
    by_model: dict[str, dict[str, dict[int, int]]] = {}
    for (model, kind, size), times in sorted(Recorder.passes.items()):
        by_model.setdefault(model, {}).setdefault(kind, {})[size] = times
    path.write_text(json.dumps(by_model))


def count(path: Path) -> Counter[str]:
    """Recorded images by kind of pass."""
    images = Counter()
    for kinds in json.loads(path.read_text()).values():
        for kind, sizes in kinds.items():
            images[kind] += sum(int(size) * times for size, times in sizes.items())
    return images


def compare(passes: Path, folder: Path, options: argparse.Namespace) -> tuple[list[Timed], list[Timed], list[Timed]]:
    """The limit, cold runs and warm runs."""
    limit, cold, warm = [], [], []
    for turn in range(options.repeats):
        command = run_command(folder / f"store{turn}", seeds=options.seeds, budgets=options.budgets, workers=WORKERS)
        limit.append(timed(["-m", "tests.benchmarks.replay", str(passes)]))
        cold.append(timed(command))
        warm += [timed(command, look=False) for _ in range(WARM)]
    return limit, cold, warm


def _median(runs: list[Timed]) -> Timed:
    """The median of each number by itself."""
    return Timed(*map(statistics.median, zip(*runs, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budgets", type=lambda text: [int(part) for part in text.split(",")], default=list(BUDGETS))
    parser.add_argument("--passes", type=Path, help="where the recorded passes are kept; used again if it is there")
    parser.add_argument("--repeats", type=int, default=1, help="times that limit and run take turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        passes = options.passes or folder / "passes.json"
        if not passes.exists():
            record(options.seeds, options.budgets, passes)
        images = count(passes)
        limit, cold, warm = compare(passes, folder, options)
    best, ours, again = (_median(runs) for runs in (limit, cold, warm))
    print(f"patchwork-sac, six schemes, {options.seeds} query seeds, budgets {options.budgets}, {WORKERS} workers; {load()}")
    print(f"{images['forward']:,} forward and {images['gradient']:,} gradient images; torch {torch.__version__}")
    show(
        f"`run` against its passes (medians of {options.repeats}; nothing is scaled)",
        ("", "measured", "limit", "ratio", "target"),
        [
            ("cold run, s", ours.seconds, best.seconds, ours.seconds / best.seconds, "<= 1.3"),
            ("cold run, CPU s of all processes", ours.cpu, best.cpu, ours.cpu / best.cpu, ""),
            ("warm run, s", again.seconds, "", "", "< 3"),
            ("warm run, CPU s", again.cpu, "", "", ""),
            ("peak PSS of all processes, GB", max(t.memory for t in cold) / 1e9, "", "", "< 2.5"),
        ],
    )


if __name__ == "__main__":
    main()
