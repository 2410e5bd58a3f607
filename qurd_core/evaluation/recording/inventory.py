"""What the app shows of a benchmark besides rates: its models, its pairs, its models' labels, and every scheme in words."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save

from qurd_core.benchmarks.base import Benchmark
from qurd_core.evaluation.pairs import pair_table
from qurd_core.evaluation.recording import brought
from qurd_core.evaluation.workbench import Workbench
from qurd_core.files import publish
from qurd_core.schemes import BASELINES, Scheme, describe

RULES = tuple(str(Scheme.parse(name).sampler) for name in BASELINES)  # seed rules whose draws are kept
DRAWN = 400  # images of each


def write(desk: Workbench, seeds: int, out: Path, *, own: str | None = None) -> Iterator[Path]:
    """Write `<benchmark>-models.parquet`, `-pairs.parquet` and `-bank.safetensors`.

    Args:
        own: the name of a benchmark that somebody brings. What its models and items look like is nowhere else.
    """
    bench, name = desk.bench, own or desk.bench.name
    pairs = pair_table(bench.name, desk.store, desk.runtime, brought.questions(bench) if own else ())
    pairs["root"] = pairs["suspect"].map(bench.root)
    if own and not bench.tasks:
        pairs["tasks"] = [["all"]] * len(pairs)
    models = brought.models(desk) if own else _models(bench)
    yield publish(out / f"{name}-models.parquet", models.to_parquet(compression="zstd", index=False))
    yield publish(out / f"{name}-pairs.parquet", pairs.to_parquet(compression="zstd", index=False))
    yield publish(out / f"{name}-bank.safetensors", _bank(desk, seeds, shown=bool(own)))


def write_schemes(schemes: list[Scheme], path: Path) -> Path:
    """Every recorded scheme with its parts and what they do in words, so that nobody needs the registry to show them."""
    return publish(path, json.dumps([describe(scheme) for scheme in schemes], indent=0, ensure_ascii=False).encode())


def _models(bench: Benchmark) -> pd.DataFrame:
    rows = [bench.record(model) | {"root": bench.root(model)} for model in bench.models]
    return pd.DataFrame(rows).drop(columns=["sha256", "stored"])


def _bank(desk: Workbench, seeds: int, *, shown: bool) -> bytes:
    """
    Args:
        shown: whether it also holds what the items look like.
    """
    bench, images = desk.bench, desk.images("test")
    classes = (*bench.classes, brought.NO_ANSWER) if bench.missing else bench.classes
    models = brought.shown(bench) if shown else bench.models
    labels = torch.stack([desk.natural(model, "test").argmax(1) for model in models])
    fits = torch.uint8 if len(classes) <= 256 else torch.int16
    tensors = {"labels": labels.to(fits), "truth": images.truth.to(fits)}
    if images.places is not None:
        tensors["places"] = images.places.to(torch.int16)
    sent = []
    for rule in RULES:
        scheme = Scheme.of_sampler(rule)
        drawn, looked = np.full((2, len(bench.victims), seeds, DRAWN), -1, np.int16 if len(images) < 2**15 else np.int32)
        for row, victim in enumerate(bench.victims):
            for query_seed in range(seeds):
                draw = desk.draw(victim, scheme, query_seed)[1]
                some = min(DRAWN, len(draw.indices))
                drawn[row, query_seed, :some], looked[row, query_seed, :some] = draw.indices[:some], draw.looked[:some]
        sent.append(drawn)
        tensors |= {f"draw.{rule}": torch.from_numpy(drawn), f"looked.{rule}": torch.from_numpy(looked)}
    about = {"models": models, "victims": bench.victims, "classes": classes, "rules": RULES}
    if shown:
        look, names = brought.items(desk, sent)
        tensors, about = tensors | look, about | names
    return save(tensors, {"bank": json.dumps(about)})
