"""The embedded models: made from their lineage, stored as safetensors with a manifest, loaded and checked."""

import hashlib
import importlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from qurd_core.benchmarks.zoo import training
from qurd_core.benchmarks.zoo.architectures import Architecture, Normalised, empty, initialised
from qurd_core.benchmarks.zoo.supplies import Supplies, World
from qurd_core.benchmarks.zoo.training import cross_entropy, fit
from qurd_core.errors import QurdError, doing, unknown
from qurd_core.executors import Executor, Unit, finish
from qurd_core.files import publish, read_json
from qurd_core.grammar import Call, Chain
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.registry import origins, thefts
from qurd_core.runtime import Track
from qurd_core.store import digest

MANIFEST = "manifest.json"
_NETWORK = "network."  # how the names of tensors begin behind a normalisation

Region = Literal["victim", "attacker", "jittered", "public", "victim1", "victim2", "victim3", "quarter1", "quarter2",
                 "quarter3", "quarter4", "tenth1", "tenth2", "tenth3", "tenth4", "train", "theirs"]  # fmt: skip
"""What a network may be trained on; every wing has some of them."""


@origins.register()
def train(
    supplies: Supplies,
    *,
    arch: Architecture,
    region: Region,
    seed: int = 0,
) -> Normalised:
    """Train from fresh weights on the truth of a region."""
    data, rng = supplies.labelled(region), supplies.stream()
    model = initialised(arch, supplies.classes(data), rng)
    return fit(model, data.pixels, cross_entropy(data.truth), rng, **supplies.schedule(arch, len(data)))


@dataclass(frozen=True)
class Record:
    """What is known of a model: its life, what its maker read, and how good it is.

    Attributes:
        lineage: its name.
        sha256: over its tensors.
        architecture, classes, parameters: of the network.
        accuracy: share of the test images that it gets right.
        regions: regions that its last step read.
        read_truth: whether that step read the truth of any image.
        victim_queries: images that it sent to the victim.
        stored: whether it has a file; others are derived from their nearest ancestor with one when loaded.
    """

    lineage: str
    sha256: str
    architecture: str
    classes: int
    parameters: int
    accuracy: float
    regions: tuple[str, ...]
    read_truth: bool
    victim_queries: int
    stored: bool


class Zoo:
    """A folder of models with their manifest.

    Args:
        folder: holds `manifest.json` and one safetensors file per stored model.
        world: what they were made from.
    """

    def __init__(self, folder: Path, world: World):
        self.folder, self.world = folder, world

    @cached_property
    def manifest(self) -> dict:
        path = self.folder / MANIFEST
        try:
            return read_json(path, "Build the models again.")
        except OSError as error:
            raise QurdError(f"Expected the manifest of the models at {path}: {error}. Restore it or rebuild.") from None

    @cached_property
    def records(self) -> dict[str, Record]:
        """Every model by lineage."""
        return {
            model["lineage"]: Record(**model | {"regions": tuple(model["regions"])}) for model in self.manifest["models"]
        }

    def record(self, lineage: str) -> Record:
        if lineage not in self.records:
            raise unknown("model", lineage, self.records)
        return self.records[lineage]

    def module(self, lineage: str) -> Normalised:
        """The model, its weights checked against the manifest."""
        record = self.record(lineage)
        model = load(self.folder, lineage, self.world)
        if digest(model.state_dict()) != record.sha256:
            raise QurdError(
                f"The weights of {lineage} are not those of the manifest. Restore {file_of(lineage)} or rebuild."
            )
        return model


def canonical(lineage: str) -> str:
    """The canonical text of a lineage: the parameters of every step in signature order, defaults left out."""
    calls = []
    for call in Lineage.parse(lineage).chain.calls:
        component = origins[call.name] if call.name in origins else thefts[call.name]
        calls.append(component.call(component.bind(call)))
    return str(Chain(tuple(calls)))


def recipe(lineage: str, world: World) -> str:
    """What a model is made by, as a digest: every parameter, version and constant of every step, and of the training loop.

    A name says less: with other epochs in the code the same lineage is another model.
    """
    steps = []
    for call in _made_here(lineage, world):
        component = origins[call.name] if call.name in origins else thefts[call.name]
        home = importlib.import_module(component.function.__module__)
        steps.append([call.name, component.bind(call), component.version, _constants(home)])
    told = json.dumps([steps, _constants(training) | world.constants], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def _made_here(lineage: str, world: World) -> tuple[Call, ...]:
    """The steps of a life that are carried out here: all, or those after the model that was given."""
    calls = Lineage.parse(lineage).chain.calls
    if world.given and lineage.startswith(f"{world.given.lineage}->"):
        return calls[len(Lineage.parse(world.given.lineage).chain.calls) :]
    return calls


def _constants(module: ModuleType) -> dict[str, object]:
    """The numbers and tables of numbers that a module names in capitals."""
    return {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, (int, float, dict))}


