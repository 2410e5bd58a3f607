"""The manifest of a folder of models: what it may say, and what is wrong with it."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from qurd_core.benchmarks.own.foreign import lies_within, look_alikes, name_faults, yaml_values
from qurd_core.benchmarks.own.kinship import lineage_faults, read_lineages
from qurd_core.benchmarks.own.networks import LARGEST, SMALLEST, check, three_numbers
from qurd_core.benchmarks.own.roles import NAMELESS, ROLES, SUSPECT, nameless, without_lineage
from qurd_core.benchmarks.own.sources.onnx_model import GIVES, LAYOUTS, RANGES
from qurd_core.benchmarks.own.variants import KEYS, variant_faults
from qurd_core.errors import A_FOLDER, SHOWN, QurdError, is_filled, lies_at, misplaced, unknown, visible
from qurd_core.files import json_values, opened
from qurd_core.lineage import Lineage

MANIFESTS = ("manifest.yaml", "manifest.yml", "manifest.json")
BYTES = 256_000  # of a manifest
SPLITS = ("train", "test")
SIDES = (1, 1024)
_KEYS = {"format", "classes", "side", "images", "normalisation", "models"}
_SHARED_KEYS = {"model", "role", "lineage", "source", "classes", "normalisation", "side", "accuracy", "forged"}
_SOURCES = {  # keys of each kind of model
    "safetensors": {"architecture", "weights", *KEYS},
    "onnx": {"file", "input", "output"},
    "transformers": {"folder"},
    "api": {"api"},
}
_NEEDED = {  # texts that each must have
    "safetensors": ("architecture", "weights"),
    "onnx": ("file",),
    "transformers": ("folder",),
    "api": ("api",),
}
PREPARED = ("transformers", "api")  # which prepare images themselves
_FILES = {"weights": "weights", "file": "file", "api": "file of the API"}  # keys that name a file, and its name in words


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


def manifest_faults(manifest: dict[str, Any], folder: Path) -> Iterator[str]:
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
        yield "Expected 'models' as a list of entries with lineage, architecture and weights, or with source: onnx and file."
        return
    for number, model in enumerate(models, 1):
        yield from _model_faults(model, f"model {number}", folder)
        yield from _order_faults(model, f"model {number}", classes)
        apart = not isinstance(model, dict) or model.get("source") in PREPARED or model.get("normalisation")
        if not apart and not manifest.get("normalisation"):
            yield f"Expected 'normalisation' in the manifest or of model {number}: mean [0,0,0] and std [1,1,1] for none."
    sound = [model for model in models if isinstance(model, dict) and isinstance(model.get("lineage"), str)]
    yield from lineage_faults({name_of(model): model["lineage"] for model in sound})
    names = [name_of(model) for model in models if isinstance(model, dict)]
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
    kind = model.get("source", "safetensors")
    if not isinstance(kind, str) or kind not in _SOURCES:
        yield f"{unknown('source', str(kind), _SOURCES)} (In {what}.)"
        return
    for name in ("lineage", *_NEEDED[kind]):
        if name == "lineage" and model.get("role") in NAMELESS and "model" in model and "lineage" not in model:
            continue
        if not isinstance(model.get(name), str):
            yield f"Expected a text as '{name}' of {what}. Got {str(model.get(name))[:60]!r}."
    keys = _SHARED_KEYS - ({"normalisation", "side"} if kind in PREPARED else set()) | _SOURCES[kind]
    if strange := sorted(map(str, model.keys() - keys)):
        yield f"Expected {', '.join(sorted(keys))} of {what}. Got also '{strange[0][:60]}'."
    if kind == "onnx":
        yield from _onnx_faults(model, what)
    if kind == "api" and model.get("role") != SUSPECT:
        yield (
            f"Expected role: {SUSPECT} of {what}: an API is asked about few pictures, and what calibrates is asked about"
            " many. Bring other models as files, or their answers as a table."
        )
    if kind == "safetensors" and isinstance(model.get("architecture"), str):
        try:
            check(model["architecture"])
        except QurdError as error:
            yield f"{error} (In {what}.)"
    if kind == "safetensors":
        yield from variant_faults(model, what)
    if kind == "safetensors" and isinstance(model.get("weights"), str):
        yield from _pickle_faults(model["weights"], what)
    if kind == "transformers" and isinstance(model.get("folder"), str):
        yield from _folder_faults(model["folder"], folder, what)
    for name in _NEEDED[kind]:
        if name in _FILES and isinstance(model.get(name), str):
            yield from _path_faults(model[name], folder, f"{_FILES[name]} of {what}")
    if model.get("side") is not None and not _is_side(model["side"]):
        yield f"Expected 'side' of {what} from {SIDES[0]} to {SIDES[1]} pixels. Got {model['side']!r}."
    if type(model.get("forged", True)) is not bool:
        yield f"Expected 'forged' of {what} as true or false. Got {str(model['forged'])[:60]!r}."
    yield from _preparation_faults(model.get("normalisation"), what)
    given = model.get("accuracy", 1)
    if type(given) not in (int, float) or not 0 <= given <= 1:
        yield f"Expected 'accuracy' of {what} as a share from 0 to 1. Got {str(given)[:60]!r}."


def _order_faults(model: Any, what: str, classes: Any) -> Iterator[str]:
    """What is wrong with the order of the classes of a model."""
    if not isinstance(model, dict) or "classes" not in model:
        return
    names = classes if isinstance(classes, list) else [*range(classes)] if type(classes) is int else []
    own = model["classes"]
    if not isinstance(own, list) or sorted(map(str, own)) != sorted(map(str, names)):
        got = f"{len(own)} names" if isinstance(own, list) else repr(str(own)[:60])
        yield (
            f"Expected 'classes' of {what} as the {len(names)} names of the manifest, each once, in the order of its"
            f" outputs. Got {got}."
        )


def _pickle_faults(name: str, what: str) -> Iterator[str]:
    if name.lower().endswith((".pt", ".pth", ".pkl", ".bin", ".ckpt")):
        yield (
            f"Expected the weights of {what} as .safetensors or .onnx. Got {visible(name[:SHOWN])}: pickles and TorchScript"
            " run code when they are opened. Export it."
        )


def _onnx_faults(model: dict[str, Any], what: str) -> Iterator[str]:
    """What is wrong with how images are put into a model, and with what it gives."""
    said = {"input": model.get("input", {}), "output": model.get("output", {})}
    wanted = {
        "input": {"name": None, "layout": LAYOUTS, "range": RANGES},
        "output": {"name": None, "gives": GIVES},
    }
    for part, keys in wanted.items():
        if not isinstance(said[part], dict) or not set(said[part]) <= set(keys):
            yield f"Expected '{part}' of {what} with {', '.join(keys)}. Got {str(said[part])[:60]!r}."
            continue
        for name, known in keys.items():
            value = said[part].get(name)
            if name == "gives" and value is None:
                yield f"Expected 'output' of {what} with gives: logits or probits. It says neither."
            elif value is not None and (not isinstance(value, str) or (known and value not in known)):
                meant = " or ".join(known or ("a text",))
                yield f"Expected '{name}' in '{part}' of {what} as {meant}. Got {str(value)[:60]!r}."


def _path_faults(text: Any, folder: Path, what: str, *, or_folder: bool = False) -> Iterator[str]:
    if not isinstance(text, str) or "\0" in text:
        yield f"Expected a path as {what}. Got {str(text)[:60]!r}."
    elif not lies_within(folder / text, folder):
        yield f"Expected the {what} inside {folder}. Got {visible(text[:SHOWN])}."
    elif not is_filled(folder / text) and not (or_folder and lies_at(folder / text) == A_FOLDER):
        yield str(misplaced(f"the {what}", folder / text))


def _folder_faults(text: str, folder: Path, what: str) -> Iterator[str]:
    if "\0" in text or not lies_within(folder / text, folder):
        yield f"Expected the folder of {what} inside {folder}. Got {visible(text[:SHOWN])}."
    elif lies_at(folder / text) != A_FOLDER:
        yield str(misplaced(f"the folder of {what}", folder / text))


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


def lineages_of(manifest: dict[str, Any]) -> dict[str, Lineage]:
    """Of every model. Of a model of unknown origin nobody needs to say one: there its name stands for it."""
    return read_lineages({name_of(model): _lineage(model) for model in manifest["models"]})


def _lineage(model: dict[str, Any]) -> str:
    return model["lineage"] if "lineage" in model else nameless(model["role"], name_of(model))


def roles_of(manifest: dict[str, Any]) -> dict[str, str]:
    return {name_of(model): model["role"] for model in manifest["models"] if "role" in model}


def name_of(model: dict[str, Any]) -> str:
    return str(model.get("model", model.get("lineage")))
