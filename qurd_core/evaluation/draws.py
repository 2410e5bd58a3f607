"""Whether the seed images that schemes draw suffice, told or refused before suspects are asked; only victims are."""

from collections.abc import Iterable
from functools import cache

from qurd_core.errors import QurdError
from qurd_core.evaluation import gaps
from qurd_core.evaluation.request import Request
from qurd_core.evaluation.workbench import Workbench
from qurd_core.statistics.sides import NEGATIVE_KINDS


def empty_cells(asked: Request, desk: Workbench) -> list[str]:
    """One sentence per scheme and victim whose budgets buy nothing, or whose seed set is too small; asks victims only."""
    told: dict[str, None] = {}
    for scheme in asked.schemes:
        small = [b for b in asked.budgets if b < scheme.group_size]
        if small:
            told[f"{scheme.label}: {_list(small)} buys no group of {scheme.group_size} queries."] = None
        for victim in asked.bench.victims:
            seeds = len(desk.draw(victim, scheme, 0)[1].indices)
            if seeds and scheme.goes_round:
                continue
            most = seeds * scheme.group_size
            large = [b for b in asked.budgets if b >= scheme.group_size and b // scheme.group_size > seeds]
            if large:
                told[f"{scheme.label}: {victim} has seeds for {most} queries only, not for {_list(large)}."] = None
    return list(told)


def check_seeds(asked: Request, desk: Workbench) -> None:
    """Refuse a scheme whose seed sets are too small for every budget, before as many queries are made as they allow."""
    for scheme in asked.schemes:
        seeds = {victim: len(desk.draw(victim, scheme, 0)[1].indices) for victim in asked.bench.victims}
        if not scheme.goes_round and min(asked.budgets) // scheme.group_size > max(seeds.values()) > 0:
            victim = max(seeds, key=seeds.get)
            raise QurdError(
                f"Every cell of '{scheme.label}' is empty: the seed set gives {seeds[victim] * scheme.group_size} queries"
                f" only, to {victim}. Ask for other budgets."
            )


def check_gaps(asked: Request, desk: Workbench) -> None:
    """Refuse a request of whose very queries unrelated models have not answered enough."""
    unanswered = cache(asked.bench.unanswered)
    for scheme in {str(scheme.sampler): scheme for scheme in asked.schemes}.values():
        for victim in asked.bench.victims:
            unrelated = [pair.suspect for pair in asked.pairs(victim) if pair.kind in NEGATIVE_KINDS[asked.negatives]]
            gone = {model: unanswered(model, scheme.split) for model in unrelated}
            for query_seed in range(asked.seeds):
                drawn = desk.draw(victim, scheme, query_seed)[1].indices
                what = f"'{scheme.label}' with query seed {query_seed}"
                gaps.refuse(gone, drawn, asked.budgets, victim=victim, split=scheme.split, what=what)


def _list(budgets: Iterable[int]) -> str:
    return ", ".join(map(str, budgets))
