"""A folder of models with a manifest (`manifest.yaml` or `.json`): architectures, weights, classes, lineages, images."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from qurd_core.access import Access
from qurd_core.benchmarks.base import FOLDER, Benchmark, Source, reads
from qurd_core.benchmarks.own import pictures
from qurd_core.benchmarks.own.manifest import (
    PREPARED,
    SPLITS,
    lineages_of,
    manifest_faults,
    name_of,
    read_manifest,
    roles_of,
)
from qurd_core.benchmarks.own.networks import PLAIN, Preparation, Prepared, loaded
from qurd_core.benchmarks.own.roles import cast, faults
from qurd_core.benchmarks.own.sources import transformers_folder
from qurd_core.benchmarks.own.sources.api_file import Api, read_api
from qurd_core.benchmarks.own.sources.onnx_child import beside
from qurd_core.benchmarks.own.sources.onnx_model import OnnxNetwork
from qurd_core.benchmarks.own.sources.transformers_folder import TransformersNetwork, columns
from qurd_core.benchmarks.own.variants import Variant, variant
from qurd_core.errors import QurdError, doing
from qurd_core.files import file_digest
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime
from qurd_core.types import Images


@dataclass(frozen=True)
class Entry:
    """A model as the manifest describes it.

    Attributes:
        architecture: of its weights, or the kind of its file.
        file: weights, a whole model, or the folder of one.
        accuracy: as declared.
        puts: how images are put into a whole model, and what it gives.
        columns: the output that stands for each class, where its order is another one.
        forged: it was made to see what can be told, and is nobody's.
        variant: what its network has otherwise than the architecture says.
        api: how it is asked over a network, if it is no file.
    """

    lineage: Lineage
    architecture: str
    file: Path
    preparation: Preparation
    accuracy: float | None = None
    role: str | None = None
    puts: tuple[dict[str, Any], dict[str, Any]] | None = None
    columns: tuple[int, ...] | None = None
    forged: bool = False
    variant: Variant = PLAIN
    api: Api | None = None

    @property
    def whole(self) -> bool:
        """Whether it is a model in files of its own, and no weights of an architecture that is known here."""
        return self.puts is not None or self.architecture == "transformers"

    @property
    def files(self) -> list[Path]:
        """What it is read from."""
        if self.puts is not None:
            return [self.file, *beside(self.file)]
        return transformers_folder.files(self.file) if self.whole else [self.file]

    @property
    def access(self) -> Access:
        """The most that it ever reveals."""
        if self.api:
            return self.api.access
        if self.puts is None:
            return Access.GRADIENTS
        return Access.PROBITS if self.puts[1]["gives"] == "probits" else Access.LOGITS


class ModelFolder(Source):
    """The source of a benchmark whose models and images lie in a folder.

    Args:
        classes: their names.
        entries: models by name.
        seed_sets: file or folder of every split.
        side: pixels of the squares that pictures are cut to.
    """

    kept = True
    asks = True

    def __init__(self, classes: tuple[str, ...], entries: dict[str, Entry], seed_sets: dict[str, Path], side: int | None):
        self.classes, self.entries, self.seed_sets, self.side = classes, entries, seed_sets, side
        self.splits = (*seed_sets, "noise")
        self._digests: dict[Path, str] = {}

    def lineage(self, model: str) -> Lineage:
        return self.entries[model].lineage

    def record(self, model: str) -> dict[str, Any]:
        entry = self.entries[model]
        about: dict[str, Any] = {"lineage": str(entry.lineage), "model": model, "architecture": entry.architecture}
        if any(other.role for other in self.entries.values()):
            about |= {"role": entry.role}
        if any(other.accuracy is not None for other in self.entries.values()):
            about |= {"accuracy_declared": entry.accuracy}
        about |= {"forged": True} if entry.forged else {}
        return about | {"classes": len(self.classes), "sha256": self.digest(model)}

    def outputs(self, model: str) -> tuple[str, ...]:
        """The classes of a model in the order in which it gives them."""
        columns = self.entries[model].columns
        if columns is None:
            return self.classes
        return tuple(name for _, name in sorted(zip(columns, self.classes, strict=True)))

    def digest(self, model: str) -> str:
        entry = self.entries[model]
        if entry.api:
            return entry.api.digest
        first, *others = entry.files
        about = [entry.architecture, len(self.classes), str(entry.preparation), self._held(first)]
        if entry.puts:
            about.append(entry.puts)
        if entry.whole:
            about.append([self._held(path) for path in others])
        if entry.columns:
            about.append({"columns": entry.columns})
        if entry.variant.about:
            about.append({"variant": entry.variant.about})
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()

    def images(self, split: str) -> Images:
        if split == "noise":
            return pictures.noise(*self._size)
        path = self.seed_sets[split]
        self._held(path)
        if path.is_dir():
            images = pictures.seed_set(pictures.listed(path, self.classes), self._square)
        else:
            images = pictures.stored(path, len(self.classes), self._size)
        self._unchanged(path)
        return images

    def images_digest(self, split: str) -> str:
        return "noise {}x{}".format(*self._size) if split == "noise" else self._held(self.seed_sets[split])

    def content(self) -> str:
        """Digest of all models and images, and of what is said of their files; each is looked at now, if it was not yet."""
        held = [
            [
                *(name, self.digest(name), str(entry.lineage), entry.accuracy, *[entry.role] * bool(entry.role)),
                *([self._held(entry.file)] if entry.api else ()),  # its limits, too
                *[True] * entry.forged,
            ]
            for name, entry in self.entries.items()
        ]
        seeds = [[split, self.images_digest(split)] for split in self.splits]
        return hashlib.sha256(json.dumps([self.classes, held, seeds, self.notes]).encode()).hexdigest()

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the folders of pictures hold that is not read, and what they lack, a sentence each."""
        folders = [path for path in self.seed_sets.values() if path.is_dir()]
        return tuple(note for path in folders for note in pictures.left_out(path, self.classes))

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        entry = self.entries[model]
        if entry.api:
            raise QurdError(
                f"'{model}' is asked over a network, which may cost. 'check' says how much before it does so; nothing else"
                " asks it."
            )
        held, order = 0, entry.columns
        with doing(f"loading '{model}'"):
            if entry.puts:
                network = OnnxNetwork(entry.file, *entry.puts)
                held = network.held
            elif entry.whole:
                network = TransformersNetwork(entry.file)
                order = order or columns(network.names, self.classes, f"'{model}'")
            else:
                network = loaded(entry.architecture, len(self.classes), entry.file, entry.variant)
        for path in entry.files:
            self._unchanged(path)
        how = {"access": Access.LOGITS} if entry.puts else {}  # the benchmark says what is revealed
        prepared = Prepared(network, entry.preparation, order)
        how |= {"classes": len(self.classes), "runtime": runtime, "name": model, "held": held}
        return Oracle(prepared, **how)

    @cached_property
    def _size(self) -> tuple[int, int]:
        """Height and width of the images of all seed sets."""
        if self.side or any(path.is_dir() for path in self.seed_sets.values()):
            return self._square, self._square
        return pictures.stored_size(next(iter(self.seed_sets.values())))

    @property
    def _square(self) -> int:
        if not self.side:
            raise QurdError("Expected 'side' in the manifest: the pixels that every picture is scaled and cut to.")
        return self.side

    def _held(self, path: Path) -> str:
        """The digest that a file or folder had when it was first looked at, which all answers are kept under."""
        if path not in self._digests:
            self._digests[path] = self._digest_of(path)
        return self._digests[path]

    def _digest_of(self, path: Path) -> str:
        if path.is_dir():
            return pictures.seed_set_digest(pictures.listed(path, self.classes), self._square)
        return file_digest(path)

    def _unchanged(self, path: Path) -> None:
        """Refuse what was read of a file or folder that is no longer what its digest says."""
        if self._digest_of(path) != self._held(path):
            raise QurdError(f"Expected {path} to stay as it was. It changed meanwhile: run it again.")


