"""What every benchmark offers: pairs, and a source of images and models."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

import qurd_core.benchmarks
from qurd_core.access import Access
from qurd_core.benchmarks import published, registered
from qurd_core.benchmarks.own.sources.api_file import Api
from qurd_core.benchmarks.saved_benchmarks import ENDING, BenchFile, called, home_of, saved_names
from qurd_core.benchmarks.serving import Server
from qurd_core.errors import A_FOLDER, NO_FILE, NOTHING, SHOWN, QurdError, is_filled, lies_at, unknown
from qurd_core.grammar import Value, parse_chain
from qurd_core.lineage import Lineage, text_of_roots
from qurd_core.oracle import Oracle
from qurd_core.registry import Component, benchmarks, discover, discover_installed
from qurd_core.runtime import Runtime
from qurd_core.types import Images, Pair


class Source(Protocol):
    """Where the images and models of a benchmark come from. Digests are read without the thing that they stand for.

    A source that derives from it knows no answers unless it says so.

    Attributes:
        splits: the seed sets: some of `"train"`, `"test"`, `"noise"`.
        kept: seed sets take so long to make that whoever needs them keeps their tensors.
        asks: models can be asked about new images; else only `answers` are known.
    """

    splits: Sequence[str]
    kept: bool
    asks: bool

    def lineage(self, model: str) -> Lineage:
        """How a model came to be."""

    def record(self, model: str) -> dict[str, Any]:
        """What is known of a model, in plain values; the first is `lineage`."""

    def digest(self, model: str) -> str:
        """Content address of a model."""

    def images(self, split: str) -> Images:
        """The seed set of one of the splits."""

    def images_digest(self, split: str) -> str:
        """Content address of a seed set."""

    def answers(self, model: str, split: str) -> Tensor | None:
        """(n,C) outputs on a whole seed set that are known without asking the model; None where it must be asked."""

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        """The model behind an oracle that grants everything."""


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A set of model pairs with what is needed to query them. The same one as long as its files, if any, hold the same.

    Attributes:
        name: canonical token, or the path of what it was read from.
        classes: names of the classes.
        pairs: every (victim, suspect) with its kind and tasks.
        models: names of all models but the suspects.
        source: images and models, by name.
        access: what its models reveal.
        part_of: name of the benchmark whose pairs these are, if they are a part. Models are asked as for the whole one, so
            that a part finds what the whole one has stored.
        missing: answers that models lack. Each counts as an answer of its own, unlike all others.
        notes: what its files hold that is not read, and what they lack, a sentence each.
        reveals: what a suspect reveals, where that is less than the models in pairs do.
        suspects: models of unknown origin, which stand in no pair: `qurd_core.suspects` asks about them.
        pools: victim to auxiliary models, by which queries may be chosen; none of them stands in a pair.
        behind: the benchmark whose models are seen behind obfuscations here (see `obfuscated`), or None.
        servers: what changes the answers of a model on their way out, by the name of the model that is seen.
        recalled: the seed set whose answers such a server may recall.
        costly: models that take many passes for an answer, so that their accuracy is not measured where records are made.
        ranked: number of classes whose order is revealed, or None for all.
        tops: the same of a suspect that reveals the order of some.
        remote: suspects that are asked over a network, and how; only `qurd_core.suspects` does.
    """

    name: str
    classes: tuple[str, ...]
    pairs: tuple[Pair, ...]
    models: tuple[str, ...]
    source: Source
    access: Access = Access.GRADIENTS
    part_of: str | None = None
    missing: int = 0
    notes: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    reveals: Mapping[str, Access] = field(default_factory=dict)
    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    behind: "Benchmark | None" = None
    servers: Mapping[str, Server] = field(default_factory=dict)
    recalled: str = "test"
    costly: frozenset[str] = frozenset()
    ranked: int | None = None
    tops: Mapping[str, int] = field(default_factory=dict)
    remote: Mapping[str, Api] = field(default_factory=dict)

    @property
    def caveats(self) -> tuple[str, ...]:
        """What goes with every number of it, a sentence each."""
        return (*self.notes, self.caveat) if self.caveat else self.notes

    @property
    def caveat(self) -> str | None:
        """What missing answers count as, or None where there are none."""
        if not self.missing:
            return None
        return f"{self.missing:,} answer(s) are missing: each counts as disagreement with the victim."

    @property
    def whole(self) -> str:
        """Name of the benchmark that the models are asked for."""
        return self.part_of or self.name

    @cached_property
    def victims(self) -> tuple[str, ...]:
        """Names of the victims, in the order of the pairs."""
        return tuple(dict.fromkeys(pair.victim for pair in self.pairs))

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks that some positive serves, in the order of the pairs."""
        return tuple(dict.fromkeys(task for pair in self.pairs if pair.kind == "positive" for task in pair.tasks))

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the seed sets."""
        return tuple(self.source.splits)

    def pairs_of(self, victim: str) -> tuple[Pair, ...]:
        """The pairs of one victim."""
        if victim not in self.victims:
            raise unknown("victim", victim, self.victims)
        return tuple(pair for pair in self.pairs if pair.victim == victim)

    def auxiliary(self, victim: str) -> tuple[str, ...]:
        """The auxiliary models by which queries for a victim may be chosen."""
        return self.pools.get(victim, ())

    def answering(self, model: str) -> str:
        """The model whose answers a server changes, or the model itself if no server does."""
        return self.servers[model].behind if model in self.servers else model

    def root(self, model: str) -> str:
        """The first training of a model: its lineage for statistics. A model made from several has several (`roots_in`)."""
        return text_of_roots(self.source.lineage(model).roots)

    def record(self, model: str) -> dict[str, Any]:
        """What is known of a model."""
        return self.source.record(model)

    def images(self, split: str) -> Images:
        """The seed set of a split."""
        return self.source.images(self._known(split))

    def images_digest(self, split: str) -> str:
        """Content address of a seed set."""
        return self.source.images_digest(self._known(split))

    def digest(self, model: str) -> str:
        """Content address of a model."""
        return self.source.digest(model)

    def answers(self, model: str, split: str) -> Tensor | None:
        """(n,C) outputs on a whole seed set that are known without asking the model; None where it must be asked."""
        return self.source.answers(model, self._known(split))

    def unanswered(self, model: str, split: str) -> Tensor:
        """(n,) whether the answer of a model is missing; where none is known, each can be had."""
        known = self.answers(model, split)
        if known is None:
            return torch.zeros(len(self.images(split)), dtype=torch.bool)
        return known.argmax(1) == len(self.classes)

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        """The model behind an oracle that grants everything."""
        return self.source.oracle(model, runtime)

    def _known(self, split: str) -> str:
        if split not in self.splits:
            raise unknown(f"split of {self.name}", split, self.splits)
        return split


