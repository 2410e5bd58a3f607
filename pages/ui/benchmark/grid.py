"""The Benchmark page's section on thefts that are followed by what may hide them."""

from collections.abc import Callable, Sequence

from streamlit.delta_generator import DeltaGenerator

from pages.ui import bench_part, cached, controls, export, frame
from qurd_core import findings, plots, views
from qurd_core.findings.language import again
from qurd_core.plots.drawing.theme import Style
from qurd_core.records import grid_records


def show(bench: str, style: Style, others: Sequence[DeltaGenerator], say: Callable[..., None]) -> None:
    """Draw the section, and say its headline with the line under it."""
    table = cached.grid(bench)
    with others[0]:
        scheme = controls.select("Scheme", views.thefts.grid.schemes(table), "scheme", "scheme")
    with others[1]:
        rule = controls.rule()
    with others[2]:
        hard = controls.hard()
    harder = hard and bench_part.has_hard(bench)

    found, easy = (views.thefts.grid.cells(table, scheme, rule, cached.negatives(also)) for also in (harder, False))
    headline = findings.thefts.grid.headline(found, scheme) + bench_part.counting(harder)
    say(findings.thefts.grid.turned(found, easy, scheme) or headline, findings.thefts.grid.subline(found), hard)
    file_name, chart = f"{bench}-hiding", plots.thefts.grid.figure(found, style)
    read = again.call("grid_records.read", bench)
    code = again.code(
        again.call("grid.cells", read, scheme, rule, cached.negatives(harder)), "records.grid_records", "views.thefts.grid"
    )
    export.offer(found, file_name, again.Again("", code, _AGAIN.format(grid_records.rebuild(bench), scheme)), chart=chart)
    with frame.tall(**plots.thefts.grid.least(found)):
        export.chart(chart, "hiding", file_name, style, findings.thefts.grid.alt(found, scheme))


_AGAIN = 'The Python reads the recorded grid. This command measures it anew: {} --scheme "{}"'
