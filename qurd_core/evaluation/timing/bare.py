"""Nothing but passes: what the models of a benchmark need for the images of a run, in batches, and for nothing else.

The yardstick is torch's own eager module in channels_last, on one thread, in batches of 64, with the images in memory. A
run also loads models, draws, crafts, compares, hashes and writes.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from qurd_core.benchmarks.base import Benchmark
from qurd_core.evaluation.timing.clock import best
from qurd_core.evaluation.workbench import Workbench
from qurd_core.oracle import Oracle
from qurd_core.records.rate_records import RAW_BUDGETS as BUDGETS
from qurd_core.runtime import Runtime, Track, silent
from qurd_core.schemes import Scheme
from qurd_core.store import Store

BATCH = 64
SEEDS = 5
GOAL = 0.7  # of the bare passes


class Pass:
    """Seconds per image of a model's bare passes.

    Attributes:
        forward: to answer.
        backward: to answer and to give a gradient with respect to the image.
    """

    def __init__(self, oracle: Oracle, x: Tensor, *, backward: bool):
        module, batch = oracle.module, x[:BATCH].contiguous(memory_format=torch.channels_last)

        def forwards() -> None:
            with torch.inference_mode():
                module(batch)

        def backwards() -> None:
            asked = batch.clone().requires_grad_()
            torch.autograd.grad(module(asked).logsumexp(1).sum(), asked)

        forwards()  # wakes the model
        self.forward = best(forwards) / len(batch)
        self.backward = best(backwards) / len(batch) if backward else 0.0


def passes(bench: Benchmark, models: Sequence[str], track: Track = silent) -> dict[str, Pass]:
    """The bare passes of some models, on images of the first split of the benchmark."""
    x = bench.images(bench.splits[0]).pixels[:BATCH].float() / 255
    return {
        model: Pass(bench.oracle(model, Runtime()), x, backward=model in bench.victims)
        for model in track(models, len(models), "bare passes")
    }


def needed(oracles: Mapping[str, Oracle], by_model: Mapping[str, Pass]) -> float:
    """Seconds of the bare passes for all that some models were asked."""
    return sum(
        max(oracle.asked - oracle.gradients, 0) * by_model[model].forward + oracle.gradients * by_model[model].backward
        for model, oracle in oracles.items()
    )


def compared(bench: Benchmark, schemes: Sequence[Scheme], track: Track = silent) -> dict[str, Any]:
    """The schemes from an empty store on one victim and all its suspects, beside the bare passes for the same images.

    The passes are measured before the run and after it, and the mean of both is taken: the machine may have become slower.

    Returns:
        `bare_s` and `ours_s` in CPU seconds, their `ratio`, images that were `asked` and `gradients` among them.
    """
    victim = bench.victims[0]
    with tempfile.TemporaryDirectory() as folder:
        desk = Workbench(bench, Store(Path(folder)), Runtime(batch_size=BATCH))
        models = desk.models(victim)
        before = passes(bench, models, track)
        work = [(scheme, query_seed) for query_seed in range(SEEDS) for scheme in schemes]
        began = time.process_time()
        for scheme, query_seed in track(work, len(work), "schemes"):
            desk.scores(victim, [scheme], query_seed, BUDGETS)
        ours = time.process_time() - began
        after = passes(bench, models, track)
        bare = (needed(desk.oracles, before) + needed(desk.oracles, after)) / 2
        counted = {what: sum(getattr(one, what) for one in desk.oracles.values()) for what in ("asked", "gradients")}
    return {
        "bare_s": round(bare, 2),
        "ours_s": round(ours, 2),
        "ratio": round(ours / bare, 3),
        "goal": GOAL,
        "met": ours <= GOAL * bare,
        **counted,
    }