Read = Callable[[Path], Benchmark]


@dataclass(frozen=True)
class Reader:
    """What makes a benchmark of a file or folder.

    Attributes:
        what: the kind of file or folder, in words.
        read: the benchmark, or one sentence about what is wrong.
        content: what identifies the benchmark: a digest of all that its files hold.
        problems: everything that is wrong, a sentence each.
    """

    what: str
    read: Read
    content: Callable[[Path], str]
    problems: Callable[[Path], list[str]]


_READERS: dict[str, Reader] = {}
FOLDER = "/"  # the ending of a folder


def reads(
    *endings: str, what: str, content: Callable[[Path], str], problems: Callable[[Path], list[str]]
) -> Callable[[Read], Read]:
    """The decorator of a function that makes benchmarks of files with one of the endings (`".csv"`, or `FOLDER`)."""

    def add(read: Read) -> Read:
        _READERS.update(dict.fromkeys(endings, Reader(what, read, content, problems)))
        return read

    return add


@cache
def register_benchmarks() -> None:
    """Fill the registries of benchmarks, origins and thefts, those of other packages included."""
    discover(qurd_core.benchmarks.__name__, qurd_core.benchmarks.__path__)
    discover_installed()


def reader(text: str) -> tuple[Reader, Path] | None:
    """What reads the file or folder that a text names, and where it is; None for the name of a registered benchmark, and
    for one that nobody knows. Whatever takes a benchmark asks here what its argument is.

    Raises:
        QurdError: a path at which nothing lies, or what is no benchmark.
    """
    register_benchmarks()
    if text.partition("(")[0].strip() in benchmarks:
        return None
    if text in saved_names():
        return _READERS[ENDING], _located(home_of(text))
    if registered.has(text):
        return _registered_reader(registered.read(text))
    path, there = Path(text), lies_at(Path(text)) if text.strip() else NOTHING
    ending = FOLDER if there == A_FOLDER else path.suffix.lower()
    if ending in _READERS and there != NO_FILE:  # nothing is ever read of a pipe, which would never end
        # A link keeps its name, whose ending says how to read what it leads to.
        return _READERS[ending], _located(path) if ending == FOLDER else _located(path.parent) / path.name
    if there == NOTHING and ("(" in text or (len(path.parts) < 2 and not path.suffix)):
        return None
    todo = " Weights and their manifest belong into a folder: name that folder." if is_filled(path) else ""
    raise QurdError(
        "Expected the name of a benchmark, or the path of a folder of models, a table of answers (.csv, .parquet) or a saved"
        f" benchmark ({ENDING}). Got '{text[:SHOWN]}'. There is {there}.{todo}"
    )


