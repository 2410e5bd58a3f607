"""Every craft of the named schemes on 64 seeds at once: beside its bare passes, one seed at a time, and other packages.

The loop calls the same craft with one seed at a time (with two or more where a group of queries takes them) on a victim that
answers one image at a time, and of eroded victims with one at a time as often as there are, so both sides do the same work.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from qurd_core.benchmarks.base import Benchmark
from qurd_core.evaluation.timing import peers
from qurd_core.evaluation.timing.bare import Pass
from qurd_core.evaluation.timing.clock import alternate, best
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.registry import crafts
from qurd_core.runtime import Runtime, Track, silent
from qurd_core.schemes import NAMED, Scheme
from qurd_core.types import Queries

SEEDS = 64  # one part of the pipeline
TOGETHER = {"triplets": 2}  # seeds that make one group, by what a craft provides
ALONE = {"bag": 1, "ghosts": 1}  # of one seed at a time
REPEATS = 3
GOAL = 5  # times as fast as one seed at a time


def crafted(bench: Benchmark, track: Track = silent) -> Iterator[dict[str, Any]]:
    """A row per craft, with the victim of the benchmark that comes first.

    Returns:
        the queries that it gave and their milliseconds; those of the bare passes of as many images and gradients; those of
        the loop and of other packages, with the share of the seeds that these and the craft move to another label.
    """
    victim = bench.victims[0]
    oracle, single = (bench.oracle(victim, Runtime(batch_size=size)) for size in (SEEDS, 1))
    pixels = bench.images(bench.splits[0]).pixels
    x = pixels[torch.randperm(len(pixels), generator=stream(0, "crafts"))[:SEEDS]].float() / 255
    every = Queries(x, torch.arange(len(x)), torch.arange(len(x)))
    bare = Pass(oracle, x, backward=True)
    named = dict.fromkeys(Scheme.parse(name).craft.name for name in NAMED if not Scheme.parse(name).natural)
    for name in track(named, len(named), "crafts"):
        before = oracle.asked, oracle.gradients
        (made,) = craft(name, [every], oracle)
        asked, gradients = oracle.asked - before[0], oracle.gradients - before[1]
        passes = max(asked - gradients, 0) * bare.forward + gradients * bare.backward
        ours = best(lambda name=name: craft(name, [every], oracle))
        size = TOGETHER.get(next(iter(crafts[name].declares.provides & {*TOGETHER}), ""), 1)
        alone = {key: value for key, value in ALONE.items() if key in crafts[name].parameters}
        times = crafts[name].parameters["ghosts"].default if "ghosts" in alone else 1
        cut = zip(*(rows.split(size) for rows in (every.x, every.group, every.seed)), strict=True)
        parts = [Queries(*rows) for rows in cut if len(rows[0]) == size]
        loop = best(lambda name=name, parts=parts, alone=alone, times=times: craft(name, parts * times, single, **alone), 1)
        yield {
            "craft": name,
            "queries": len(made),
            "ours_ms": 1000 * ours,
            "bare_ms": 1000 * passes,
            "ratio": ours / passes if passes else None,
            "seed_by_seed_ms": 1000 * loop,
            "faster": loop / ours,
            **others(name, oracle, x, made),
        }


def craft(name: str, parts: list[Queries], victim: Oracle, **options: object) -> list[Queries]:
    """What a craft makes of every part, with its defaults."""
    return [crafts[name].function(part, victim, stream(0, name), **values(name, **options)) for part in parts]


def values(name: str, **options: object) -> dict[str, Any]:
    return {key: parameter.default for key, parameter in crafts[name].parameters.items()} | options


def others(name: str, victim: Oracle, x: Tensor, made: Queries) -> dict[str, float]:
    """Milliseconds of other packages' attacks on the same images, and the share of these that each moves to another label.

    Args:
        made: what the craft made of them.
    """
    labels = victim.labels(x)
    theirs = dict(peers.attacks(name, victim.module, x, labels, values(name)))
    if not theirs:
        return {}
    ours = made.seed[victim.labels(made.x) != labels[made.seed]].unique()
    moved = {"ours": len(ours) / len(x)}
    moved |= {peer: float((victim.labels(attack().detach()) != labels).float().mean()) for peer, attack in theirs.items()}
    seconds = alternate(theirs, REPEATS)
    return {f"{peer}_ms": 1000 * seconds[peer] for peer in theirs} | {
        f"{peer}_moved": share for peer, share in moved.items()
    }
