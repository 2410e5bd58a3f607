"""The charts of the Benchmark page: small tables in, figures with known marks out."""

import itertools

import numpy as np
import pandas as pd
import pytest

from qurd_core import findings, plots, views
from qurd_core.plots.drawing.theme import Style
from qurd_core.views import contents, designer
from tests.small_grid import make_grid

VICTIM, THIEF, COPY = "train(vgg,victim)", "train(vgg,victim)->label_extraction(res)", "train(vgg,victim)->prune(0.1)"


@pytest.fixture
def pairs():
    rows = [
        (VICTIM, THIEF, "positive", ["label_extraction"], VICTIM),
        (VICTIM, COPY, "positive", ["prune"], VICTIM),
        *((VICTIM, f"s{number}", "negative", ["label_extraction", "prune"], f"s{number}") for number in range(20)),
        (VICTIM, "h", "hard", ["label_extraction", "prune"], "h"),
    ]
    return pd.DataFrame(rows, columns=["victim", "suspect", "kind", "tasks", "root"])


@pytest.fixture
def models(pairs):
    names = [VICTIM, *pairs["suspect"]]
    return pd.DataFrame(
        {
            "lineage": names,
            "architecture": ["vgg", "res", *["vgg"] * (len(names) - 2)],
            "parameters": 1000,
            "accuracy": [0.8, 0.7, 0.75, *[0.9] * (len(names) - 3)],
            "regions": [["victim"]] * len(names),
            "read_truth": True,
            "victim_queries": [0, 3500, 0, *[0] * (len(names) - 3)],
            "root": names,
        }
    )


@pytest.fixture
def thefts(pairs, models):
    index = pd.MultiIndex.from_tuples([(VICTIM, THIEF), (VICTIM, COPY)])
    caught = pd.DataFrame({"a": [False, True], "b": [False, True]}, index=index)
    return views.effort.points(pairs, models, caught, {"a": "AKH", "b": "SAC"})


def test_the_grid_has_a_tile_per_task_and_outlines_elsewhere(pairs):
    figure = plots.benchmark.figure(contents.tasks(pairs), "prune")
    filled = [shape for shape in figure.layout.shapes if shape.fillcolor != "rgba(0,0,0,0)"]
    assert len(filled) == 2
    assert len(figure.layout.shapes) == len(plots.benchmark.STEALING) * len(plots.benchmark.HIDING)
    lines = [max(map(len, text.split("<br>"))) for text in plots.benchmark.HIDING]
    assert max(map(sum, itertools.pairwise(lines))) < 20  # letters of two neighbours that still stand apart
    assert sorted(figure.data[0].customdata) == ["label_extraction", "prune"]
    assert figure.layout.shapes[-1].line.color == Style().surface.ink


def test_a_task_of_another_package_gets_a_row_of_its_own(pairs):
    pairs.at[0, "tasks"] = ["<odd>"]
    pairs.at[2, "tasks"] = ["<odd>", "prune"]
    figure = plots.benchmark.figure(contents.tasks(pairs))
    assert figure.layout.yaxis.ticktext[-1] == "&lt;odd&gt;"


def test_what_five_percent_means_is_said_per_group_of_tasks(pairs):
    counts = contents.tasks(pairs)
    assert (
        findings.benchmark.headline(counts, "all")
        == "2 stolen models against 20 independent unrelated models: 5 % means 1 false alarm"
    )
    uneven = counts.assign(unrelated=[20, 20, 12])
    assert findings.benchmark.headline(uneven, "all") == "2 stolen models against 20 independent unrelated models"
    assert findings.benchmark.basis(counts) == {
        "label extraction and pruning": "20 unrelated models, 20 lineages: 5 % = 1 model"
    }


def test_the_tree_groups_thefts_by_task_and_strangers_by_architecture(pairs, models):
    rows = views.contents.branches(pairs, models, VICTIM)
    assert [(branch.label, len(branch.models)) for branch in rows] == [
        ("label extraction", 1),
        ("pruning", 1),
        ("hard unrelated", 1),
        ("unrelated, VGG", 20),
    ]
    assert findings.lineage_tree.headline(rows, models, VICTIM) == (
        "The 2 stolen models reach 70% to 75% accuracy, their victim has 80%"
    )
    figure = plots.lineage_tree.figure(rows, models, [VICTIM], VICTIM)
    assert list(figure.data[-1].customdata) == [VICTIM]


def test_thefts_without_queries_come_first(thefts):
    figure = plots.effort.figure(thefts)
    assert list(figure.layout.xaxis.ticktext) == ["0", "3 500"]
    assert figure.layout.xaxis.tickvals[0] < figure.layout.xaxis.tickvals[1]
    assert list(figure.data[0].marker.color) == [0, 2]


