"""A folder of models with a manifest (`manifest.yaml` or `.json`): architectures, weights, classes, lineages, images."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch

from qurd_core.benchmarks.base import FOLDER, Benchmark, Source, reads
from qurd_core.benchmarks.own import pictures
from qurd_core.benchmarks.own.foreign import lies_within, look_alikes, name_faults, yaml_values
from qurd_core.benchmarks.own.kinship import lineage_faults, read_lineages
from qurd_core.benchmarks.own.networks import LARGEST, SMALLEST, Preparation, Prepared, check, loaded, three_numbers
from qurd_core.benchmarks.own.roles import NAMELESS, ROLES, cast, faults, nameless, without_lineage
from qurd_core.errors import A_FOLDER, SHOWN, QurdError, doing, is_filled, lies_at, misplaced, unknown, visible
from qurd_core.files import file_digest, json_values, opened
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime
from qurd_core.types import Images

MANIFESTS = ("manifest.yaml", "manifest.yml", "manifest.json")
BYTES = 256_000  # of a manifest
SPLITS = ("train", "test")
SIDES = (1, 1024)
_KEYS = {"format", "classes", "side", "images", "normalisation", "models"}
_MODEL_KEYS = {"model", "role", "lineage", "architecture", "weights", "normalisation", "side", "accuracy"}


@dataclass(frozen=True)
class Entry:
    """A model as the manifest describes it."""

    lineage: Lineage
    architecture: str
    weights: Path
    preparation: Preparation
    accuracy: float | None = None  # as declared
    role: str | None = None


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
        return about | {"classes": len(self.classes), "sha256": self.digest(model)}

    def digest(self, model: str) -> str:
        entry = self.entries[model]
        about = [entry.architecture, len(self.classes), str(entry.preparation), self._held(entry.weights)]
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
            [name, self.digest(name), str(entry.lineage), entry.accuracy, *[entry.role] * bool(entry.role)]
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
        with doing(f"loading '{model}'"):
            network = loaded(entry.architecture, len(self.classes), entry.weights)
        self._unchanged(entry.weights)
        return Oracle(Prepared(network, entry.preparation), classes=len(self.classes), runtime=runtime, name=model)

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
    if found := list(_faults(manifest, folder)):
        return found
    source, found = _source(manifest, folder), list(faults(_lineages(manifest), _roles(manifest)))
    for split in source.seed_sets:
        try:
            source.images(split)
        except QurdError as error:
            found.append(str(error))
    few = torch.zeros(2, 3, *source._size) if not found else None
    for model in source.entries:
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
    for problem in _faults(manifest, folder):
        raise QurdError(f"{problem} (In {folder}.)")
    return manifest, _source(manifest, folder)


def _content(folder: Path) -> str:
    """What identifies a folder: weights, images and how they are read; other files in it may come and go."""
    return _opened(folder)[1].content()


@reads(FOLDER, what="a folder of models", content=_content, problems=_problems)
def model_folder(folder: Path) -> Benchmark:
    """A folder of models with a manifest."""
    manifest, source = _opened(folder)
    lineages, roles = _lineages(manifest), _roles(manifest)
    for problem in faults(lineages, roles):
        raise QurdError(f"{problem} (In {folder}.)")
    found = cast(lineages, roles)
    source.content()  # what it holds now, whenever it is asked
    notes = (*source.notes, *found.notes)
    return Benchmark(str(folder), source.classes, found.pairs, found.models, source, notes=notes, suspects=found.suspects)


def read_manifest(folder: Path) -> dict[str, Any]:
    """
    Raises:
        QurdError: none there, more than one, too large, or neither YAML nor JSON.
    """
    there = [folder / name for name in MANIFESTS if (folder / name).is_file()]
    if len(there) != 1:
        held = f"There are {len(there)}." if there else f"There is none: {_held_by(folder)}."
        raise QurdError(f"Expected one of {', '.join(MANIFESTS)} in {folder}. {held}")
    if not lies_within(there[0], folder):
        raise QurdError(f"Expected the manifest inside {folder}. {there[0].name} is a link to another place.")
    try:
        with opened(there[0]) as file:
            data = file.read(BYTES + 1)
    except OSError as error:
        raise QurdError(f"Cannot read {there[0]}: {error.strerror}.") from None
    if len(data) > BYTES:
        raise QurdError(f"Expected a manifest of at most {BYTES:,} bytes. {there[0]} has {there[0].stat().st_size:,}.")
    return _read(there[0], data)


def _held_by(folder: Path) -> str:
    """What a folder that is no folder of models holds, in words."""
    try:
        held = sorted(folder.iterdir())
    except OSError as error:
        return f"what it holds cannot be seen ({error.strerror})"
    first = ", ".join(f"{path.name} ({lies_at(path)})" for path in held[:3])
    return f"it holds {first}" + (f" and {len(held) - 3} more" if len(held) > 3 else "") if held else "it is empty"


@lru_cache(maxsize=8)
def _read(path: Path, data: bytes) -> dict[str, Any]:
    """The manifest, parsed once: every unit of work asks whether its benchmark is still the same."""
    try:
        found = json_values(data) if path.suffix == ".json" else yaml_values(data.decode("utf-8"))
    except ValueError as error:
        raise QurdError(f"Cannot read {path}: {' '.join(str(error).split())}.") from None
    if not isinstance(found, dict):
        raise QurdError(f"Expected names with values in {path}: classes, images, models. Got a {type(found).__name__}.")
    return found


def _faults(manifest: dict[str, Any], folder: Path) -> Iterator[str]:
    """What is wrong in a manifest, a sentence each."""
    if strange := sorted(map(str, manifest.keys() - _KEYS)):
        yield f"Expected {', '.join(sorted(_KEYS))} in the manifest. Got also '{strange[0][:60]}'."
    if manifest.get("format", 1) != 1:
        yield f"Expected a manifest of format 1. Got {manifest['format']!r}."
    classes = manifest.get("classes")
    named = isinstance(classes, list) and len({*map(str, classes)}) == len(classes) >= 2
    if not named and not (type(classes) is int and 2 <= classes <= 100_000):
        yield "Expected 'classes' as their number, or as a list of at least two different names."
    elif named:
        yield from name_faults(classes, "class")
        yield from look_alikes(map(str, classes), "classes")
    if manifest.get("side") is not None and not _is_side(manifest["side"]):
        yield f"Expected 'side' from {SIDES[0]} to {SIDES[1]} pixels. Got {manifest['side']!r}."
    yield from _preparation_faults(manifest.get("normalisation"), "the manifest")
    images = manifest.get("images")
    if not isinstance(images, dict) or not images or not set(images) <= set(SPLITS):
        yield "Expected 'images' with the folder or .safetensors file of 'test', and of 'train' if there is one."
    else:
        for split in images:
            yield from _path_faults(images[split], folder, f"images of {split}", or_folder=True)
    models = manifest.get("models")
    if not isinstance(models, list) or not models:
        yield "Expected 'models' as a list of entries with lineage, architecture and weights."
        return
    for number, model in enumerate(models, 1):
        yield from _model_faults(model, f"model {number}", folder)
        if isinstance(model, dict) and not model.get("normalisation") and not manifest.get("normalisation"):
            yield f"Expected 'normalisation' in the manifest or of model {number}: mean [0,0,0] and std [1,1,1] for none."
    sound = [model for model in models if isinstance(model, dict) and isinstance(model.get("lineage"), str)]
    yield from lineage_faults({_name(model): model["lineage"] for model in sound})
    names = [_name(model) for model in models if isinstance(model, dict)]
    yield from look_alikes([*names, *(model["lineage"] for model in sound)], "names or lineages of models")
    if twice := next((name for name in names if names.count(name) > 1), None):
        yield f"Two models are named '{twice}'. Give them a 'model' name or lineage each."


def _model_faults(model: Any, what: str, folder: Path) -> Iterator[str]:
    if not isinstance(model, dict):
        yield f"Expected {what} as names with values: lineage, architecture, weights. Got {str(model)[:60]!r}."
        return
    if "model" in model:
        yield from name_faults([model["model"]], "model")
    if "role" in model and model["role"] not in ROLES:
        yield f"{unknown('role', str(model['role']), ROLES)} (In {what}.)"
        return
    if "role" in model and "model" in model and "lineage" not in model and model["role"] not in NAMELESS:
        yield str(without_lineage({str(model["model"])[:SHOWN]: model["role"]}))
        return
    for name in ("lineage", "architecture", "weights"):
        if name == "lineage" and model.get("role") in NAMELESS and "model" in model and "lineage" not in model:
            continue
        if not isinstance(model.get(name), str):
            yield f"Expected a text as '{name}' of {what}. Got {str(model.get(name))[:60]!r}."
    if strange := sorted(map(str, model.keys() - _MODEL_KEYS)):
        yield f"Expected {', '.join(sorted(_MODEL_KEYS))} of {what}. Got also '{strange[0][:60]}'."
    if isinstance(model.get("architecture"), str):
        try:
            check(model["architecture"])
        except QurdError as error:
            yield f"{error} (In {what}.)"
    if isinstance(model.get("weights"), str):
        yield from _path_faults(model["weights"], folder, f"weights of {what}")
    if model.get("side") is not None and not _is_side(model["side"]):
        yield f"Expected 'side' of {what} from {SIDES[0]} to {SIDES[1]} pixels. Got {model['side']!r}."
    yield from _preparation_faults(model.get("normalisation"), what)
    given = model.get("accuracy", 1)
    if type(given) not in (int, float) or not 0 <= given <= 1:
        yield f"Expected 'accuracy' of {what} as a share from 0 to 1. Got {str(given)[:60]!r}."


def _path_faults(text: Any, folder: Path, what: str, *, or_folder: bool = False) -> Iterator[str]:
    if not isinstance(text, str) or "\0" in text:
        yield f"Expected a path as {what}. Got {str(text)[:60]!r}."
    elif not lies_within(folder / text, folder):
        yield f"Expected the {what} inside {folder}. Got {visible(text[:SHOWN])}."
    elif not is_filled(folder / text) and not (or_folder and lies_at(folder / text) == A_FOLDER):
        yield str(misplaced(f"the {what}", folder / text))


def _preparation_faults(given: Any, what: str) -> Iterator[str]:
    if given is None:
        return
    sound = isinstance(given, dict) and set(given) == {"mean", "std"}
    if (
        not sound
        or not all(three_numbers(given[name]) for name in given)
        or not all(value >= SMALLEST for value in given["std"])
    ):
        yield (
            f"Expected 'normalisation' of {what} as mean and std, three numbers each of at most {LARGEST:g}, std above zero"
            f" (from {SMALLEST:g})."
        )


def _is_side(value: Any) -> bool:
    return type(value) is int and SIDES[0] <= value <= SIDES[1]


def _lineages(manifest: dict[str, Any]) -> dict[str, Lineage]:
    """Of a model of unknown origin nobody needs to say one: there its name stands for it."""
    return read_lineages({_name(model): _lineage(model) for model in manifest["models"]})


def _lineage(model: dict[str, Any]) -> str:
    return model["lineage"] if "lineage" in model else nameless(model["role"], _name(model))


def _roles(manifest: dict[str, Any]) -> dict[str, str]:
    return {_name(model): model["role"] for model in manifest["models"] if "role" in model}


def _name(model: dict[str, Any]) -> str:
    return str(model.get("model", model.get("lineage")))


def _source(manifest: dict[str, Any], folder: Path) -> ModelFolder:
    classes = manifest["classes"]
    named = tuple(map(str, range(classes) if isinstance(classes, int) else classes))
    lineages = _lineages(manifest)
    entries = {
        _name(model): Entry(
            lineages[_name(model)],
            model["architecture"],
            folder / model["weights"],
            _preparation(manifest, model),
            model.get("accuracy"),
            model.get("role"),
        )
        for model in manifest["models"]
    }
    seed_sets = {split: folder / manifest["images"][split] for split in SPLITS if split in manifest["images"]}
    return ModelFolder(named, entries, seed_sets, manifest.get("side"))


def _preparation(manifest: dict[str, Any], model: dict[str, Any]) -> Preparation:
    given = model.get("normalisation") or manifest["normalisation"]
    return Preparation(tuple(given["mean"]), tuple(given["std"]), model.get("side"))
