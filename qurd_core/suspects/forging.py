"""Unrelated models and thieves of a victim of somebody's own, made from their own pictures: the front door.

1. `prepare`   read the folder, divide its pictures, plan the models, time one short epoch of each network. Nothing is made.
2. `forge`     train what the folder of forged models lacks, each model in one thread, published when it is done;
3.             ask all about the pictures that are left for queries: a theft that agrees by chance has failed;
4.             write the manifest, the account of every model, and the power of schemes against every thief.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark, benchmark
from qurd_core.benchmarks.forge import making, sets, writing
from qurd_core.benchmarks.forge.given import Mine
from qurd_core.benchmarks.forge.plan import Planned, Thieves, planned
from qurd_core.benchmarks.forge.sets import Sets
from qurd_core.benchmarks.own import pictures
from qurd_core.benchmarks.own.foreign import lies_within
from qurd_core.benchmarks.own.model_folder import ModelFolder
from qurd_core.benchmarks.own.roles import FAILED, STOLEN
from qurd_core.benchmarks.zoo import models
from qurd_core.benchmarks.zoo.supplies import World
from qurd_core.errors import A_FOLDER, NOTHING, QurdError, lies_at, unknown
from qurd_core.evaluation.plan import ask_natural
from qurd_core.evaluation.plausibility import Labels, measured_split
from qurd_core.evaluation.workbench import VETTING, Workbench, workbench
from qurd_core.executors import executor
from qurd_core.executors.limited import limited
from qurd_core.files import file_digest, write_json
from qurd_core.runtime import Runtime
from qurd_core.store import Key, Store
from qurd_core.suspects.power import power
from qurd_core.types import Images

UNRELATED_MODELS, HARD_MODELS = 40, 4
LEAST_KAPPA = 0.1  # below it a thief agrees with its victim no more than chance
POWER = "power.csv"
FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What would be forged.

    Attributes:
        home: the folder of forged models.
        models: in the order in which they are made.
        table: a row per way to make models, with minutes and megabytes; the last one is the sum.
        notes: what is to be known before, a sentence each.
    """

    folder: Path
    home: Path
    bench: Benchmark
    victim: str
    sets: Sets
    world: World
    models: tuple[Planned, ...]
    table: list[dict[str, Any]]
    brought: list[writing.Entry]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Forged:
    """What was forged.

    Attributes:
        home: an ordinary folder of models.
        models: what is told of each, see `writing.account`.
        power: a row per theft, scheme and budget, see `power`.
        notes: what failed or is missing, a sentence each.
    """

    home: Path
    models: list[dict[str, Any]]
    power: pd.DataFrame
    notes: tuple[str, ...]


def prepare(
    path: str,
    victim: str | None,
    home: Path,
    store: Store,
    runtime: Runtime,
    *,
    unrelated: int = UNRELATED_MODELS,
    hard: int = HARD_MODELS,
    which: Thieves = "quick",
    images: str | None = None,
) -> Plan:
    """Plan the models of a victim, and estimate what they take.

    Args:
        path: of a folder of models and pictures.
        victim: may be left out where there is one only.
        home: where the pictures of the plan are put, and later the models.
        images: a set of the folder (`train`, `test`), or a folder or file of pictures in it; `theirs` if there is one.

    Raises:
        QurdError: it is no folder of models and pictures, a name is unknown, or there are too few pictures.
    """
    bench, folder = benchmark(path), Path(path)
    if not isinstance(bench.source, ModelFolder):
        raise QurdError(f"Expected a folder of models and pictures to forge from. {folder} is another kind of benchmark.")
    if victim is None and len(bench.victims) > 1:
        raise QurdError(f"Expected one of {len(bench.victims)} victims with --victim: {', '.join(bench.victims[:8])}.")
    if victim is not None and victim not in bench.victims:
        raise unknown("victim", victim, bench.victims)
    mine = victim or bench.victims[0]
    entry = bench.source.entries[mine]
    access = min(entry.access, Access.LOGITS) if entry.whole else entry.access
    desk = workbench(bench, store, runtime)
    held = {name: desk.images(name) for name in (sets.TRAIN, sets.TEST) if name in bench.splits}
    height, width = next(iter(held.values())).pixels.shape[2:]
    others = _others(bench.source, folder, images, desk, (height, width))
    divided = sets.divided(held.get(sets.TRAIN), held.get(sets.TEST), others)
    sets.check(divided, len(bench.classes))
    sets.keep(divided, home)
    given = Mine(str(folder.resolve()), mine, str(entry.lineage), entry.architecture)
    world = making.world(home.resolve(), given, bench.digest(mine), divided, len(bench.classes))
    every = planned(given.lineage, divided, world, unrelated=unrelated, hard=hard, which=which, access=access)
    brought = writing.entries(folder, bench, mine)
    writing.check_names(brought, every)
    trained = [one.architecture for one in every if one.epochs]
    own = given.module() if access is Access.GRADIENTS else None
    table = making.table(every, making.seconds(world, divided.base, trained), making.sizes(world, own), runtime.workers)
    notes = [*divided.notes, *_about_access(mine, access)]
    return Plan(folder, home, bench, mine, divided, world, tuple(every), table, brought, tuple(notes))


