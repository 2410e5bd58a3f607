"""What pages show of the models and items of a benchmark that somebody brings: those of ours lie in the assets."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from qurd_core.benchmarks.base import Benchmark
from qurd_core.evaluation.workbench import Workbench
from qurd_core.findings.language.words import listed
from qurd_core.types import Pair

NO_ANSWER = "no answer"  # what stands beside the classes where answers are missing
MOST = 4_000  # pictures that are kept
SIDE = 64  # pixels of the longer side of each, at most
LONGEST = 60  # letters of the name of an item
OF_CLASS = 6  # items of each class that are kept in any case, as `contents.samples` takes them


def shown(bench: Benchmark) -> tuple[str, ...]:
    """The models that pages show: those in pairs, and suspects where there is no stolen model to measure anything on, but
    those that would have to be asked about every item over a network.
    """
    here = (name for name in bench.suspects if name not in bench.remote)
    return bench.models if bench.tasks else (*bench.models, *here)


def not_asked(bench: Benchmark) -> list[str]:
    """What is left out of that, as a sentence."""
    if bench.tasks or not bench.remote:
        return []
    names = listed([*bench.remote])
    return [f"Over a network nobody is asked about every item, so {names} can be seen on the page Check only."]


def questions(bench: Benchmark) -> list[Pair]:
    """The pairs of suspects that pages show."""
    suspects = shown(bench)[len(bench.models) :]
    return [Pair(victim, suspect, "suspect", ()) for victim in bench.victims for suspect in suspects]


def models(desk: Workbench) -> pd.DataFrame:
    """One row per model: its name as `lineage`, by which pages call it, `root`, `architecture`, `accuracy` on the test items
    and what else is known of it.
    """
    bench, truth = desk.bench, desk.images("test").truth
    rows = []
    for model in shown(bench):
        right = float((desk.natural(model, "test").argmax(1) == truth).double().mean())
        known = {"architecture": _kind(bench.source.lineage(model).chain.calls[0].args)} | bench.record(model)
        made = {"history": known.pop("lineage")} if known["lineage"] != model else {}
        rows.append(known | made | {"lineage": model, "root": bench.root(model), "accuracy": right})
    return pd.DataFrame(rows).drop(columns=["sha256", "model", "classes"], errors="ignore")


def items(desk: Workbench, sent: Sequence[NDArray[np.integer]]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What the test items look like: `pixels` (k,h,w,3) uint8 and `shown` (k,), their places; or their names, where there is
    nothing to see.

    Args:
        sent: places of items, -1 where there is none, in draws of queries: the first of each matter most.
    """
    images = desk.images("test")
    if not images.pixels.shape[-1]:
        return {}, {"items": [name[:LONGEST] for name in desk.bench.source.names("test")]}
    chosen = _chosen(images.truth, sent)
    pixels = images.pixels[chosen]
    ratio = SIDE / max(pixels.shape[-2:])
    if ratio < 1:
        size = [max(1, round(ratio * side)) for side in pixels.shape[-2:]]
        parts = [F.interpolate(part.float(), size, mode="bilinear", antialias=True) for part in pixels.split(256)]
        pixels = torch.cat(parts).round().clamp(0, 255).to(torch.uint8)
    return {"pixels": pixels.permute(0, 2, 3, 1).contiguous(), "shown": chosen.to(torch.int32)}, {}


def _chosen(truth: Tensor, sent: Sequence[NDArray[np.integer]]) -> Tensor:
    """(k,) places of the items that are kept: some of every class, then the queries of every draw in turn, then the rest."""
    classes = truth.numpy()
    first = [np.flatnonzero(classes == label) for label in np.unique(classes)]
    spaced = [own[np.linspace(0, len(own) - 1, min(OF_CLASS, len(own))).astype(int)] for own in first]
    turns = [draws.reshape(-1, draws.shape[-1]).T.reshape(-1) for draws in sent]
    every = np.concatenate([*spaced, *turns, np.arange(len(classes))])
    return torch.tensor(list(dict.fromkeys(every[every >= 0].tolist()))[:MOST])


def _kind(arguments: Sequence[object]) -> str:
    """What a first training says of its network, where no manifest does."""
    return str(arguments[0]) if arguments else "unknown"
