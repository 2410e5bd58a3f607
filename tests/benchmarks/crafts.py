"""Crafts on all seeds of a part at once, and seed after seed: python -m tests.benchmarks.crafts [--seeds N]

Everything runs on one CPU thread and is told in CPU time. The loop calls the same craft with one seed at a time (hinges, of
which two seeds make one group, with two) on a victim that answers one image at a time, and of eroded victims with one at a
time as often as there are, so both sides do the same work.
"""

import argparse
import time

import torch

from qurd_core.benchmarks.base import benchmark
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.registry import crafts
from qurd_core.runtime import Runtime
from qurd_core.schemes import NAMED, Scheme
from qurd_core.types import Queries
from tests.benchmarks.clock import load, show

COLUMNS = ("craft", "seed by seed, ms", "at once, ms", "ratio", "target", "queries")
ALONE = {"bag": 1, "ghosts": 1}  # of one seed at a time


def seconds(name: str, parts: list[Queries], victim: Oracle, **options: object) -> tuple[float, int]:
    """CPU seconds of a craft on every part, and the queries that it gave."""
    component = crafts[name]
    values = {key: parameter.default for key, parameter in component.parameters.items()} | options
    began = time.process_time()
    made = [len(component.function(part, victim, stream(0, name), **values)) for part in parts]
    return time.process_time() - began, sum(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=64)
    number = parser.parse_args().seeds
    torch.set_num_threads(1)
    bench, rows = benchmark("patchwork-sac"), []
    victim = bench.oracle(bench.victims[0], Runtime())
    pixels = bench.images("train").pixels
    x = pixels[torch.randperm(len(pixels), generator=stream(0, "crafts"))[:number]].float() / 255
    every = Queries(x, torch.arange(number), torch.arange(number))
    names = dict.fromkeys(Scheme.parse(name).craft.name for name in NAMED if not Scheme.parse(name).natural)
    single = bench.oracle(bench.victims[0], Runtime(batch_size=1))
    victim.logits(x)  # wakes the model
    for name in names:
        size = 2 if name == "hinges" else 1
        parts = [
            Queries(*(rows.split(size)[n] for rows in (every.x, every.group, every.seed))) for n in range(number // size)
        ]
        alone = {key: value for key, value in ALONE.items() if key in crafts[name].parameters}
        times = crafts[name].parameters["ghosts"].default if "ghosts" in alone else 1
        slow, _ = seconds(name, parts * times, single, **alone)
        fast, made = seconds(name, [every], victim)
        rows.append((name, 1000 * slow, 1000 * fast, slow / fast, ">= 5", made))
        print(*rows[-1], flush=True)
    print(f"patchwork-sac, one thread, {number} seeds, CPU time; {load()}")
    show("crafts (nothing is scaled)", COLUMNS, rows)


if __name__ == "__main__":
    main()