def forge(plan: Plan, store: Store, runtime: Runtime) -> Forged:
    """Make every model of a plan that its folder lacks, and write the folder as a benchmark.

    A killed call is continued by the same one: it makes the models that are not there, or were made by another recipe.
    """
    home = plan.home
    names = [one.lineage for one in plan.models]
    models.build(names, home / writing.MODELS, plan.world, executor(runtime.workers), runtime.track)
    brought = writing.bring(plan.folder, home, plan.brought, plan.bench.source)
    records = models.Zoo(home / writing.MODELS, plan.world).manifest["models"]
    found = {record["lineage"]: record for record in records}

    def manifest(roles: dict[str, str]) -> Path:
        mine = plan.brought[0]
        forged = [
            writing.entry_of(one, roles.get(one.lineage, one.role), found[one.lineage]["accuracy"], mine)
            for one in plan.models
        ]
        return writing.write(home, plan.bench.classes, plan.sets, [*brought, *forged])

    manifest({})
    kappas = _kappas(plan, store, runtime)
    roles = {name: FAILED for name, kappa in kappas.items() if kappa < LEAST_KAPPA}
    if roles:
        manifest(roles)
    told = [
        writing.account(one, found[one.lineage], roles.get(one.lineage, one.role), kappas.get(one.lineage))
        for one in plan.models
    ]
    bench = benchmark(str(home))
    thieves = {one.lineage: one for one in plan.models if one.role == STOLEN and one.lineage not in roles}
    table, missing = power(bench, plan.victim, thieves, store, runtime)
    table.to_csv(home / POWER, index=False, float_format="%.6g")
    about = {"format": FORMAT, "victim": plan.victim, "lineage": plan.world.given.lineage}
    about |= {"digest": plan.bench.digest(plan.victim), "recipe": dict(plan.world.constants)}
    about |= {"sets": {name: len(images) for name, images in plan.sets.held.items()}, "models": told}
    write_json(home / writing.ACCOUNT, about, indent=1)
    notes = [*missing]
    if roles:
        notes.insert(
            0,
            f"{len(roles)} of {len(kappas)} thefts failed, such as '{next(iter(roles))}': it agrees with the victim no more"
            " than chance.",
        )
    return Forged(home, told, table, tuple(notes))


def _kappas(plan: Plan, store: Store, runtime: Runtime) -> dict[str, float]:
    """Agreement beyond chance of every thief with its victim, on the pictures that are left for queries."""
    bench = benchmark(str(plan.home))
    split = measured_split(bench)
    ask_natural(bench, split, store, runtime)
    known = Labels.of(workbench(bench, store, runtime), split, bench.models)
    return {one.lineage: known.kappa(plan.victim, one.lineage).value for one in plan.models if one.role == STOLEN}


def _others(source: ModelFolder, folder: Path, named: str | None, desk: Workbench, size: tuple[int, int]) -> Images | None:
    """Pictures that nobody saw, as whoever brings them says; read in a process with limits, as all foreign pictures are.

    Args:
        size: height and width of the other sets.
    """
    if named in source.seed_sets:
        return None if named == sets.TEST else desk.images(named)
    usual = [name for name in (sets.THEIRS, f"{sets.THEIRS}.safetensors") if lies_at(folder / name) != NOTHING]
    name = named or next(iter(usual), None)
    if name is None:
        return None
    path = folder / name
    if not lies_within(path, folder):
        raise QurdError(f"Expected the pictures inside {folder}. Got {name}: copy them there.")
    if lies_at(path) == A_FOLDER:
        listed = pictures.listed(path, source.classes)
        content, read = pictures.seed_set_digest(listed, size[0]), partial(pictures.seed_set, listed, size[0])
    else:
        content, read = file_digest(path), partial(pictures.stored, path, len(source.classes), size)
    key = Key("images", {"images": content})
    if desk.store.known(key) is None:
        limited(partial(_keep, desk.store, key, read), path, memory=VETTING)
    return Images(**desk.store.get(key, lambda: read().tensors))


def _keep(store: Store, key: Key, read: Callable[[], Images]) -> None:
    store.get(key, lambda: read().tensors)


def _about_access(victim: str, access: Access) -> list[str]:
    if access is Access.GRADIENTS:
        return []
    return [f"'{victim}' is a whole model and no weights that could be trained on here: thieves can copy its answers only."]
