"""Which work a request takes: units that put into the store what it lacks, and the cells that will stay empty.

Where a benchmark is known by its answers only, it is also seen here whether the unrelated models have answered what is asked
of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from torch import Tensor

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.own.missing import MOST
from qurd_core.errors import QurdError
from qurd_core.evaluation.request import Request
from qurd_core.evaluation.workbench import Sent, Where, Workbench, workbench
from qurd_core.executors import Unit, executor, finish
from qurd_core.runtime import Runtime
from qurd_core.schemes import REFERENCE, Scheme
from qurd_core.statistics.sides import NEGATIVE_KINDS
from qurd_core.store import Store

_Bank = tuple[str, str]  # a model and a split: its answers on the whole seed set

BANK_UNIT = 12  # models per unit of the answer bank
HELD_GRADIENTS = 2**30  # bytes that the gradients of one query set may take


def plan(asked: Request, desk: Workbench) -> list[Unit]:
    """The units whose results the store lacks: answers to natural images, then one per query seed, sampler and victim.

    Whoever chooses seeds is asked about whole seed sets first, the others then about the images that are sent to them.

    Raises:
        QurdError: unrelated models have not answered what is asked of them, or gradients would not fit in memory.
    """
    if asked.bench.missing:
        _check_gaps(asked, desk)
    _check_memory(asked, desk)
    cells: list[tuple[Unit, list[_Bank]]] = []  # with the answers that each needs; which unit holds them is known at the end
    whole: dict[_Bank, None] = {}
    sent: dict[_Bank, dict[Sent, list[_Bank]]] = {}  # and what chooses them
    for query_seed, victim, schemes in lacking(asked, desk):
        choosing = desk.natural_needs(victim, schemes[0])
        whole |= dict.fromkeys(choosing)
        needs = list(choosing)
        for model, split, what in desk.sent_needs(victim, schemes[0], query_seed, max(asked.budgets)):
            sent.setdefault((model, split), {})[what] = choosing
            needs.append((model, split))
        args = (desk.where, victim, tuple(map(str, schemes)), query_seed, asked.budgets)
        cells.append((Unit(f"{victim} {schemes[0].sampler} {query_seed}", Where.score, args), needs))
    banks, holder = _bank_units(whole, desk.where)
    asking, holding = _asking_units({bank: what for bank, what in sent.items() if bank not in whole}, holder, desk.where)
    holder = holding | holder
    return [
        *(*banks, *asking),
        *(replace(unit, needs=tuple(dict.fromkeys(holder[need] for need in needs))) for unit, needs in cells),
    ]


def lacking(asked: Request, desk: Workbench) -> Iterator[tuple[int, str, list[Scheme]]]:
    """Query seed, victim and the schemes of one sampler whose scores are not in the store."""
    samplers: dict[str, list[Scheme]] = {}
    for scheme in asked.schemes:
        samplers.setdefault(str(scheme.sampler), []).append(scheme)
    for query_seed in range(asked.seeds):
        for schemes in samplers.values():
            for victim in asked.victims:
                missing = [s for s in schemes if not desk.has_scores(victim, s, query_seed, asked.budgets)]
                if missing:
                    yield query_seed, victim, missing


def ask_natural(bench: Benchmark, split: str, store: Store, runtime: Runtime) -> None:
    """Put the answers of all models of a benchmark on a whole seed set into the store."""
    desk = workbench(bench, store, runtime)
    lacking = [(model, split) for model in bench.models if not desk.has_natural(model, split)]
    if not lacking:
        return
    units, _ = _bank_units(lacking, desk.where)
    finish(runtime.track(executor(runtime.workers).run(units), len(units), "asking models"))


def ask_some(desk: Workbench, split: str, models: Sequence[str], rows: Tensor, runtime: Runtime) -> None:
    """Put the answers of models on some images of a seed set into the store."""
    lacking, args = [(model, split) for model in models if not desk.has_natural(model, split)], tuple(rows.tolist())
    units = [Unit(f"some {split} {some[0]}", Where.ask_rows, (desk.where, split, some, args)) for _, some in _few(lacking)]
    if units:
        finish(runtime.track(executor(runtime.workers).run(units), len(units), "asking models"))


def _few(banks: Iterable[_Bank]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What one unit asks: a split, and a few models."""
    by_split: dict[str, list[str]] = {}
    for model, split in banks:
        by_split.setdefault(split, []).append(model)
    for split, models in by_split.items():
        for start in range(0, len(models), BANK_UNIT):
            yield split, tuple(models[start : start + BANK_UNIT])


def _bank_units(banks: Iterable[_Bank], where: Where) -> tuple[list[Unit], dict[_Bank, str]]:
    """Units for the answer bank, a few models of one split each, and the unit that holds each answer."""
    units, holder = [], {}
    for split, some in _few(banks):
        units.append(Unit(f"bank {split} {some[0]}", Where.fill_bank, (where, some, split)))
        holder |= {(model, split): units[-1].key for model in some}
    return units, holder


def _asking_units(
    sent: Mapping[_Bank, Mapping[Sent, list[_Bank]]], holder: Mapping[_Bank, str], where: Where
) -> tuple[list[Unit], dict[_Bank, str]]:
    """Units that ask about the images that are sent, a few models of one split each, and the unit that holds each answer.

    Args:
        sent: by model and split, what is sent, and whose answers choose it.
        holder: the unit that holds those.
    """
    units, holding = [], {}
    for split, some in _few(sent):
        asked = tuple((model, tuple(sent[model, split])) for model in some)
        needs = dict.fromkeys(holder[bank] for model in some for banks in sent[model, split].values() for bank in banks)
        units.append(Unit(f"sent {split} {some[0]}", Where.ask_sent, (where, split, asked), tuple(needs)))
        holding |= {(model, split): units[-1].key for model in some}
    return units, holding


