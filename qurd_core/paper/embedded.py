"""What the embedded benchmarks say beside a claim: the same numbers, at the budget that the claim speaks of."""

import math
from collections.abc import Callable

from qurd_core.paper.facts import TABLE_3, Facts
from qurd_core.paper.phrases import per, per_task, percent, phrase, places, thousands
from qurd_core.records.rate_records import EMBEDDED
from qurd_core.schemes import PUBLISHED

Said = Callable[[Facts], str]


def _each(said: Callable[[Facts, str], str], start: str) -> Said:
    return lambda facts: start + places({place: said(facts, place) for place in EMBEDDED})


def rates(*schemes: str, at: int, task: str = "all", best: bool = False) -> Said:
    """Rates of named schemes where the task is, and the best published one if it is wanted."""

    def of(facts: Facts, place: str) -> str:
        named = facts.named(place, task, at)
        if named.empty:
            return "no such task"
        rivals = named[named.index.isin(PUBLISHED)]
        top = f", best published scheme {rivals.idxmax()} {percent(rivals.max())}" if best and len(rivals) else ""
        return per({name: named[name] for name in schemes if name in named}, percent) + top

    return _each(of, f"at {at} queries: ")


def with_hard(at: int) -> Said:
    """AKH, once more with hard unrelated models."""

    def of(facts: Facts) -> str:
        harder = {place: facts.hard(place, "AKH", at) for place in EMBEDDED}
        told = "with hard unrelated models (independent models trained on the victim's data) "
        return f"{rates('AKH', at=at)(facts)}; {told}{places({k: percent(v) for k, v in harder.items() if v is not None})}"

    return of


def tasks(*wanted: str) -> Said:
    """How AKH does on tasks, where they are."""

    def of(facts: Facts, place: str) -> str:
        found = {task: facts.tpr(place, "AKH", task, TABLE_3) for task in wanted}
        return per_task({task: rate for task, rate in found.items() if not math.isnan(rate)}, percent)

    return _each(of, f"AKH at {TABLE_3} queries: ")


def growth(*schemes: str, at: tuple[int, ...]) -> Said:
    """How the rates of named schemes change with the budget."""

    def of(facts: Facts, place: str) -> str:
        curves = {name: [facts.tpr(place, name, "all", budget) for budget in at] for name in schemes}
        return phrase("per arrow percent")(curves)

    return _each(of, f"at {', '.join(map(str, at))} queries: ")


def costs(*schemes: str, cost: str, start: str) -> Said:
    """What named schemes spend on the queries of Table 3."""

    def of(facts: Facts, place: str) -> str:
        return per({name: facts.tpr(place, name, "all", TABLE_3, cost) for name in schemes}, thousands)

    return _each(of, start)
