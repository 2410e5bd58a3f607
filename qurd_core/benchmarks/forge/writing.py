"""The folder of forged models as a benchmark like any other: a manifest with roles, and an account of every model."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.forge.plan import Planned
from qurd_core.benchmarks.forge.sets import TEST, TRAIN, Sets, path_of
from qurd_core.benchmarks.own.kinship import lineage_twice
from qurd_core.benchmarks.own.manifest import MANIFESTS, PREPARED, name_of, read_manifest
from qurd_core.benchmarks.own.model_folder import ModelFolder
from qurd_core.benchmarks.own.roles import FAILED, HARD, STOLEN, SUSPECT, UNRELATED, VICTIM
from qurd_core.benchmarks.own.variants import CONSTRUCTED
from qurd_core.benchmarks.zoo.architectures import MEAN, STD
from qurd_core.benchmarks.zoo.models import file_of
from qurd_core.errors import QurdError
from qurd_core.files import file_digest, publish
from qurd_core.lineage import Lineage
from qurd_core.registry import thefts

MODELS, BROUGHT, ACCOUNT = "models", "brought", "forge.json"
_ROLES = {"positive": STOLEN, "negative": UNRELATED, "hard": HARD}
_FILES = ("weights", "file", "folder", "api")  # where an entry of a manifest names what it is read from

Entry = dict[str, Any]


class _Plain(yaml.SafeDumper):
    """Writes whatever is said twice twice: manifests with references are refused."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def entries(folder: Path, bench: Benchmark, victim: str) -> list[Entry]:
    """What the manifest says of a victim and of all that stands against it or is asked about, with a role each; the victim's
    entry first.
    """
    manifest = read_manifest(folder)
    roles = dict.fromkeys(bench.suspects, SUSPECT)
    roles |= {pair.suspect: _ROLES[pair.kind] for pair in bench.pairs_of(victim)} | {victim: VICTIM}
    found = []
    for entry in (entry for entry in manifest["models"] if name_of(entry) in roles):
        apart = entry.get("source") in PREPARED or "normalisation" not in manifest
        shared = {} if apart else {"normalisation": manifest["normalisation"]}
        found.append(shared | entry | {"role": roles[name_of(entry)]})
    return sorted(found, key=lambda entry: entry["role"] != VICTIM)


def bring(folder: Path, home: Path, brought: Sequence[Entry], source: ModelFolder) -> list[Entry]:
    """Copy the files of models into the folder of forged ones; the entries with their new places."""

    def place(path: Path) -> Path:
        return Path(BROUGHT) / path.parent.resolve().relative_to(folder.resolve()) / path.name

    found = []
    for entry in brought:
        (key,) = (key for key in _FILES if key in entry)
        for path in source.entries[name_of(entry)].files:
            copy = home / place(path)
            if not copy.exists() or file_digest(copy) != file_digest(path):
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        found.append(entry | {key: place(folder / entry[key]).as_posix()})
    return found


def entry_of(one: Planned, role: str, accuracy: float, victim: Entry) -> Entry:
    """What the manifest says of a forged model. One whose weights were the victim's is read as the victim is."""
    last = Lineage.parse(one.lineage).last.name
    copied = last in thefts and thefts[last].declares.reads == "weights"
    keys = ("architecture", *CONSTRUCTED, "normalisation", "side", "classes")  # names of tensors are the network's own now
    like = (
        {key: victim[key] for key in keys if key in victim} if copied else {"architecture": f"patchwork/{one.architecture}"}
    )
    about = {"lineage": one.lineage, "role": role, "forged": True, **like}
    return about | {"weights": f"{MODELS}/{file_of(one.lineage)}", "accuracy": round(accuracy, 4)}


def check_names(brought: Sequence[Entry], forged: Sequence[Planned]) -> None:
    """
    Raises:
        QurdError: a model that is forged is there already.
    """
    lineages = {name_of(entry): Lineage.parse(entry["lineage"]) for entry in brought if "lineage" in entry}
    for sentence in lineage_twice(lineages | {f"{one.lineage} ": Lineage.parse(one.lineage) for one in forged}):
        raise QurdError(f"{sentence} Forge from a folder without forged models.")


def write(home: Path, classes: Sequence[str], sets: Sets, models: Sequence[Entry]) -> Path:
    """Write the manifest of all models."""
    sizes = {images.pixels.shape[2:] for images in sets.held.values()}
    (height, width) = next(iter(sizes))
    splits = {name: path_of(name, home) for name in (TRAIN, TEST) if name in sets.held}
    manifest: dict[str, Any] = {"classes": list(classes), **({"side": height} if height == width else {})}
    manifest["images"] = {name: path.relative_to(home).as_posix() for name, path in splits.items()}
    manifest["normalisation"] = {"mean": [MEAN] * 3, "std": [STD] * 3}
    text = _HEAD + yaml.dump(manifest | {"models": list(models)}, Dumper=_Plain, sort_keys=False, allow_unicode=True)
    return publish(home / MANIFESTS[0], text.encode())


def check_home(home: Path) -> None:
    """
    Raises:
        QurdError: the folder holds something else than forged models.
    """
    known = {MODELS, BROUGHT, ACCOUNT, MANIFESTS[0], "pictures", "power.csv"}
    if home.exists() and (not home.is_dir() or {path.name for path in home.iterdir()} - known):
        raise QurdError(
            f"Expected a new folder for forged models, or one of theirs. {home} holds something else: name another one."
        )


_HEAD = f"# Forged: see {ACCOUNT} for what each model read, and how it was made. A failed theft has the role {FAILED}.\n"


def account(one: Planned, record: Mapping[str, Any], role: str, kappa: float | None) -> dict[str, Any]:
    """What is told of a forged model: what it read, how it was made, and how good it is."""
    return {
        "lineage": one.lineage,
        "role": role,
        "by": one.by,
        "pictures": one.share,
        "images": one.images,
        "epochs": one.epochs,
        "architecture": record["architecture"],
        "regions": list(record["regions"]),
        "read_truth": record["read_truth"],
        "victim_queries": record["victim_queries"],
        "accuracy": record["accuracy"],
        "kappa": kappa,
        "sha256": record["sha256"],
    }
