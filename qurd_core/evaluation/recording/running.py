"""What a run has found of schemes that the records lack, kept where every page finds it."""

from dataclasses import replace

from qurd_core.evaluation.request import Request
from qurd_core.evaluation.scores import raw_scores
from qurd_core.evaluation.tabulate import recorded
from qurd_core.evaluation.workbench import Workbench
from qurd_core.records import ran_records, rate_records
from qurd_core.schemes import describe


def remember(asked: Request, desk: Workbench, benchmark: str) -> None:
    """Have pages show the schemes of a request whose scores are in the store: see `ran_records`.

    Nothing is kept of a part of a benchmark, of models behind obfuscations, of some tasks, or of some lineages.

    Args:
        benchmark: its name.
    """
    whole = rate_records.is_whole(benchmark) and asked.bench.behind is None
    if not whole or asked.pool is not None or asked.tasks != asked.bench.tasks:
        return
    budgets = [budget for budget in asked.budgets if budget in rate_records.RAW_BUDGETS]
    for scheme in asked.schemes if budgets else ():
        if ran_records.counts(benchmark, scheme):
            one = replace(asked, schemes=(scheme,))
            rows = recorded(one, desk)[list(rate_records.COLUMNS)]
            ran_records.add(benchmark, scheme, rows, raw_scores(one, [scheme], budgets, desk), describe(scheme))