def _registered_reader(found: registered.Registration) -> tuple[Reader, Path]:
    """What reads a registered benchmark, and where it is.

    Raises:
        QurdError: it is not there any more.
    """
    there = lies_at(found.path)
    ending = FOLDER if there == A_FOLDER else found.path.suffix.lower()
    if ending not in _READERS or not (ending == FOLDER or is_filled(found.path)):
        raise QurdError(
            f"Expected the benchmark {found.name} at {found.path}, where it was registered. There is {there}. Put it back,"
            " or register it anew."
        )
    return _READERS[ending], found.path


def register(name: str, text: str) -> Path:
    """Give a benchmark that somebody brings a name, by which pages and commands offer it. A saved one is copied.

    Args:
        text: path of a folder of models, a table of answers or a saved benchmark.

    Returns:
        where what has the name lies.

    Raises:
        QurdError: the name is another benchmark's, or nothing that can be opened lies at the path.
    """
    register_benchmarks()
    called(name)
    if name in benchmarks or name in published.BENCHMARKS or registered.is_example(name):
        raise QurdError(f"Expected a name of your own. {name} is a benchmark that ships: choose another name.")
    if name in saved_names():
        raise QurdError(
            f"Expected a name that is free. {name} is a saved benchmark: choose another name, or delete that one."
        )
    if (found := reader(text)) is None or registered.has(text) or text in saved_names():
        if found is None:
            component(text)  # says that there is none of that name
        raise QurdError(
            "Expected the path of a folder of models, a table of answers (.csv, .parquet) or a saved benchmark"
            f" ({ENDING}). Got '{text[:SHOWN]}', which has a name already."
        )
    benchmark(text)  # says what is wrong with it
    kind, path = found
    if kind.read is saved_benchmark:
        return _copied(path, home_of(name))
    registered.write(registered.Registration(name, path.absolute()))
    return path


def _copied(path: Path, home: Path) -> Path:
    """A saved benchmark among those that the app keeps, where a whole that lies at a path is called by its name.

    Raises:
        QurdError: that has none.
    """
    file = BenchFile.read(path)
    whole = file.benchmark
    named = whole if reader(whole) is None or registered.has(whole) else registered.name_of(whole)
    if named is None:
        raise QurdError(
            f"Expected a saved benchmark of one that has a name. {path} keeps pairs of {whole}: give that one a name first,"
            " with 'register'."
        )
    replace(file, benchmark=named).write(home)
    return home


def _located(path: Path) -> Path:
    """A path without links; one that goes round in circles stays, and whoever reads it finds nothing there."""
    return Path(os.path.realpath(path))


EMBEDDED, OF_HUB = "an embedded benchmark", "a benchmark of the model hub"
MADE_OF_ANOTHER = "a benchmark made of another"


def kind_of(text: str) -> str:
    """What an argument is, in words, for a command that takes some benchmarks only.

    Raises:
        QurdError: it is no benchmark.
    """
    if found := reader(text):
        return found[0].what
    offered = component(text)[0].declares
    return OF_HUB if offered.fetch else MADE_OF_ANOTHER if offered.made_of else EMBEDDED


