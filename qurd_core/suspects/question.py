"""What can be asked about suspects, checked before anything is asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

from qurd_core.benchmarks.base import Benchmark
from qurd_core.errors import QurdError, unknown
from qurd_core.evaluation.request import check_scheme, classes_counted
from qurd_core.lineage import apart, count_independent
from qurd_core.registry import seed_rules
from qurd_core.schemes import REFERENCE, Scheme, is_control
from qurd_core.statistics.printed import check_share
from qurd_core.statistics.verdicts import STOPS, Stop, needed_lineages

FIT = 100  # images on which it is seen whether the unrelated models are as good as a suspect
FIT_ELSEWHERE = 50  # the same where a suspect is asked over a network or by hand
MOST_FIT = 1_000
QUERY_SEED = 0


@dataclass(frozen=True)
class Question:
    """Whether suspects are closer to a victim than unrelated models are. It holds names and no models, so it can be sealed.

    Attributes:
        victim: whose copy the suspects may be.
        suspects: distinct; none of them calibrates, and nobody of their lineage does.
        pool: the unrelated models that calibrate.
        roots: first training of each of them.
        hard: hard unrelated models that are no suspects.
        thieves: known stolen models that are no suspects.
        schemes: declared before anything is asked; several are fused by their ranks.
        then: breaks ties of the only scheme, by the same queries.
        budget: images sent to each suspect, beside those of `fit`.
        level: share of false accusations that is allowed, over all suspects together.
        stop: when a verdict may be said before all queries are asked.
        fit: images that the victim gets right, mixed in among the queries.
        forged: all known stolen models were made to see what schemes miss.
    """

    victim: str
    suspects: tuple[str, ...]
    pool: tuple[str, ...]
    roots: tuple[str, ...]
    hard: tuple[str, ...]
    thieves: tuple[str, ...]
    schemes: tuple[Scheme, ...]
    then: Scheme | None
    budget: int
    level: float
    stop: Stop
    fit: int
    forged: bool = False

    @property
    def scheme(self) -> str:
        """The schemes in words."""
        names = " & ".join(scheme.label for scheme in self.schemes)
        return f"{names}, then {self.then.label}" if self.then else names

    @property
    def compared(self) -> tuple[Scheme, ...]:
        """Every scheme whose distances are needed."""
        return (*self.schemes, *[self.then] * bool(self.then))

    @property
    def fit_split(self) -> str:
        """The seed set of the images of the fit: that of the first scheme that sends mistakes."""
        return next((scheme for scheme in self.schemes if _of_mistakes(scheme)), self.schemes[0]).split

    @property
    def known(self) -> tuple[str, ...]:
        """Whoever is asked beside the victim and the suspects."""
        return (*self.pool, *self.hard, *self.thieves)

    @cached_property
    def lineages(self) -> int:
        """Independent lineages in the pool."""
        return count_independent(self.roots)

    @property
    def needed(self) -> int:
        """Unrelated lineages from which on somebody could be called closer."""
        return needed_lineages(self.level, len(self.suspects), self.stop)

    @property
    def may_tell(self) -> bool:
        """Whether the pool is large enough for a verdict at this level about so many suspects."""
        return self.lineages >= self.needed


def question(
    bench: Benchmark,
    victim: str | None,
    suspects: Sequence[str],
    schemes: Sequence[str],
    *,
    budget: int,
    level: float,
    stop: Stop | None,
    fit: int | None,
    then: str | None = None,
    elsewhere: Collection[str] = (),
) -> Question:
    """Check everything that can be asked, before anything is.

    Args:
        victim: may be left out where there is one only.
        suspects: all models of unknown origin if none is named.
        elsewhere: suspects that are asked over a network or by hand.
        stop: None for what is usual: peaks where a suspect is asked over a network and the scheme allows it.
        fit: 0 asks for no fit; None for as many images as are usual, fewer where a suspect is asked elsewhere.

    Raises:
        QurdError: an unknown name, a scheme that does not go with the benchmark, a number out of range.
    """
    check_share(level, "level")
    if fit is not None and not 0 <= fit <= MOST_FIT:
        raise QurdError(f"Expected 0 to {MOST_FIT:,} images for the fit. Got {fit:,}.")
    parsed = tuple(dict.fromkeys(Scheme.parse(text) for text in schemes))
    if not parsed:
        raise QurdError("Expected at least one scheme. Name it with --scheme, see 'schemes'.")
    second = None if then is None else Scheme.parse(then)
    whose = _victim(bench, victim)
    for scheme in (*parsed, *[second] * bool(second)):
        check_scheme(bench, scheme, budget)
        if is_control(str(scheme.detector)):
            raise QurdError(
                f"Expected a scheme that compares with the victim. '{scheme.label}' does not look at its answers."
            )
    if second and (len(parsed) > 1 or second.sampler != parsed[0].sampler):
        raise QurdError(
            f"Expected one scheme, and '{second.label}' on the same queries to break its ties. Got {parsed[0].sampler} and"
            f" {second.sampler}."
        )
    asked = _suspects(bench, whose, suspects)
    if stop is None:
        counted = len(parsed) == 1 and not second and parsed[0].counts_agreements
        stop = "peak" if counted and {*asked} & {*bench.remote} else "none"
    _check_stop(stop, parsed, second)
    for name in asked:
        most = bench.reveals.get(name, bench.access)
        if shy := [scheme for scheme in (*parsed, *[second] * bool(second)) if scheme.access > most]:
            raise QurdError(f"'{shy[0].label}' needs {shy[0].access}, and '{name}' reveals {most} only. Use {REFERENCE}.")
        for scheme in (*parsed, *[second] * bool(second)):
            if (wanted := classes_counted(scheme)[1]) > (ranked := bench.tops.get(name, wanted)):
                raise QurdError(
                    f"'{scheme.label}' compares the first {wanted} classes of an answer, and '{name}' names {ranked}. Use"
                    f" {REFERENCE}."
                )
    usual = FIT_ELSEWHERE if {*asked} & {*elsewhere} else FIT
    probed = (usual if fit is None else fit) if any(_of_mistakes(scheme) for scheme in parsed) else 0
    pool, others = _pool(bench, whose, asked), {kind: _others(bench, whose, asked, kind) for kind in ("hard", "positive")}
    roots = tuple(map(bench.root, pool))
    known = (pool, roots, others["hard"], others["positive"])
    forged = bool(others["positive"]) and all(bench.record(name).get("forged") for name in others["positive"])
    return Question(whose, asked, *known, parsed, second, budget, level, stop, probed, forged)


def _pool(bench: Benchmark, victim: str, suspects: Sequence[str]) -> tuple[str, ...]:
    """The unrelated models of a victim, but those of a lineage of a suspect."""
    unrelated = [pair.suspect for pair in bench.pairs_of(victim) if pair.kind == "negative"]
    known = [bench.root(name) for name in suspects if name in bench.models]
    return tuple(compress(unrelated, apart(known, [bench.root(name) for name in unrelated])))


def _others(bench: Benchmark, victim: str, suspects: Sequence[str], kind: str) -> tuple[str, ...]:
    pairs = bench.pairs_of(victim)
    return tuple(pair.suspect for pair in pairs if pair.kind == kind and pair.suspect not in (victim, *suspects))


def _victim(bench: Benchmark, named: str | None) -> str:
    if named is None and len(bench.victims) == 1:
        return bench.victims[0]
    if named is None:
        raise QurdError(f"Expected one of {len(bench.victims)} victims with --victim: {', '.join(bench.victims[:8])}.")
    if named not in bench.victims:
        raise unknown("victim", named, bench.victims)
    return named


def _suspects(bench: Benchmark, victim: str, named: Sequence[str]) -> tuple[str, ...]:
    for name in named:
        if name == victim:
            raise QurdError(f"Expected suspects other than the victim. Got '{name}', which is no question: leave it out.")
        if name not in (*bench.models, *bench.suspects):
            raise unknown("suspect", name, (*bench.suspects, *bench.models))
    found = tuple(dict.fromkeys(named)) or bench.suspects
    if not found:
        raise QurdError(
            f"Expected suspects in {bench.name}: models with role: suspect. There are none: name a model with --suspect."
        )
    return found


def _check_stop(stop: str, schemes: Sequence[Scheme], then: Scheme | None) -> None:
    if stop not in STOPS:
        raise unknown("way to stop early", stop, STOPS)
    if stop == "none":
        return
    if len(schemes) > 1 or then or not schemes[0].counts_agreements:
        counted = Scheme.parse(REFERENCE)
        raise QurdError(
            f"Expected one scheme that counts agreements ({counted.representation} | {counted.detector}) where a verdict may"
            f" be said early. Got '{schemes[0].label}': leave out --stop, or use {REFERENCE}."
        )
    if stop == "bound" and not (schemes[0].natural and _of_mistakes(schemes[0])):
        raise QurdError(
            f"Expected queries drawn from all errors of the victim for --stop bound. Got {schemes[0].sampler}: use --stop"
            " peak, which needs nothing of the queries."
        )


def _of_mistakes(scheme: Scheme) -> bool:
    """Whether its seeds are what the victim gets wrong, on which a weak model is no closer to a victim than a good one."""
    rules = [(seed_rules[one.seeds.name], one.seeds) for one, _ in scheme.ingredients]
    return any(rule.declares.story == "mistakes" or rule.bind(call).get("on") == "wrong" for rule, call in rules)
