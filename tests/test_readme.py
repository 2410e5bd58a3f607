"""The numbers that the README tells are those that ship."""

import re
from pathlib import Path

import pytest

from qurd_core.paper import claims
from qurd_core.paper.row import VERDICTS
from qurd_core.records import rate_records
from qurd_core.schemes import NAMED
from qurd_core.statistics.printed import fixed

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
TASKS = {"probit": "probit_extraction", "label": "label_extraction", "adv. label": "adv_label_extraction"}


def rows(benchmark: str) -> list[dict[str, str]]:
    """The README's table of a benchmark, a dict per scheme."""
    table = re.search(rf"^\| {benchmark} \| same .*?\n\n", README, re.DOTALL | re.MULTILINE)[0]
    head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines())
    return [dict(zip(head, line, strict=True)) for line in body]


def said(share: float) -> str:
    return fixed(share, 2).removeprefix("0")


@pytest.mark.parametrize("benchmark", rate_records.EMBEDDED)
def test_the_tables_of_the_readme_are_the_shipped_records(benchmark):
    shipped = {
        negatives: rate_records.read_at(benchmark, 100, negatives=negatives).set_index(["name", "task"])["tpr"]
        for negatives in ("unrelated", "unrelated+hard")
    }
    found = rows(benchmark)
    assert {row[benchmark] for row in found} == {*NAMED} - {"accuracy"}
    for row in found:
        name = row.pop(benchmark)
        for task, cell in row.items():
            alone, hard = (shipped[choice][name, TASKS.get(task, task)] for choice in shipped)
            assert cell == (said(alone) if task == "transfer" else f"{said(alone)} ({said(hard)})"), (name, task)


def test_the_readme_counts_the_claims_as_they_are_graded():
    graded = [claim.verdict for claim in claims.read()]
    supported, against, open_ = (graded.count(verdict) for verdict in VERDICTS)
    told = re.sub(r"\s+", " ", README)
    assert f"Of {len(graded)} claims {supported} are supported by its scores, {against} are not, and {open_} are not" in told
