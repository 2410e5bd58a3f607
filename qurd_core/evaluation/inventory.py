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
from qurd_core.evaluation.workbench import Workbench
from qurd_core.files import publish
from qurd_core.schemes import BASELINES, Scheme, describe

RULES = tuple(str(Scheme.parse(name).sampler) for name in BASELINES)  # seed rules whose draws are kept
DRAWN = 400  # images of each


def write(desk: Workbench, seeds: int, out: Path) -> Iterator[Path]:
    """Write `<benchmark>-models.parquet`, `-pairs.parquet` and `-bank.safetensors`; the answers must be in the store."""
    bench = desk.bench
    yield publish(out / f"{bench.name}-models.parquet", _models(bench).to_parquet(compression="zstd", index=False))
    pairs = pair_table(bench.name, desk.store, desk.runtime)
    pairs["root"] = pairs["suspect"].map(bench.root)
    yield publish(out / f"{bench.name}-pairs.parquet", pairs.to_parquet(compression="zstd", index=False))
    yield publish(out / f"{bench.name}-bank.safetensors", _bank(desk, seeds))


def write_schemes(schemes: list[Scheme], path: Path) -> Path:
    """Every recorded scheme with its parts and what they do in words, so that nobody needs the registry to show them."""
    return publish(path, json.dumps([describe(scheme) for scheme in schemes], indent=0, ensure_ascii=False).encode())


def _models(bench: Benchmark) -> pd.DataFrame:
    rows = [bench.record(model) | {"root": bench.root(model)} for model in bench.models]
    return pd.DataFrame(rows).drop(columns=["sha256", "stored"])


def _bank(desk: Workbench, seeds: int) -> bytes:
    bench, images = desk.bench, desk.images("test")
    labels = torch.stack([desk.natural(model, "test").argmax(1) for model in bench.models]).to(torch.uint8)
    tensors = {"labels": labels, "truth": images.truth.to(torch.uint8)}
    if images.places is not None:
        tensors["places"] = images.places.to(torch.int16)
    for rule in RULES:
        scheme = Scheme.of_sampler(rule)
        drawn, looked = np.full((2, len(bench.victims), seeds, DRAWN), -1, np.int16)
        for row, victim in enumerate(bench.victims):
            for query_seed in range(seeds):
                draw = desk.draw(victim, scheme, query_seed)[1]
                some = min(DRAWN, len(draw.indices))
                drawn[row, query_seed, :some], looked[row, query_seed, :some] = draw.indices[:some], draw.looked[:some]
        tensors |= {f"draw.{rule}": torch.from_numpy(drawn), f"looked.{rule}": torch.from_numpy(looked)}
    about = {"models": bench.models, "victims": bench.victims, "classes": bench.classes, "rules": RULES}
    return save(tensors, {"bank": json.dumps(about)})
