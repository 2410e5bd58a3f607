"""The records of a benchmark that somebody brings: the paper's schemes that fit, one after the other, so that pages fill.

They are written as those that ship are, for fewer budgets and query seeds.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qurd_core.benchmarks import registered
from qurd_core.benchmarks.base import Benchmark, benchmark, reader
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import compute, examined
from qurd_core.evaluation.plan import plan
from qurd_core.evaluation.recording import brought, inventory
from qurd_core.evaluation.request import Request, check_scheme, request
from qurd_core.evaluation.scores import raw_scores
from qurd_core.evaluation.sweep import fitting, write
from qurd_core.evaluation.tabulate import recorded
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.files import made, note
from qurd_core.records import measured_worth, own_records
from qurd_core.records.own_records import Note
from qurd_core.records.rate_records import RAW_BUDGETS
from qurd_core.runtime import Runtime
from qurd_core.schemes import BASELINES, CONTROL, PAPER, Scheme, grouped
from qurd_core.store import Store

SEEDS = 5  # query seeds


@dataclass
class Recording:
    """The records of one benchmark in the making.

    Attributes:
        name: that it is registered by.
        desk: its workbench.
        schemes: what is measured, in this order.
        note: what is written down of it so far.
        ships: it is written among the records that ship.
    """

    name: str
    desk: Workbench
    schemes: tuple[Scheme, ...]
    note: Note
    ships: bool = False

    @classmethod
    def begin(cls, name: str, desk: Workbench, schemes: Iterable[Scheme], *, ships: bool = False) -> "Recording":
        """What is to be measured; nothing is asked yet.

        Args:
            schemes: what is measured of those that go with the benchmark.

        Raises:
            QurdError: no scheme goes with the benchmark, or it changed meanwhile.
        """
        kind, path = reader(name)
        state, content = registered.state(path), kind.content(path)
        if benchmark(name) is not desk.bench:
            raise QurdError(f"Expected {name} to stay as it was. It changed meanwhile: measure it again.")
        schemes, missing = _fitting(desk.bench, name, schemes) if desk.bench.tasks else ([], {})
        if not schemes and desk.bench.tasks:
            raise QurdError(f"Expected a scheme that goes with {name}. There is none: {next(iter(missing.values()))}")
        digest = own_records.digest_of(content)
        labels = tuple(scheme.label for scheme in schemes)
        bench = desk.bench
        about = {
            "stolen": bool(bench.tasks),
            "suspects": bench.suspects,
            "remote": tuple(bench.remote),
            "asks": bench.source.asks,
            "access": int(bench.access),
            "splits": bench.splits,
            "missing": missing,
        }
        return cls(name, desk, schemes, Note(digest, state, own_records.parts(), labels, **about), ships)

    @property
    def folder(self) -> Path:
        return own_records.SHIPPED if self.ships else own_records.folder_named(self.note.digest)

    def request(self, schemes: Sequence[Scheme]) -> Request:
        """What is asked of some schemes."""
        return request(self.name, [*map(str, schemes)], budgets=RAW_BUDGETS, seeds=SEEDS)

    def asked(self, cost: Callable[[Request], float]) -> list[Request]:
        """A request per scheme, the cheapest first. One whose queries too few models have answered is left out, with the
        reason.

        Args:
            cost: what the scores of a request take.
        """
        found, missing = [], dict(self.note.missing)
        for scheme in self.schemes:
            one = self.request([scheme])
            try:
                plan(one, self.desk)
            except QurdError as error:
                missing[scheme.label] = _told(error, self.desk.bench, self.name)
            else:
                found.append(one)
        found.sort(key=cost)
        self.schemes = tuple(one.schemes[0] for one in found)
        labels = tuple(scheme.label for scheme in self.schemes)
        self.note = replace(self.note, schemes=labels, missing=missing)
        return found

    def write_facts(self) -> None:
        """What follows from the models' answers to all test items: models, pairs, labels and pictures."""
        made(self.folder)
        left_out = brought.not_asked(self.desk.bench)
        told = examined(self.desk.bench, self.schemes, self.desk, self.desk.runtime)
        notes = tuple(text.replace(self.desk.bench.name, self.name) for text in (*self.desk.bench.caveats, *told, *left_out))
        self.note = replace(self.note, notes=notes)
        for _ in inventory.write(self.desk, SEEDS, self.folder, own=self.name):
            pass
        if not self.schemes:
            self._write_note()

    def write_rates(self, done: int, scored: Callable[[Scheme], bool] = bool) -> None:
        """The rates of the first so many schemes, whose scores are in the store, and the distances of those that say so."""
        asked = self.request(self.schemes[:done])
        write(recorded(asked, self.desk).drop(columns="benchmark"), self._path(""), self.name)
        raw = raw_scores(asked, filter(scored, asked.schemes), RAW_BUDGETS, self.desk)
        write(raw, self._path("-scores"), self.name)
        self.note = replace(self.note, done=done)
        self._write_note()

    def write_worth(self) -> None:
        """What the rates are worth, which takes all of them."""
        kind = measured_worth.HONEST
        if self.schemes:
            kind.write(kind.measure(self.name, self.folder), kind.path_of(self.name, self.folder))

    def _write_note(self) -> None:
        (own_records.ship_note if self.ships else own_records.write_note)(self.name, self.note)

    def _path(self, part: str) -> Path:
        return self.folder / f"{self.name}{part}.parquet"


def of_the_paper() -> list[Scheme]:
    """What is measured when a benchmark is opened: the paper's schemes, and the one that is no fingerprint."""
    return [*map(Scheme.parse, (*BASELINES, *grouped(PAPER), CONTROL))]


def sweep(name: str, store: Store, runtime: Runtime) -> Iterator[Path]:
    """Measure every combination that goes with a registered benchmark, and yield what that is written to: that of an example
    to where it ships.
    """
    desk = workbench(benchmark(name), store, runtime)
    found = Recording.begin(name, desk, fitting(), ships=registered.is_example(name))
    found.asked(lambda one: not one.schemes[0].name)
    found.write_facts()
    compute(found.request(found.schemes), store, runtime)
    found.write_rates(len(found.schemes), lambda scheme: bool(scheme.name))
    note(found.folder.glob(f"{name}*"))  # what ships is read by its digest
    found.write_worth()
    yield from sorted(found.folder.glob(f"{name}*"))


def _fitting(bench: Benchmark, name: str, schemes: Iterable[Scheme]) -> tuple[list[Scheme], dict[str, str]]:
    """Those of some schemes that go with a benchmark, and why the others do not, of those that have a name."""
    found, missing = [], {}
    for scheme in schemes:
        try:
            check_scheme(bench, scheme, max(RAW_BUDGETS))
        except QurdError as error:
            missing |= {scheme.label: _told(error, bench, name)} if scheme.name else {}
        else:
            found.append(scheme)
    return found, missing


def _told(error: QurdError, bench: Benchmark, name: str) -> str:
    """Why something is left out, by the name that pages know: where a benchmark lies is nobody's business there."""
    return str(error).replace(bench.name, name)
