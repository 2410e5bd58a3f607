"""What can be taken away from the Queries page: facts as CSV, and the code that computes them again."""

from collections.abc import Callable

import pandas as pd

from pages.ui import export
from pages.ui.queries.sides import Side
from qurd_core import findings
from qurd_core.findings.language import again


def queries(both: list[Side]) -> None:
    """The facts of every card of both sides."""
    there = {side.asked.sampler: side for side in both if side.queries is not None}
    asked = both[0].asked

    def facts() -> pd.DataFrame:
        tables = [side.queries.export(side.asked.budget) for side in there.values()]
        shared = {"victim_model": asked.victim, "suspect_model": asked.suspect, "query_seed": asked.seed}
        return pd.concat([pd.DataFrame(), *tables], ignore_index=True).assign(**shared)

    chosen = {"query_seed": asked.seed, "budget": asked.budget}
    table = again.call("query_job.facts", asked.bench, asked.victim, asked.suspect, list(there), **chosen)
    _offer(facts, f"queries-{asked.bench}-{asked.seed}", again.code(table, "jobs.kinds.query_job"))


def telling(bench: str, victim: str, table: pd.DataFrame) -> None:
    """The shares of the discriminative images."""
    _offer(table, f"telling-{bench}", findings.queries.telling_code(bench, victim))


def _offer(rows: pd.DataFrame | Callable[[], pd.DataFrame], file_name: str, code: str) -> None:
    export.offer(rows, file_name, again.Again("", code, again.NO_COMMAND))