def empty_cells(asked: Request, desk: Workbench) -> list[str]:
    """One sentence per scheme and victim whose budgets buy nothing, or whose seed set is too small; asks victims only.

    Raises:
        QurdError: the seed sets of a scheme are too small for every budget. It is said before any query is made.
    """
    told: dict[str, None] = {}
    for scheme in asked.schemes:
        if scheme.mixed:
            told |= dict.fromkeys(_short(asked, desk, scheme))
            continue
        group = scheme.group_size
        if small := [budget for budget in asked.budgets if budget < group]:
            told[f"{scheme.label}: {_list(small)} buys no group of {group} queries."] = None
        seeds = {victim: len(desk.draw(victim, scheme, 0)[1].indices) for victim in asked.victims}
        most = max(seeds, key=seeds.__getitem__)
        if not scheme.goes_round and min(asked.budgets) // group > seeds[most] > 0:
            raise QurdError(
                f"Every cell of '{scheme.label}' is empty: the seed set gives {seeds[most] * group} queries only, to {most}."
                " Ask for other budgets."
            )
        for victim, number in seeds.items():
            large = [budget for budget in asked.budgets if budget >= group and budget // group > number]
            if large and not (number and scheme.goes_round):
                told[f"{scheme.label}: {victim} has seeds for {number * group} queries only, not for {_list(large)}."] = None
    return list(told)


def _short(asked: Request, desk: Workbench, scheme: Scheme) -> Iterator[str]:
    """One sentence per victim of which a mixed sampler has too few seeds for its share of the budgets."""
    whole = sum(share for _, share in scheme.mixed)
    for victim in asked.victims:
        for one, share in scheme.mixed:
            most = len(desk.draw(victim, one, 0)[1].indices) * one.group_size * whole // share
            large = [budget for budget in asked.budgets if budget > most]
            if large and not one.goes_round:
                yield f"{scheme.label}: {one.sampler} runs out at {most} queries to {victim}, before {_list(large)}."


def _check_memory(asked: Request, desk: Workbench) -> None:
    """Refuse budgets at which the gradients of all models of a victim would not fit in memory."""
    for scheme in asked.schemes:
        if scheme.access is not Access.GRADIENTS:
            continue
        pixels = desk.images(scheme.split).pixels[0].numel()
        models = max(len(desk.models(victim)) for victim in asked.victims)
        fits = HELD_GRADIENTS // (models * pixels * 4)
        if max(asked.budgets) > fits:
            raise QurdError(
                f"'{scheme.label}' holds the gradients of {models} models at once, {pixels * 4 / 1e6:.2g} MB for each query"
                f" of {asked.bench.name}, so it takes budgets of at most {fits:,}. Got {max(asked.budgets):,}: ask for less,"
                f" or use a scheme that needs no gradients, such as {REFERENCE}."
            )


def _check_gaps(asked: Request, desk: Workbench) -> None:
    """Refuse a request of whose very queries unrelated models have not answered enough."""
    unanswered = cache(asked.bench.unanswered)
    every = (one for scheme in asked.schemes for one, _ in scheme.ingredients)
    for scheme in {str(scheme.sampler): scheme for scheme in every}.values():
        for victim in asked.victims:
            unrelated = [pair.suspect for pair in asked.pairs(victim) if pair.kind in NEGATIVE_KINDS[asked.negatives]]
            gone = {model: unanswered(model, scheme.split) for model in unrelated}
            for query_seed in range(asked.seeds):
                drawn = desk.draw(victim, scheme, query_seed)[1].indices
                what = f"'{scheme.label}' with query seed {query_seed}"
                refuse_gaps(gone, drawn, asked.budgets, victim=victim, split=scheme.split, what=what)


def refuse_gaps(
    gone: Mapping[str, Tensor], drawn: Tensor, sent: Sequence[int], *, victim: str, split: str, what: str
) -> None:
    """Refuse queries of which an unrelated model lacks too many answers for its distance to set a threshold.

    A missing answer counts as disagreement. A model that lacks many looks far from the victim and lifts the threshold: more
    models that do answer could fall below it than is promised. So each may lack at most `MOST` of all items that queries are
    drawn from (which of them a draw hits is chance then, and what they add is bounded in the mean), or, where it lacks more,
    at most `MOST` of the very queries that are sent. What is not asked need not be there. Stolen models may lack any
    number: that lowers the detection rate and nothing else.

    Args:
        gone: by unrelated model, (items,) whether its answer is missing.
        drawn: (n,) places of all items that queries are drawn from, in the order in which they are sent.
        sent: numbers of queries.
        what: who asks, in words.

    Raises:
        QurdError: a model lacks more.
    """
    for model, missing in gone.items():
        mine = missing[drawn]
        if int(mine.sum()) <= MOST * len(mine):
            continue
        for queries in (mine[:number] for number in sent):
            if int(queries.sum()) > MOST * len(queries):
                raise QurdError(
                    f"Expected '{model}', which is unrelated to '{victim}', to answer at least {1 - MOST:.0%} of what {what}"
                    f" asks. It has no answer to {int(queries.sum()):,} of {len(queries):,} items of {split}: ask it these,"
                    " leave it out, or ask for other budgets or fewer seeds."
                )


def _list(budgets: Iterable[int]) -> str:
    return ", ".join(map(str, budgets))