def file_of(lineage: str) -> str:
    """The file name of a model: its lineage holds characters that file systems refuse."""
    return hashlib.sha256(lineage.encode()).hexdigest()[:20] + ".safetensors"


def load(folder: Path, lineage: str, world: World) -> Normalised:
    """The model from its file, derived from its parent, or as it was given."""
    if world.given and lineage == world.given.lineage:
        return world.given.module()
    if _is_derived(lineage, world):
        return make(lineage, folder, world, Supplies(lineage, world))
    path = folder / file_of(lineage)
    try:
        header, state = _header(folder, lineage), _tensors(path)
        model = empty(header["architecture"], header["classes"])
        model.load_state_dict(state, strict=True, assign=True)
    except (OSError, SafetensorError, KeyError, TypeError, RuntimeError, json.JSONDecodeError) as error:
        raise QurdError(f"Cannot read the weights of {lineage} in {path}: {error}. Restore the file or rebuild.") from None
    return model


def _tensors(path: Path) -> dict[str, Tensor]:
    with safe_open(path, framework="pt") as file:
        return {name: _full(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 (a method of safetensors)


def _full(values: Tensor) -> Tensor:
    """Half precision is how weights are stored, not how they are computed with."""
    return values.float() if values.dtype == torch.float16 else values


def make(lineage: str, folder: Path, world: World, supplies: Supplies, victim_oracle: Oracle | None = None) -> Normalised:
    """Carry out the last step of a lineage on the stored parent.

    Args:
        victim_oracle: answers for the parent, for thefts that copy answers.
    """
    life = Lineage.parse(lineage)
    if life.parent is None:
        component = origins[life.last.name]
        return component.function(supplies, **component.bind(life.last))
    component = thefts[life.last.name]
    parent = victim_oracle or load(folder, str(life.parent), world)
    return component.function(parent, supplies, **component.bind(life.last))


def oracle_for(lineage: str, folder: Path, world: World) -> Oracle | None:
    """The victim of a theft that copies answers, at the access that the theft needs; None for other models."""
    life = Lineage.parse(lineage)
    component = thefts[life.last.name] if life.parent else None
    if component is None or component.declares.reads != "answers":
        return None
    victim = load(folder, str(life.parent), world)
    return Oracle(victim, classes=victim.classes, access=component.declares.access, name=str(life.parent))


def build_one(lineage: str, folder: str, world: World) -> None:
    """Make one model, measure it, publish its file. In a process of its own, which knows no theft yet."""
    from qurd_core.benchmarks.base import register_benchmarks  # which reads the wings, and these this module

    register_benchmarks()
    home = Path(folder)
    with doing(f"making {lineage}"):
        supplies, oracle = Supplies(lineage, world), oracle_for(lineage, home, world)
        model = make(lineage, home, world, supplies, oracle)
        if world.half:
            _round(model)
        state = _state(model, world)
        record = Record(
            lineage=lineage,
            sha256=digest(state),
            architecture=model.architecture,
            classes=model.classes,
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            accuracy=_accuracy(model, world),
            regions=tuple(supplies.regions),
            read_truth=supplies.read_truth,
            victim_queries=oracle.asked if oracle else 0,
            stored=True,
        )
        # One entry: the format writes several in an order of its own, different every time.
        about = {"record": json.dumps(asdict(record) | {"recipe": recipe(lineage, world)})}
        stored = {name: _half(tensor) for name, tensor in state.items()} if world.half else state
        publish(home / file_of(lineage), save(stored, about))


def _state(model: nn.Module, world: World) -> dict[str, Tensor]:
    """What a file holds of a model."""
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if not world.given:
        return tensors
    return {name.removeprefix(_NETWORK): tensor for name, tensor in tensors.items() if name.startswith(_NETWORK)}


@torch.no_grad()
def _round(model: Normalised) -> None:
    """Round weights and statistics to what half precision holds."""
    for values in (*model.parameters(), *model.buffers()):
        values.copy_(_full(_half(values)))


def _half(values: Tensor) -> Tensor:
    return values.half() if values.is_floating_point() else values


def build(lineages: Iterable[str], folder: Path, world: World, executor: Executor, track: Track) -> None:
    """Make every model that the folder lacks or holds by another recipe, parents first, then write the manifest.

    A killed build is continued by the same call, and a damaged file is made again, as is whatever was made from one of
    these. Derived models get a record and no file.

    Raises:
        QurdError: the folder holds models that were made with other images than this machine decodes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = {region: world.images(region).digest for region in world.regions}
    before = Zoo(folder, world).manifest if (folder / MANIFEST).exists() else {"data": data}
    if before["data"] != data:
        raise QurdError(
            f"Expected the images that the models in {folder} were made with. Those here have other pixels: name an empty"
            " folder with --out."
        )
    every = _with_ancestors(lineages, world)
    derived = [name for name in every if _is_derived(name, world)]
    lacking: dict[str, None] = {}
    for name in every:
        whole = name in derived or _is_whole(folder, name, world, before)
        if not whole or any(parent in lacking for parent in _stored_parent(name, world)):
            lacking[name] = None
    units = [
        Unit(name, build_one, (name, str(folder), world), _stored_parent(name, world))
        for name in lacking
        if name not in derived
    ]
    finish(track(executor.run(units), len(units), "making models"))
    records = [_stored_record(folder, name) for name in every if name not in derived]
    records += [_derived_record(folder, name, world) for name in derived]
    manifest = {
        "format": 1,
        "torch": torch.__version__,
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "data": data,
        "recipes": {name: recipe(name, world) for name in every},
        "models": [asdict(record) for record in records],
    }
    publish(folder / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())


def _with_ancestors(lineages: Iterable[str], world: World) -> Sequence[str]:
    """Every lineage once, ancestors before descendants; without the model that was given, and its own ancestors."""
    found: dict[str, None] = {}
    for name in lineages:
        life, line = Lineage.parse(name), []
        while life and not (world.given and str(life) == world.given.lineage):
            line.append(str(life))
            life = life.parent
        found |= dict.fromkeys(reversed(line))
    return list(found)


def _is_whole(folder: Path, lineage: str, world: World, manifest: dict) -> bool:
    """Whether the file of a model is there, was made by its recipe and holds the tensors that it was published with.

    Args:
        manifest: may tell the recipes of files that do not.
    """
    path = folder / file_of(lineage)
    if not path.exists():
        return False
    try:
        whole = digest(_tensors(path)) == _stored_record(folder, lineage).sha256
    except (OSError, SafetensorError, KeyError, TypeError, json.JSONDecodeError):
        return False
    told = _header(folder, lineage).get("recipe", manifest.get("recipes", {}).get(lineage))
    return whole and told == recipe(lineage, world)


def _stored_parent(lineage: str, world: World) -> tuple[str, ...]:
    """The nearest ancestor that has a file: derived ones between are made of it. None of a first training, nor of a theft
    from the model that was given.
    """
    parent = Lineage.parse(lineage).parent
    if parent is None or (world.given and str(parent) == world.given.lineage):
        return ()
    return _stored_parent(str(parent), world) if _is_derived(str(parent), world) else (str(parent),)


def _is_derived(lineage: str, world: World) -> bool:
    """Whether a model has no file here."""
    last = Lineage.parse(lineage).last.name
    return not world.given and last in thefts and thefts[last].declares.derived


def _stored_record(folder: Path, lineage: str) -> Record:
    known = _header(folder, lineage)
    return Record(**{field.name: known[field.name] for field in fields(Record)})


def _header(folder: Path, lineage: str) -> dict:
    """The record of a stored model as its file holds it, with the recipe if it was made since files tell it."""
    with safe_open(folder / file_of(lineage), framework="pt") as file:
        return json.loads(file.metadata()["record"])


def _derived_record(folder: Path, lineage: str, world: World) -> Record:
    model = load(folder, lineage, world)
    (parent,) = (_stored_record(folder, name) for name in _stored_parent(lineage, world))
    changed = {"regions": (), "read_truth": False, "victim_queries": 0, "stored": False}
    return replace(parent, lineage=lineage, sha256=digest(model.state_dict()), accuracy=_accuracy(model, world), **changed)


def _accuracy(model: Normalised, world: World) -> float:
    """Share of the test images that the model gets right."""
    test = world.images("test")
    labels = Oracle(model, classes=model.classes).labels(test.pixels.float() / 255)
    return float((labels == test.truth).double().mean())
