"""What every benchmark offers: pairs, images, models."""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from qurd_core.benchfile import ENDING, BenchFile, home_of, saved_names
from qurd_core.benchmarks.patches import Patches, patches
from qurd_core.benchmarks.zoo import Zoo
from qurd_core.errors import QurdError, unknown
from qurd_core.grammar import parse_chain
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.registry import benchmarks, discover_installed
from qurd_core.runtime import Runtime
from qurd_core.types import Access, Pair


@dataclass(frozen=True)
class Benchmark:
    """A set of model pairs with what is needed to query them.

    Attributes:
        name: canonical token.
        classes: names of the classes.
        pairs: every (victim, suspect) with its kind and tasks.
        models: names of all models.
        zoo: records and weights of the models, by name.
        regions: split (`"train"`, `"test"`, `"noise"`) to the region that its images come from.
        part_of: name of the benchmark whose pairs these are, if they are a part. Models are asked as for the whole one, so
            that a part finds what the whole one has stored.
    """

    name: str
    classes: tuple[str, ...]
    pairs: tuple[Pair, ...]
    models: tuple[str, ...]
    zoo: Zoo
    regions: dict[str, str]
    access: Access = Access.LOGITS
    part_of: str | None = None

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

    def pairs_of(self, victim: str) -> tuple[Pair, ...]:
        """The pairs of one victim."""
        if victim not in self.victims:
            raise unknown("victim", victim, self.victims)
        return tuple(pair for pair in self.pairs if pair.victim == victim)

    def root(self, model: str) -> str:
        """The first training of a model: its lineage for statistics."""
        return str(Lineage.parse(model).root)

    def images(self, split: str) -> Patches:
        """The seed set of a split.

        Raises:
            QurdError: the photographs decode to other pixels here than where the shipped models were made.
        """
        if split not in self.regions:
            raise unknown("split", split, self.regions)
        found = patches(self.regions[split])
        if found.digest != self.images_digest(split):
            raise QurdError(
                f"Expected the {split} images that the models were made with. The photographs decode to other pixels here:"
                " install the versions of requirements.txt, or run 'build patchwork'."
            )
        return found

    def images_digest(self, split: str) -> str:
        """Content address of a seed set, without decoding it."""
        return self.zoo.manifest["data"][self.regions[split]]

    def digest(self, model: str) -> str:
        """Content address of a model."""
        return self.zoo.record(model).sha256

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        """The model behind an oracle that grants everything."""
        return Oracle(self.zoo.module(model), classes=len(self.classes), runtime=runtime, name=model)


def benchmark(text: str) -> Benchmark:
    """The benchmark of a name (`patchwork-sac`, `patchwork-reuse(negatives=lineage)`), of a bench saved in the app, or of
    a bench's file.
    """
    if text.endswith(ENDING):
        return _part(Path(text).resolve())
    if text in saved_names():
        return _part(home_of(text))
    return _registered(text)


@cache
def _registered(text: str) -> Benchmark:
    discover_installed()
    chain = parse_chain(text)
    if len(chain.calls) != 1:
        raise QurdError(f"Expected the name of a benchmark. Got '{text}'.")
    component = benchmarks[chain.calls[0].name]
    return component.function(**component.bind(chain.calls[0]))


def _part(path: Path) -> Benchmark:
    """The pairs of a benchmark that a bench's file keeps."""
    file = BenchFile.read(path)
    whole = _registered(file.benchmark)
    pairs = tuple(pair for pair in whole.pairs if (pair.victim, pair.suspect) in file.pairs)
    if len(pairs) < len(file.pairs):
        lost = min(file.pairs - {(pair.victim, pair.suspect) for pair in pairs})
        raise QurdError(f"Expected pairs of {whole.name} in {path}. It has none of {lost[0]} and {lost[1]}.")
    stolen = {pair.victim for pair in pairs if pair.kind == "positive"}
    if not stolen or {pair.victim for pair in pairs} - stolen:
        raise QurdError(f"Expected at least one stolen model of every victim in {path}. Add some or leave the victim out.")
    names = tuple(dict.fromkeys(name for pair in pairs for name in (pair.victim, pair.suspect)))
    return replace(whole, name=str(path), pairs=pairs, models=names, part_of=whole.name)