def _problems(folder: Path) -> list[str]:
    """Everything that is wrong in a folder, a sentence each: the manifest, then the images, then every model."""
    try:
        manifest = read_manifest(folder)
    except QurdError as error:
        return [str(error)]
    if found := list(manifest_faults(manifest, folder)):
        return found
    source, found = _source(manifest, folder), list(faults(lineages_of(manifest), roles_of(manifest)))
    for split in source.seed_sets:
        try:
            source.images(split)
        except QurdError as error:
            found.append(str(error))
    few = torch.zeros(2, 3, *source._size) if not found else None
    for model in (model for model, entry in source.entries.items() if not entry.api):
        try:
            oracle = source.oracle(model, Runtime())
            if few is not None:
                with doing(f"asking '{model}'"):
                    oracle.logits(few)
        except QurdError as error:
            found.append(str(error))
    return found


def _opened(folder: Path) -> tuple[dict[str, Any], ModelFolder]:
    """The manifest, and what it names."""
    manifest = read_manifest(folder)
    for problem in manifest_faults(manifest, folder):
        raise QurdError(f"{problem} (In {folder}.)")
    return manifest, _source(manifest, folder)


def _content(folder: Path) -> str:
    """What identifies a folder: weights, images and how they are read; other files in it may come and go."""
    return _opened(folder)[1].content()


