"""A folder of models without labels, and beside it the labels, sealed.

Nothing in the folder tells which model is which: names are numbers in an order that nobody can draw again, weights are
written anew without what their files tell besides, and all files have one time. What loading a network needs is told.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from safetensors.torch import save
from torch import Tensor

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.own.manifest import MANIFESTS
from qurd_core.benchmarks.own.model_folder import ModelFolder
from qurd_core.benchmarks.own.networks import PLAIN, Preparation, loaded
from qurd_core.benchmarks.own.roles import SUSPECT, VICTIM
from qurd_core.benchmarks.zoo.architectures import MEAN, STD
from qurd_core.benchmarks.zoo.shipped import Shipped
from qurd_core.errors import QurdError, unknown
from qurd_core.evaluation.workbench import workbench
from qurd_core.files import publish, write_json
from qurd_core.runtime import Runtime
from qurd_core.statistics.printed import SLACK, check_share
from qurd_core.store import Store
from qurd_core.suspects.evidence import sha
from qurd_core.types import Pair

FORMAT = 1
ABOUT, LABELS = "challenge.json", "hidden-labels.csv"
COLUMNS = ("id", "stolen", "part", "task", "lineage")
PARTS = PUBLIC, PRIVATE = ("public", "private")
TIME = 946_684_800  # of every file, in seconds since 1970: the first of January 2000
SALT = "# salt "  # how the first line of the labels begins
_OTHERS = {"negative": "unrelated", "hard": "hard unrelated"}  # what stands for their task


@dataclass(frozen=True)
class Challenge:
    """What was written.

    Attributes:
        folder: to be handed out.
        labels: to be kept; `challenge.json` holds the SHA-256 of this file, whose first line is a salt.
        table: its rows, with `COLUMNS`.
        notes: what is to be known before it is handed out, a sentence each.
    """

    folder: Path
    labels: Path
    table: pd.DataFrame
    notes: tuple[str, ...]


def make(bench: Benchmark, victim: str | None, folder: Path, public: float, store: Store, runtime: Runtime) -> Challenge:
    """Write the models that stand against a victim as suspects without labels.

    Args:
        victim: may be left out where there is one only.
        folder: a new one; the labels are put beside it.
        public: share of the suspects whose scores are told before the end, the same of every kind.

    Raises:
        QurdError: something is there already, a model has no weights, or a part would lack stolen or unrelated models.
    """
    check_share(public, "public")
    mine, labels = _victim(bench, victim), folder.absolute().parent / LABELS
    if labels.exists() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        taken = labels if labels.exists() else folder
        raise QurdError(f"Expected nothing at {taken}. Something is there already: name another folder with --out.")
    pairs = [pair for pair in bench.pairs_of(mine) if pair.suspect != mine]
    secrets.SystemRandom().shuffle(pairs)
    table = _labelled(bench, pairs, public)
    names = [VICTIM, *table["id"]]
    models = [_entry(bench, model, name, folder) for model, name in zip([mine, *_suspects(pairs)], names, strict=True)]
    models[0] |= {"role": VICTIM, "lineage": f"train({VICTIM})"}
    images = _images(bench, folder, store, runtime)
    side = bench.source.side if isinstance(bench.source, ModelFolder) else None
    manifest = {"classes": list(bench.classes), **({"side": side} if side else {}), "images": images, "models": models}
    publish(folder / MANIFESTS[0], yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True).encode())
    text = f"{SALT}{secrets.token_hex(32)}\n{table.to_csv(index=False)}".encode()
    publish(labels, text)
    about = {"format": FORMAT, "suspects": len(table), "public": int((table["part"] == PUBLIC).sum())}
    write_json(folder / ABOUT, about | {"high": "stolen", "labels": sha(text)}, indent=1)
    for path in (*folder.iterdir(), folder):
        os.utime(path, (TIME, TIME))
    return Challenge(folder, labels, table, tuple(_notes(bench)))


def _victim(bench: Benchmark, named: str | None) -> str:
    if named is None and len(bench.victims) > 1:
        raise QurdError(f"Expected one of {len(bench.victims)} victims with --victim: {', '.join(bench.victims[:8])}.")
    if named is not None and named not in bench.victims:
        raise unknown("victim", named, bench.victims)
    return named or bench.victims[0]


def _suspects(pairs: Sequence[Pair]) -> list[str]:
    return [pair.suspect for pair in pairs]


def _labelled(bench: Benchmark, pairs: Sequence[Pair], public: float) -> pd.DataFrame:
    """The labels of suspects in their new order.

    Of every task and kind the same share is public, one more or less: they are counted off, kind after kind.
    """
    digits = max(3, len(str(len(pairs) - 1)))
    table = pd.DataFrame(
        {
            "id": [f"suspect_{number:0{digits}}" for number in range(len(pairs))],
            "stolen": [int(pair.kind == "positive") for pair in pairs],
            "task": [pair.tasks[0] if pair.kind == "positive" else _OTHERS[pair.kind] for pair in pairs],
            "lineage": [bench.root(pair.suspect) for pair in pairs],
        }
    )
    order = table.sort_values(["stolen", "task"], kind="stable").index.to_numpy()
    counted = np.floor(np.arange(len(order) + 1) * public + SLACK)
    part = np.empty(len(order), object)
    part[order] = np.where(np.diff(counted) > 0, PUBLIC, PRIVATE)
    table["part"] = part
    for which in PARTS:
        held = table[table["part"] == which]["stolen"]
        if held.nunique() < 2:
            raise QurdError(
                f"Expected stolen and unrelated models in both parts. The {which} one of {len(table)} models has"
                f" {int(held.sum())} stolen and {int((1 - held).sum())} others: choose another --public, or add models."
            )
    return table[[*COLUMNS]]


def _entry(bench: Benchmark, model: str, name: str, folder: Path) -> dict[str, Any]:
    """Write the weights of a model under another name; what the manifest says of it.

    Tensors are those of the network once it is loaded, so that no name or precision of theirs tells what was done to it.
    """
    source, columns, variant, own = bench.source, None, PLAIN, Preparation((MEAN,) * 3, (STD,) * 3)
    if isinstance(source, ModelFolder) and not (source.entries[model].whole or source.entries[model].api):
        entry = source.entries[model]
        architecture, columns, variant, own = entry.architecture, entry.columns, entry.variant, entry.preparation
        network = loaded(architecture, len(bench.classes), entry.file, entry.variant)
    elif isinstance(source, Shipped):
        whole = source.zoo.module(model)
        architecture, network = f"patchwork/{whole.architecture}", whole.network
    else:
        raise QurdError(
            f"Expected weights as .safetensors of every model, which are written anew. '{model}' has none that can be:"
            " leave it out."
        )
    path = folder / f"{name}.safetensors"
    publish(path, save({key: _told(values) for key, values in network.state_dict().items()}))
    about = {"model": name, "role": SUSPECT, "architecture": architecture, "weights": path.name}
    about["normalisation"] = {"mean": list(own.mean), "std": list(own.std)}
    made_by = {"arguments": dict(variant.arguments), "stem": variant.stem, "head": list(variant.head)}
    about |= {key: value for key, value in made_by.items() if value}
    if columns:
        order = sorted(range(len(columns)), key=columns.__getitem__)
        about["classes"] = [bench.classes[place] for place in order]
    return about | ({"side": own.side} if own.side else {})


def _told(values: Tensor) -> Tensor:
    """A tensor without what it counts: layers of batch normalisation hold the number of steps that they were trained."""
    return values.contiguous() if values.is_floating_point() else torch.zeros_like(values)


def _images(bench: Benchmark, folder: Path, store: Store, runtime: Runtime) -> dict[str, str]:
    """Write the seed sets of pictures; the file of each."""
    desk, found = workbench(bench, store, runtime), {}
    for split in (split for split in bench.splits if split != "noise"):
        held, path = desk.images(split), folder / f"{split}.safetensors"
        publish(path, save({"pixels": held.pixels.contiguous(), "truth": held.truth.contiguous()}))
        found[split] = path.name
    return found


def _notes(bench: Benchmark) -> Iterator[str]:
    if isinstance(bench.source, Shipped):
        yield (
            f"The models of {bench.whole} ship with this program, so whoever has it can look the labels up: this is for"
            " practice."
        )
    yield "Architectures and normalisations are told, since nobody can ask a network without them."
