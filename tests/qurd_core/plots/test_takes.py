"""Every figure takes what its view gives, says what that is, and refuses the rest with one sentence."""

import inspect
from collections.abc import Callable
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go
import pytest

from qurd_core import findings, plots, views
from qurd_core.errors import QurdError
from qurd_core.files import ASSETS
from qurd_core.paper import agreement, claims, tables
from qurd_core.records import evidence, rate_records
from qurd_core.views.check.checked import Checked
from tests.small_grid import make_grid

BENCH = "patchwork-sac"
VICTIMS = tuple(dict.fromkeys(evidence.pairs(BENCH)["victim"]))


class Case(NamedTuple):
    """A figure, what its view gives, and the rest of its arguments."""

    draw: Callable[..., go.Figure]
    made: Callable[[], Any]
    options: dict[str, Any] = {}  # noqa: RUF012 (a NamedTuple has no other)


def points() -> pd.DataFrame:
    return views.budget.curves(rate_records.read(BENCH))


def board() -> pd.DataFrame:
    return views.leaderboard.board(points(), rate_records.schemes(), 100)


def thefts() -> pd.DataFrame:
    pairs, every = evidence.pairs(BENCH), evidence.Scores.read(BENCH)
    names = views.designer.named(rate_records.schemes(), every)
    scores = every.only(names, 100)
    return views.effort.points(pairs, evidence.models(BENCH), views.designer.catches(scores, pairs), names)


def cells() -> pd.DataFrame:
    schemes, known = rate_records.schemes(), views.heatmap.values(points(), 100)
    return views.heatmap.cells(schemes, known, split="test", family=views.heatmap.MAIN, pick=PICK)


def duel() -> Checked:
    """The answers that the story of this name ships."""
    return next(
        found for path in sorted((ASSETS / "checks").glob("*.verdict")) if len((found := Checked.read(path)).suspects) == 2
    )


def trial() -> views.play.Trial:
    return views.play.trial(evidence.bank(BENCH), evidence.pairs(BENCH), VICTIMS[0], "AKH")


def rows() -> list[views.separability.Row]:
    found = views.separability.Distances.of_delta(evidence.pairs(BENCH), "delta_c")
    return views.separability.rows(found, negatives="unrelated", alpha=0.05)


PICK = views.heatmap.Pick("negative(test) | labels | hamming", "negative(test)", "labels | hamming", "AKH")
CASES = {
    "benchmark.figure": Case(plots.benchmark.figure, lambda: views.contents.tasks(evidence.pairs(BENCH))),
    "bound.figure": Case(plots.bound.figure, lambda: views.contents.counted(evidence.pairs(BENCH), "all", "unrelated+hard")),
    "budget.figure": Case(plots.budget.figure, points),
    "check.dots.figure": Case(plots.check.dots.figure, lambda: duel().dots),
    "check.path.figure": Case(plots.check.path.figure, lambda: duel().paths),
    "check.duel.figure": Case(plots.check.duel.figure, lambda: duel().paths),
    "designer.figure": Case(
        plots.designer.figure, lambda: views.designer.tiles(evidence.pairs(BENCH)), {"out": frozenset()}
    ),
    "distances.figure": Case(plots.distances.figure, points, {"label": "AKH"}),
    "effort.figure": Case(plots.effort.figure, thefts),
    "heatmap.figure": Case(plots.heatmap.figure, cells, {"pick": PICK}),
    "leaderboard.figure": Case(plots.leaderboard.figure, lambda: {BENCH: board()}, {"chosen": BENCH}),
    "lineage_tree.figure": Case(
        plots.lineage_tree.figure,
        lambda: views.contents.branches(evidence.pairs(BENCH), evidence.models(BENCH), VICTIMS[0]),
        {"models": evidence.models(BENCH), "victims": VICTIMS, "victim": VICTIMS[0]},
    ),
    "paper.figure": Case(plots.paper.figure, claims.read, {"chosen": ""}),
    "paper.agreement_figure": Case(plots.paper.agreement_figure, agreement.read, {"at": 100}),
    "paper.atlas_figure": Case(
        plots.paper.atlas_figure, lambda: findings.paper.beyond(tables.table1(), "labels"), {"examples": {}}
    ),
    "paper.tasks_figure": Case(plots.paper.tasks_figure, tables.table2),
    "paper.table_figure": Case(plots.paper.table_figure, tables.table3),
    "play.figure": Case(plots.play.figure, lambda: trial().rows(trial().pick()), {"pictures": ()}),
    "separability.figure": Case(
        plots.separability.figure, rows, {"axis": findings.separability.Axis("delta_C", "delta_C", True)}
    ),
    "swaps.figure": Case(
        plots.swaps.figure, lambda: views.swaps.swaps(board(), rate_records.schemes(), "SAC"), {"name": "SAC"}
    ),
    "tasks.figure": Case(
        plots.tasks.figure,
        lambda: views.tasks.named(rate_records.read_at(BENCH, 100), rate_records.tasks(BENCH), "paper"),
    ),
    "thefts.grid.figure": Case(plots.thefts.grid.figure, lambda: views.thefts.grid.cells(make_grid(), "AKH")),
}
every = pytest.mark.parametrize("name", CASES)


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    """What every view gives, once."""
    return {name: case.made() for name, case in CASES.items()}