def test_thefts_of_nearly_the_same_effort_stand_apart(thefts):
    """On a log axis 14,000 and 15,000 queries, and the names above them, would lie upon one another."""
    several = pd.concat(
        [thefts.assign(task=task, queries=number) for task, number in (("a", 0), ("b", 14_000), ("c", 15_000))]
    )
    layout = plots.effort.figure(several).layout
    assert min(np.diff(layout.xaxis.tickvals)) > 1
    assert layout.xaxis.ticktext == ("0", "14 000", "15 000")
    heads = [head.x for head in layout.annotations if head.xref == "x"]
    assert min(np.diff(heads)) > 1


def test_thefts_of_the_grid_stand_beside_those_of_the_benchmark(thefts):
    recorded = make_grid()
    recorded.loc[(recorded["theft"] == "labelood") & recorded["name"].isna(), "tpr"] = None
    others = views.effort.others(thefts.assign(task=["same", "label_extraction"]), recorded)
    assert others["task"].to_list() == ["labelood", "datafree"]
    assert others["shares"].iloc[0] == "AKH 30%"
    assert findings.effort.further(others) == (
        " · ▽: mean below the axis (label extraction, other photographs 46%) · ✕: a failed theft (data-free extraction 12%)"
    )
    other = others.assign(below=False, failed=False)
    assert findings.effort.further(other) == " · ◇: means of label extraction, other photographs; data-free extraction"
    assert findings.effort.further(others.iloc[:0]) == ""
    figure = plots.effort.figure(thefts, others=others)
    beside = figure.data[1]
    assert beside.marker.symbol == ("triangle-down-open", "x-thin")
    assert plots.effort.figure(thefts, others=other).data[1].marker.symbol == ("diamond-open", "diamond-open")
    assert beside.y[1] == figure.layout.yaxis.range[0] > others["accuracy"].iloc[1]
    assert figure.layout.xaxis.ticktext == ("0", "3 500", "20 000")
    assert "share caught: AKH 30%" in beside.hovertext[0]


def test_who_escapes_makes_the_headline(thefts):
    assert findings.effort.headline(thefts, 100) == "1 stolen model of 2 escapes all 2 named schemes at 100 queries"
    assert "70%" in findings.effort.subline(thefts)
    everyone = thefts.assign(caught=[1, 2])
    assert (
        findings.effort.headline(everyone, 50)
        == "At 50 queries each of 2 stolen models is caught by 1 of 2 named schemes or more"
    )
    assert findings.effort.headline(thefts.assign(of=0), 10) == "No named scheme has a value at 10 queries"


def test_tiles_of_what_is_out_are_hollow(pairs):
    out = frozenset({(VICTIM, COPY)})
    figure = plots.designer.figure(views.designer.tiles(pairs), out)
    by_name = {trace.name: trace for trace in figure.data}
    assert by_name["positive out"].customdata == ([plots.designer.PAIR, VICTIM, COPY],)
    assert by_name["positive out"].marker.color == Style().surface.background
    assert list(by_name[plots.designer.GROUP].marker.color)[1] == Style().surface.background
    assert "pruning 0 of 1" in findings.designer.alt(views.designer.tiles(pairs), out)


def test_what_is_partly_in_looks_neither_full_nor_empty(pairs):
    out = frozenset(designer.keys(pairs)[2:7]) | {(VICTIM, COPY)}
    figure = plots.designer.figure(views.designer.tiles(pairs), out)
    by_name = {trace.name: trace for trace in figure.data}
    groups = [name for _, name in by_name[plots.designer.GROUP].customdata]
    places = dict(zip(by_name[plots.designer.GROUP].y, groups, strict=True))
    barred = list(zip(by_name["partly"].x, by_name["partly"].y, strict=True))
    assert [places.get(y) for _, y in barred] == ["unrelated", None]  # the group, and the victim above its block
    filled = dict(zip(groups, by_name[plots.designer.GROUP].marker.color, strict=True))
    assert filled["unrelated"] == Style().surface.background
    texts = [note.text for note in figure.layout.annotations]
    assert {"label extraction <b>1</b>", "pruning <b>0 of 1</b>", "unrelated <b>15 of 20</b>"} <= set(texts)


def test_no_two_tiles_share_a_place(pairs):
    many = pd.concat([pairs.assign(victim=f"v{number}") for number in range(6)], ignore_index=True)
    for table in (pairs, many):
        assert not views.designer.tiles(table).duplicated(["line", "x"]).any()


def test_the_headline_tells_the_change(pairs):
    found = pd.DataFrame({"label": ["A", "B"], "before": [0.5, 0.9], "after": [0.2, 0.9], "change": [-0.3, 0.0]})
    assert (
        findings.designer.headline(found, frozenset(), pairs)
        == "With every pair in, the 2 named schemes differ by 20 points (s.d.)"
    )
    out = frozenset(designer.keys(pairs)[:1])
    assert findings.designer.headline(found, out, pairs).endswith("differ by 35 points instead of 20 points (s.d.)")
    assert findings.designer.moved(found) == "largest change: A, −30.0 points"