@reads(FOLDER, what="a folder of models", content=_content, problems=_problems)
def model_folder(folder: Path) -> Benchmark:
    """A folder of models with a manifest."""
    manifest, source = _opened(folder)
    lineages, roles = lineages_of(manifest), roles_of(manifest)
    for problem in faults(lineages, roles):
        raise QurdError(f"{problem} (In {folder}.)")
    found = cast(lineages, roles)
    source.content()  # what it holds now, whenever it is asked
    notes = (*source.notes, *found.notes)
    access = min(source.entries[name].access for name in found.models)
    remote = [name for name in found.suspects if source.entries[name].api]
    less = {name: source.entries[name].access for name in found.suspects if source.entries[name].access < access}
    return Benchmark(
        str(folder),
        source.classes,
        found.pairs,
        found.models,
        source,
        access,
        notes=notes,
        suspects=found.suspects,
        reveals=less,
        tops={name: source.entries[name].api.top for name in remote if source.entries[name].access is Access.TOPK},
        remote={name: source.entries[name].api for name in remote},
    )


def _source(manifest: dict[str, Any], folder: Path) -> ModelFolder:
    classes = manifest["classes"]
    named = tuple(map(str, range(classes) if isinstance(classes, int) else classes))
    lineages = lineages_of(manifest)
    entries = {
        name_of(model): _entry(manifest, model, folder, named, lineages[name_of(model)]) for model in manifest["models"]
    }
    seed_sets = {split: folder / manifest["images"][split] for split in SPLITS if split in manifest["images"]}
    return ModelFolder(named, entries, seed_sets, manifest.get("side"))


def _entry(
    manifest: dict[str, Any], model: dict[str, Any], folder: Path, classes: tuple[str, ...], lineage: Lineage
) -> Entry:
    kind = model.get("source", "safetensors")
    path = folder / model[{"safetensors": "weights", "onnx": "file", "transformers": "folder", "api": "api"}[kind]]
    return Entry(
        lineage,
        model.get("architecture", kind),
        path,
        Preparation((0.0,) * 3, (1.0,) * 3) if kind in PREPARED else _preparation(manifest, model),
        model.get("accuracy"),
        model.get("role"),
        (model.get("input", {}), model["output"]) if kind == "onnx" else None,
        tuple([*map(str, model["classes"])].index(name) for name in classes) if "classes" in model else None,
        model.get("forged", False),
        variant(model) if kind == "safetensors" else PLAIN,
        read_api(path, classes) if kind == "api" else None,
    )


def _preparation(manifest: dict[str, Any], model: dict[str, Any]) -> Preparation:
    given = model.get("normalisation") or manifest["normalisation"]
    return Preparation(tuple(given["mean"]), tuple(given["std"]), model.get("side"))