def draw(name: str, what: Any, **options: Any) -> go.Figure:
    return CASES[name].draw(what, **CASES[name].options | options)


def needs(name: str) -> list[str]:
    """The columns that a docstring names."""
    last = inspect.getdoc(CASES[name].draw).splitlines()[-1]
    return last.rpartition(", with ")[2].rstrip(".").split(", ") if "Needs: `" in last else []


def of_tables(what: Any, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Any:
    """What a view gives with its tables, or its list of rows, changed."""
    if isinstance(what, dict):
        return {key: change(table) for key, table in what.items()}
    return change(pd.DataFrame(what) if isinstance(what, list) else what)


def test_every_figure_is_tried():
    found = [module for module in walk_packages(plots.__path__, f"{plots.__name__}.") if not module.ispkg]
    modules = [import_module(module.name) for module in found if ".drawing." not in module.name]
    public = {
        f"{module.__name__.removeprefix(f'{plots.__name__}.')}.{name}"
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if inspect.signature(function).return_annotation is go.Figure and not name.startswith("_")
        if function.__module__ == module.__name__
    }
    assert public == set(CASES)


@every
@pytest.mark.slow
def test_a_figure_takes_what_its_view_gives(name, given):
    assert len(draw(name, given[name]).data)


LISTS = ("lineage_tree.figure", "paper.figure", "separability.figure")
tables_only = pytest.mark.parametrize("name", [name for name in CASES if name not in LISTS])


@tables_only
@pytest.mark.slow
def test_the_columns_that_a_docstring_names_are_enough(name, given):
    assert needs(name)
    assert len(draw(name, of_tables(given[name], lambda table: table[needs(name)])).data)


@tables_only
def test_every_column_that_a_docstring_names_is_asked_for(name, given):
    for column in needs(name):
        with pytest.raises(QurdError, match=rf"as qurd_core\.\S+ gives it.* Missing in what came: {column}\.$"):
            draw(name, of_tables(given[name], lambda table, column=column: table.drop(columns=column)))


@every
@pytest.mark.parametrize("other", [pd.DataFrame({"x": [1]}), {"a": pd.DataFrame({"x": [1]})}, [1, 2], None, "AKH"], ids=str)
def test_anything_else_is_refused_with_a_sentence(name, other):
    with pytest.raises(QurdError, match=r"^Expected as '.*"):
        draw(name, other)


@every
def test_nothing_gives_an_empty_figure_that_says_so(name, given):
    what = given[name]
    nothing = [] if name in LISTS else of_tables(what, lambda table: table.iloc[:0])
    chart = draw(name, nothing)
    assert not chart.data
    assert [note.text for note in chart.layout.annotations] == ["Nothing to draw: there is no row."]


def test_the_models_of_a_tree_are_checked_too(given):
    with pytest.raises(QurdError, match=r"Expected as 'models' .*Missing in what came: lineage, architecture, accuracy"):
        draw("lineage_tree.figure", given["lineage_tree.figure"], models=pd.DataFrame({"x": [1]}))
