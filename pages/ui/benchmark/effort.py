"""The Benchmark page's section on the thief's effort."""

import json
from collections.abc import Callable, Sequence

from streamlit.delta_generator import DeltaGenerator

from pages.ui import bench_part, cached, controls, export, frame
from qurd_core import findings, plots, views
from qurd_core.findings.language import again
from qurd_core.plots.drawing.theme import Style
from qurd_core.records import grid_records, rate_records
from qurd_core.views import designer


def show(bench: str, style: Style, others: Sequence[DeltaGenerator], say: Callable[..., None]) -> None:
    """Draw the section, and say its headline with the line under it."""
    with others[0]:
        task = controls.task(cached.tasks(bench))
    with others[1]:
        budget = controls.budget(rate_records.RAW_BUDGETS)
    with others[2]:
        hard = controls.hard()
    pairs, names = cached.pairs(bench), designer.named(cached.schemes(), cached.scores(bench))
    scores = cached.scores(bench).only(list(names), budget)
    harder = hard and bench_part.has_hard(bench)

    table, easy = (
        views.effort.points(pairs, cached.models(bench), designer.catches(scores, pairs, cached.negatives(also)), names)
        for also in (harder, False)
    )
    headline = findings.effort.headline(table, budget, task) + bench_part.counting(harder)
    further = views.effort.others(table, cached.grid(bench), cached.negatives(harder)) if grid_records.has(bench) else None
    beside = "" if further is None else findings.effort.further(further)
    headline = findings.effort.turned(table, easy, budget, task) or headline
    say(headline, f"{findings.effort.subline(table)} · {_CAUGHT}{beside}", hard)
    file_name, chart = f"effort-{bench}", plots.effort.figure(table, task, style, others=further)
    code = _CODE.format(name=json.dumps(bench), budget=budget, negatives=cached.negatives(hard))
    export.offer(table, file_name, again.Again("", code, again.NO_COMMAND), chart=chart)
    with frame.tall(wide=1150):
        export.chart(chart, "effort", file_name, style, findings.effort.alt(table))


_CAUGHT = "caught: below the threshold of the paper rule for its victim and task, with most query seeds"
_CODE = """from qurd_core.records import evidence, rate_records
from qurd_core.views import designer, effort

name = {name}
every = evidence.Scores.read(name)
names = designer.named(rate_records.schemes(), every)
pairs, models = evidence.pairs(name), evidence.models(name)
scores = every.only(names, {budget})
caught = designer.catches(scores, pairs, "{negatives}")
table = effort.points(pairs, models, caught, names)"""
