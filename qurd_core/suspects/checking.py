"""The front door of `qurd_core.suspects`, and the only place that knows the order of its stages.

1. `question`  check what is asked; nobody is asked yet. A pool that is too small for the level ends here.
2. `hear`      the victim, unrelated and other known models and the suspects answer the same queries; all answers are kept.
               Suspects that are asked elsewhere (`Outside.hear`) come last.
3. `judged`    refusals first, then p-values, their adjustment over all suspects, and the verdicts.
4. `verdict_words.said`  the words.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from torch import Tensor

from qurd_core.benchmarks.base import Benchmark, benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import examined
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.files import default_folder
from qurd_core.findings.language.verdict_words import said
from qurd_core.records.sealed import FILES, REVEALED, SEAL
from qurd_core.runtime import Runtime
from qurd_core.schemes import REFERENCE
from qurd_core.statistics.verdicts import LEVEL, Stop, Verdict
from qurd_core.store import Store
from qurd_core.suspects.asking import Heard, agreement, bit_by_bit, follows, hear, one_by_one, until
from qurd_core.suspects.callables import Model, bench_of
from qurd_core.suspects.elsewhere.errand import Errand
from qurd_core.suspects.elsewhere.network import Bill
from qurd_core.suspects.elsewhere.outside import Outside, outside_of
from qurd_core.suspects.evidence import check_seal, conclude, reveal, seal, seal_number, sealed_order, unsealable, zipped
from qurd_core.suspects.judging import check_pool, decided, judged, refused_before
from qurd_core.suspects.question import Question, question

BUDGET = 100


@dataclass(frozen=True)
class Verdicts:
    """What the answers of suspects say.

    Attributes:
        each: a verdict per suspect, in the order in which they were named.
        notes: what else is to be known, a sentence each.
    """

    each: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()

    @property
    def sentences(self) -> dict[str, list[str]]:
        """By suspect, the verdict in words and what it does not say."""
        return {one.suspect: said(one) for one in self.each}

    @property
    def table(self) -> pd.DataFrame:
        """One row per suspect: `Verdict` without its texts."""
        rows = [asdict(one) for one in self.each]
        return pd.DataFrame(rows).drop(columns=["method", "assumptions", "fit", "hard", "thieves", "forged"])


def check(
    bench: str | None = None,
    *,
    victim: Model | str | None = None,
    suspects: Mapping[str, Model] | Sequence[str] = (),
    unrelated: Mapping[str, Model] | None = None,
    hard: Mapping[str, Model] | None = None,
    images: tuple[Tensor | np.ndarray, Tensor | np.ndarray] | None = None,
    classes: Sequence[str] | None = None,
    scheme: str | Sequence[str] = REFERENCE,
    then: str | None = None,
    budget: int = BUDGET,
    level: float = LEVEL,
    stop: Stop | None = None,
    fit: int | None = None,
    answers: str | None = None,
    agree: Callable[[str], bool] | None = None,
    hosts: Sequence[str] = (),
    store: Store | None = None,
    runtime: Runtime | None = None,
) -> Verdicts:
    """Whether suspects are closer to a victim than unrelated models are.

    Either about models of a benchmark, a folder or a table, which are named; or about models that are at hand here, each a
    `torch.nn.Module` or any function from float32 images (n,3,H,W) in [0,1] to answers: whole numbers (n,) are labels, rows
    that sum to one are probits, other (n,C) are logits. Functions run in this process and nothing of them is stored.

    Args:
        bench: a benchmark, the path of a folder of models or of a table of answers; None for models that are at hand.
        victim: its name, which may be left out where there is one only; or the model itself.
        suspects: their names, all models with role suspect if none is named; or the models by name.
        unrelated: models that were not stolen, by name: each is taken as a lineage of its own, so train each from scratch.
        hard: unrelated models that were trained on the victim's data; they are asked and calibrate nothing.
        images: (n,3,H,W), float in [0,1] or uint8, which models are asked about, and (n,) classes.
        classes: their names; numbers if not given.
        scheme: named before anybody is asked; several are fused by their ranks.
        then: a scheme on the same queries that breaks ties.
        budget: images sent to each suspect.
        level: share of false accusations that is allowed, over all suspects together.
        stop: `"peak"` or `"bound"`: the fewest queries after which the verdict could be said, and over a network no more
            are sent; `"none"` waits for all. If not given, peaks where a suspect is asked over a network.
        fit: images that the victim gets right, beside the budget, on which it is seen whether unrelated models are as good;
            as many as are usual if not given.
        answers: path of a table of what came back from suspects who were sent the pictures of `queries`.
        agree: hears what requests over a network will cost, before the first one leaves; whether they may.
        hosts: that may be asked though they are not public, or over plain http.

    Raises:
        QurdError: bad input, or an unrelated model that lacks answers. A pool that is too small is a verdict: refused.

    >>> import torch
    >>> nets = [torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3)) for _ in range(40)]
    >>> unrelated = {f"other {number}": net for number, net in enumerate(nets[1:])}
    >>> images = torch.rand(300, 3, 4, 4), torch.arange(300) % 3
    >>> found = check(victim=nets[0], suspects={"copy": nets[0]}, unrelated=unrelated, images=images, budget=50)
    >>> found.table[["suspect", "said", "rank", "lineages"]].values.tolist()
    [['copy', 'closer', 0, 39]]
    """
    schemes = (scheme,) if isinstance(scheme, str) else tuple(scheme)
    how = {"budget": budget, "level": level, "stop": stop, "fit": fit, "then": then}
    runtime = runtime or Runtime()
    if bench is not None:
        if unrelated or hard or images is not None or classes is not None or isinstance(suspects, Mapping):
            raise QurdError("Expected names of models of the benchmark, or models and images without one. Got both.")
        of, outside = outside_of(benchmark(bench), agree or _nobody, hosts, answers and Path(answers))
        asked = question(of, victim, tuple(suspects), schemes, **how, elsewhere=outside.names(of))
        return answered(of, asked, store or Store(default_folder()), runtime, outside)
    made = bench_of(victim, suspects, unrelated or {}, hard or {}, images, classes)
    asked = question(made, None, (), schemes, **how)
    with TemporaryDirectory() as folder:
        desk = Workbench(made, Store(Path(folder)), runtime)
        return _said(made, asked, desk, None, Outside())


def _nobody(bill: str) -> bool:
    raise QurdError(f"Expected agreement to {bill} Pass agree=lambda bill: True to send them.")


def answered(
    bench: Benchmark, asked: Question, store: Store, runtime: Runtime, outside: Outside | None = None, *, leads: bool = False
) -> Verdicts:
    """The verdicts of a question about a benchmark, or the leads of a triage.

    Args:
        outside: how suspects are heard that are not here; what they answered before if not given.
    """
    outside = outside or Outside()
    return _said(bench, asked, desk_for(bench, asked, store, runtime, outside), runtime, outside, leads=leads)


def desk_for(bench: Benchmark, asked: Question, store: Store, runtime: Runtime, outside: Outside) -> Workbench:
    """The workbench of a question: where a suspect is sent pictures, everybody is asked about what is left of 8 bits."""
    elsewhere = bool({*asked.suspects} & outside.names(bench))
    return replace(workbench(bench, store, runtime, rounded=elsewhere), bench=bench)


def with_evidence(
    bench: Benchmark,
    asked: Question,
    store: Store,
    runtime: Runtime,
    path: Path,
    *,
    outside: Outside | None = None,
    seal_only: bool = False,
    revealed: bool = False,
    tell: Callable[[str], None],
) -> Verdicts | None:
    """The verdicts, with what a third party needs to follow them; None where the question was sealed and no more.

    Args:
        path: a folder, or the zip that it becomes; a seal that stands there already is continued.
        revealed: put the pictures of the queries into it, so that somebody else can ask again.
        tell: hears the seal number, before any suspect is asked, and where the evidence lies.
    """
    outside = outside or Outside()
    desk, folder = desk_for(bench, asked, store, runtime, outside), path.with_suffix("") if path.suffix == ".zip" else path
    if revealed and not bench.source.asks:
        raise QurdError(f"Expected models that can be asked with --reveal. {bench.name} holds answers and no pictures.")
    if path.suffix == ".zip" and path.exists():
        raise QurdError(f"Expected a new file for the evidence. {path} is there already: name another one.")
    if not (folder / SEAL).exists():
        seal(bench, asked, desk, runtime, folder)
    tell(f"Seal number {seal_number(folder)}")
    if seal_only:
        return None
    check_seal(bench, asked, folder)
    (folder / REVEALED).unlink(missing_ok=True)  # of a run that was to reveal more, and did not end
    if revealed:
        reveal(asked, desk, folder)
    heard, notes = _heard(bench, asked, desk, runtime, outside, sealed_order(folder))
    found = judged(asked, heard)
    conclude(bench, asked, heard, found, folder)
    if path.suffix == ".zip":
        zipped(folder, path)
        shutil.rmtree(folder)
    tell(str(path))
    return Verdicts(tuple(found), (*bench.caveats, *notes))


@dataclass(frozen=True)
class Step:
    """How far a check is that somebody watches.

    Attributes:
        known: how many of the victim and the models of known origin have answered.
        sent: how many queries of the budget the suspects have answered.
        seal: the seal number, once the question is sealed.
        heard: what everybody answered; empty before all known models have, and without suspects before these have.
        agrees: (k,) whether suspects whose queries are seed images answer like the victim, so far.
        bills: what is to be sent to suspects behind APIs, by their names, where nobody agreed to that yet: the last step
            then.
        paid: what such requests have cost so far, of what all of them would, in words.
        found: the verdicts, at the end.
    """

    known: int
    sent: int = 0
    seal: str | None = None
    heard: Mapping[str, Heard] = field(default_factory=dict)
    agrees: Mapping[str, Tensor] = field(default_factory=dict)
    bills: Mapping[str, Bill] = field(default_factory=dict)
    paid: str = ""
    found: Verdicts | None = None


def watched(
    bench: Benchmark,
    asked: Question,
    desk: Workbench,
    folder: Path,
    outside: Outside,
    agreed: Callable[[Mapping[str, Bill]], bool],
) -> Iterator[Step]:
    """The verdicts, with a look at every step on the way: known models one by one, suspects a few queries at a time.

    Where its schemes can be sealed, the question is, after all known models and before any suspect. Whoever stops in
    between loses nothing: the same call goes on.

    Args:
        desk: of this process, from `desk_for`.
        folder: for the evidence, which becomes a zip beside it; a seal that stands there already is continued.
        outside: how suspects are heard that are not here.
        agreed: whether requests over a network may leave, asked before the first one does.

    Raises:
        QurdError: bad input, an unrelated model that lacks answers, or an API that is not to be asked any more.
    """
    first = (asked.victim, *asked.known)
    if not asked.may_tell:
        yield Step(0, found=Verdicts(tuple(refused_before(asked)), bench.caveats))
        return
    for known in one_by_one(asked, desk, first):
        yield Step(known)
    sealed, number, heard = unsealable(asked) is None, None, None
    if sealed:
        if not (folder / SEAL).exists():
            heard = seal(bench, asked, desk, None, folder)
        (folder / FILES).unlink(missing_ok=True)  # of a run that ended between its last file and the zip
        check_seal(bench, asked, folder)
        number = seal_number(folder)
    notes = (*bench.caveats, *examined(replace(bench, pairs=bench.pairs_of(asked.victim)), asked.schemes, desk, Runtime()))
    heard = heard or hear(asked, desk, None, asked.known)
    now = Step(len(first), 0, number, heard)
    here, elsewhere = _places(bench, asked, outside)
    for sent in bit_by_bit(asked, desk, here) if here else ():
        agrees = {name: agreement(asked, desk, name, sent) for name in here} if follows(asked) else {}
        now = replace(now, sent=0 if elsewhere else sent, agrees=agrees)
        yield now
    heard |= hear(asked, desk, None, here)
    if elsewhere:
        check_pool(asked, heard)  # before anything is paid for
        more = outside.rounding(asked, desk, workbench(bench, desk.store, desk.runtime))
        errands = outside.errands(asked, desk, heard, sealed_order(folder) if sealed else None)
        bills = {errand.suspect: errand.bill for errand in errands}
        left = {name: bill for name, bill in bills.items() if bill.requests}
        lines = {errand.suspect: outside.line(errand) for errand in errands if errand.suspect in left}
        if left and not agreed(left):
            yield replace(now, bills=left)
            return
        for done, errand in enumerate(errands):
            asking = errand.asking(lines[errand.suspect]) if errand.suspect in lines else None
            before = errand.journal.requests
            for _ in asking or ():
                sent = (asked.budget * done + errand.sent) // len(errands)
                paid = bills[errand.suspect].paid(errand.journal.requests - before)
                yield replace(now, sent=sent, agrees={**now.agrees, **_agrees(asked, errand)}, paid=paid)
            now = replace(now, agrees={**now.agrees, **_agrees(asked, errand)})
            more += [*(asking.notes if asking else ()), *errand.notes()]
        notes = (*notes, *more)
        heard |= _of_elsewhere(asked, outside.told(asked, desk, errands), heard, elsewhere)
    each = tuple(judged(asked, heard))
    if sealed:
        conclude(bench, asked, heard, each, folder)
        zipped(folder, folder.with_suffix(".zip"))
        shutil.rmtree(folder)
    yield replace(now, sent=asked.budget, heard=heard, agrees={}, paid="", found=Verdicts(each, notes))


def _said(
    bench: Benchmark, asked: Question, desk: Workbench, runtime: Runtime | None, outside: Outside, *, leads: bool = False
) -> Verdicts:
    notes = bench.caveats
    others = len({*bench.suspects} - {*asked.suspects})
    if others and not leads:
        notes = (*notes, f"{others} more suspect(s) are not asked about here: whoever looks at several has to count all.")
    if not asked.may_tell and not leads:
        return Verdicts(tuple(refused_before(asked)), notes)
    if runtime:
        mine = replace(bench, pairs=bench.pairs_of(asked.victim))
        notes = (*notes, *examined(mine, asked.schemes, desk, runtime))
    heard, more = _heard(bench, asked, desk, runtime, outside)
    return Verdicts(tuple(judged(asked, heard, leads=leads)), (*notes, *more))


def _heard(
    bench: Benchmark,
    asked: Question,
    desk: Workbench,
    runtime: Runtime | None,
    outside: Outside,
    order: Sequence[str] | None = None,
) -> tuple[dict[str, Heard], list[str]]:
    """What everybody answers, and what is to be known, a sentence each."""
    here, elsewhere = _places(bench, asked, outside)
    heard, notes = hear(asked, desk, runtime, (*asked.known, *here)), []
    if elsewhere:
        check_pool(asked, heard)  # before anything is paid for
        notes += outside.rounding(asked, desk, workbench(bench, desk.store, desk.runtime))
        desk, more = outside.hear(asked, desk, runtime, heard, order)
        notes += more
        heard |= _of_elsewhere(asked, desk, heard, elsewhere)
    return heard, notes


def _of_elsewhere(asked: Question, desk: Workbench, heard: Mapping[str, Heard], models: Sequence[str]) -> dict[str, Heard]:
    """What suspects answered that are not here. Of an API whose verdict stood before all queries had left, only those until
    then count, whatever else it was asked at some time.
    """
    found = hear(asked, desk, None, models)
    for name in {*models} & {*desk.bench.remote}:
        if enough := decided(asked, heard, found[name].agrees):
            found[name] = until(found[name], enough, len(desk.bench.classes))
    return found


def _agrees(asked: Question, errand: Errand) -> dict[str, Tensor]:
    """Of a suspect behind an API, where agreements are what its scheme counts."""
    return {errand.suspect: errand.agrees} if asked.schemes[0].counts_agreements else {}


def _places(bench: Benchmark, asked: Question, outside: Outside) -> tuple[list[str], list[str]]:
    """The suspects that are here, and those elsewhere."""
    far = outside.names(bench)
    return [name for name in asked.suspects if name not in far], [name for name in asked.suspects if name in far]