def benchmark(text: str) -> Benchmark:
    """The benchmark of a name (`patchwork-sac`, `patchwork-reuse(negatives=lineage)`), of one saved in the app or its file,
    or of a folder of models or a table of answers.

    Raises:
        QurdError: there is none of that name, or what lies at the path is none.

    >>> bench = benchmark("patchwork-sac")
    >>> len(bench.victims), sorted({pair.kind for pair in bench.pairs})
    (3, ['hard', 'negative', 'positive'])
    >>> bench.images("test").pixels.shape[1:]  # uint8, of n images
    torch.Size([3, 32, 32])
    """
    found = reader(text)
    return _from_file(*found) if found else _registered(text)


def component(text: str) -> tuple[Component, dict[str, Value]]:
    """The registered benchmark of a name, and the values of its parameters."""
    register_benchmarks()
    if text in published.BENCHMARKS:
        raise QurdError(
            f"Expected a benchmark whose models can be asked. Of {text} only scores were published: the app shows them, and "
            "the commands 'paper' and 'honest' read them."
        )
    chain = parse_chain(text)
    if len(chain.calls) != 1:
        raise QurdError(f"Expected the name of a benchmark. Got '{text}'.")
    name = chain.calls[0].name
    if name not in benchmarks:
        known = {*benchmarks, *saved_names(), *registered.names(), *published.BENCHMARKS}
        raise QurdError(f"{unknown('benchmark', name, known)} No folder of that name lies here either.")
    return benchmarks[name], benchmarks[name].bind(chain.calls[0])


def _registered(text: str) -> Benchmark:
    found, values = component(text)
    return found.function(**values) if found.declares.made_of else _made(text)


@cache
def _made(text: str) -> Benchmark:
    found, values = component(text)
    return found.function(**values)


def _from_file(found: Reader, path: Path) -> Benchmark:
    """What a file or folder holds, read once as long as it holds the same."""
    try:
        content = found.content(path)
    except QurdError:
        found.read(path)  # which may say more exactly what is wrong
        raise
    return _cached(found, path, content)


@lru_cache(maxsize=64)
def _cached(found: Reader, path: Path, content: str) -> Benchmark:
    bench = found.read(path)
    if found.content(path) != content:
        raise QurdError(f"Expected {path} to stay as it was while it was read. It changed meanwhile: run it again.")
    return bench


def _whole(path: Path) -> tuple[BenchFile, tuple[Reader, Path] | None]:
    """The file of a saved benchmark, and what reads the benchmark that it is a part of."""
    file = BenchFile.read(path)
    found = reader(file.benchmark)
    if found and found[0].read is saved_benchmark:
        raise QurdError(
            f"Expected a whole benchmark as 'benchmark' in {path}. Got '{file.benchmark}', which is a part itself: name the"
            " whole."
        )
    return file, found


def _content(path: Path) -> str:
    """What identifies a saved benchmark: the whole one, and which pairs are kept."""
    file, found = _whole(path)
    held = found[0].content(found[1]) if found else file.benchmark
    return hashlib.sha256(json.dumps([file.text, held]).encode()).hexdigest()


def _problems(path: Path) -> list[str]:
    """What is wrong in a saved benchmark, or in the files of the whole one."""
    try:
        _, found = _whole(path)
        if found and (wrong := found[0].problems(found[1])):
            return wrong
        saved_benchmark(path)
    except QurdError as error:
        return [str(error)]
    return []


@reads(ENDING, what="a saved benchmark", content=_content, problems=_problems)
def saved_benchmark(path: Path) -> Benchmark:
    """Some pairs of another benchmark, as the app saves them."""
    file, _ = _whole(path)
    whole = benchmark(file.benchmark)
    file.check(path, {(pair.victim, pair.suspect): pair.kind for pair in whole.pairs})
    pairs = tuple(pair for pair in whole.pairs if (pair.victim, pair.suspect) in file.pairs)
    kept = {name for pair in pairs for name in (pair.victim, pair.suspect)}
    models = tuple(name for name in whole.models if name in kept)
    return replace(whole, name=str(path), pairs=pairs, models=models, part_of=whole.name)
