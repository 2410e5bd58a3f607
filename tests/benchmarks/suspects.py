"""How long hundreds of suspects take, and how much memory: a folder of 360 networks, and a table of 400 models.

    python -m tests.benchmarks.suspects [--suspects 360] [--rows 10000]

Both are made in a temporary folder: the folder of networks out of the weights that ship with Patchwork, each suspect one of
them with a little noise of its own; the table out of random answers. The store is empty at first. Printed are seconds and
the largest memory of any process.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
import yaml
from safetensors.torch import save_file

from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.zoo import architectures
from qurd_core.runtime import Runtime

VICTIM, UNRELATED = "train(vgg,victim)", 40


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--suspects", type=int, default=360)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--models", type=int, default=400)
    asked = parser.parse_args()
    with TemporaryDirectory() as name:
        home = Path(name)
        folder = networks(home / "folder", asked.suspects)
        report(f"{asked.suspects} networks, 100 queries", "triage", folder, "--out", home / "a.csv", "--store", home / "s")
        report("the same, everything stored", "triage", folder, "--out", home / "a.csv", "--store", home / "s")
        path = table(home / "answers.parquet", asked.rows, asked.models)
        report(f"{asked.rows} items, {asked.models} models", "triage", path, "--out", home / "b.csv", "--store", home / "t")


def report(what: str, *arguments: object) -> None:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "qurd_core", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    held = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"{what}: {time.perf_counter() - began:.1f} s, at most {held:.2f} GB in one process so far")


def networks(home: Path, suspects: int) -> Path:
    """A folder with Patchwork's first victim, its unrelated models, and suspects that are the others with some noise."""
    home.mkdir()
    bench = benchmark("patchwork-sac")
    images = bench.images("test")
    save_file({"pixels": images.pixels, "truth": images.truth}, home / "test.safetensors")
    pairs = bench.pairs_of(VICTIM)
    unrelated = [pair.suspect for pair in pairs if pair.kind == "negative"][:UNRELATED]
    others = [pair.suspect for pair in pairs if pair.suspect not in (VICTIM, *unrelated)]
    models, rng = [], torch.Generator().manual_seed(0)
    for name, role, source in (
        ("mine", "victim", VICTIM),
        *((f"u{n}", "unrelated", model) for n, model in enumerate(unrelated)),
        *((f"s{n}", "suspect", others[n % len(others)]) for n in range(suspects)),
    ):
        state = bench.oracle(source, Runtime()).module.network.state_dict()
        if role == "suspect":
            state = {key: _shaken(tensor, rng) for key, tensor in state.items()}
        save_file({key: tensor.contiguous() for key, tensor in state.items()}, home / f"{name}.safetensors")
        architecture = f"patchwork/{bench.record(source)['architecture']}"
        about = {"model": name, "role": role, "architecture": architecture, "weights": f"{name}.safetensors"}
        models.append(about if role == "suspect" else about | {"lineage": f"train({name})"})
    manifest = {"classes": list(bench.classes), "side": images.pixels.shape[-1], "images": {"test": "test.safetensors"}}
    manifest |= {"normalisation": {"mean": [architectures.MEAN] * 3, "std": [architectures.STD] * 3}, "models": models}
    (home / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    return home


def _shaken(tensor: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    if tensor.ndim < 2:
        return tensor
    return tensor + 0.01 * tensor.std() * torch.randn(tensor.shape, generator=rng)


def table(path: Path, rows: int, models: int) -> Path:
    """Random answers of a victim, unrelated models and suspects; every tenth suspect repeats the victim."""
    rng, truth = np.random.default_rng(0), np.arange(rows) % 10
    names = ["mine", *(f"u{n}" for n in range(UNRELATED)), *(f"s{n}" for n in range(models - UNRELATED - 1))]
    parts, victim = [], None
    for number, name in enumerate(names):
        labels = np.where(rng.random(rows) < 0.2, rng.integers(0, 10, rows), truth)
        victim = labels if victim is None else victim
        labels = np.where(rng.random(rows) < 0.9, victim, labels) if name[0] == "s" and number % 10 == 0 else labels
        role = {"m": "victim", "u": "unrelated", "s": "suspect"}[name[0]]
        about = {"model": name, "role": role, "lineage": "" if role == "suspect" else f"train({name})"}
        parts.append(pd.DataFrame({"item": np.arange(rows), "truth": truth, "label": labels}).assign(**about))
    pd.concat(parts, ignore_index=True).to_parquet(path, index=False)
    return path


if __name__ == "__main__":
    main()
