"""Which schemes stand out where more are recorded than eyes can tell apart: toy records of all that run."""

import pandas as pd
import pytest

from qurd_core import findings, plots, views
from qurd_core.plots.drawing.theme import SCHEMES
from qurd_core.schemes import BASELINES, CONTROL, GROUPS, MOST_MARKED, NAMED, PAPER, PUBLISHED, VARIANTS, grouped

MIXES = [f"uniform(test)->pgd(eps=0.0{step}) | labels | hamming" for step in range(1, 8)]


@pytest.fixture
def points():
    """A row per named scheme and combination at one budget, the later ones catch less."""
    labels = [*NAMED, *MIXES]
    rows = {"label": labels, "name": [label if label in NAMED else None for label in labels], "scheme": labels}
    more = {"spread": 0.01, "seeds": 5, "budget": 100, "control": [label == CONTROL for label in labels]}
    more |= {"gap": 0.0, "verdict": None, "low": 0.0, "high": 1.0, "n_negatives": 40}
    return pd.DataFrame(rows | {"value": [0.9 - 0.02 * number for number in range(len(labels))]} | more)


def test_every_published_scheme_belongs_to_one_family_of_few():
    families = [group for group in GROUPS if group != PAPER]
    members = [name for family in families for name in grouped(family)]
    assert sorted(members) == sorted({*PUBLISHED, *VARIANTS})
    assert all(0 < len(grouped(group)) <= MOST_MARKED for group in GROUPS)


def test_a_variant_stands_behind_its_scheme():
    for family in GROUPS:
        names = grouped(family)
        for name in names:
            if name in VARIANTS:
                before = names[names.index(name) - 1]
                assert VARIANTS[name] == VARIANTS.get(before, before)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("pins", [(), ("SSF",), tuple(MIXES[:6]), ("AKH", "SSF", *MIXES[:4])])
def test_at_most_six_stand_out_beside_the_baselines_and_no_pin_gives_way(points, group, pins):
    found = views.budget.shown(points, pins, group)
    assert found[:2] == [*BASELINES]
    assert len(found) <= 2 + MOST_MARKED
    assert {*pins} <= {*found}
    chart = plots.leaderboard.figure({"one": points}, "one", pins=pins, group=group)
    (named,) = [trace for trace in chart.data if trace.name == "named on one"]
    assert sorted(named.customdata) == sorted(found)
    assert sum(label in SCHEMES and label not in BASELINES for label in named.customdata) <= MOST_MARKED
    (grey,) = [trace for trace in chart.data if trace.name == "mixes on one"]
    assert not {*grey.customdata} & {*found}


def test_who_does_not_see_the_chart_is_told_what_stands_out(points):
    said = findings.leaderboard.alt(points, "one", [], ("SSF",), "boundary")
    assert said.partition("Named: ")[2] == ("AKH 90%, Random 88%, IPGuard 86%, DeepFoolF 66%, SSF 64%, hinge-probe 58%.")


def test_what_is_grey_is_told_with_the_way_to_its_colour(points):
    few = points[points["label"].isin(("AKH", "Random", "SAC", "SSF"))]
    assert findings.budget.grey(few, (), PAPER) == (
        "1 more published scheme is grey: SSF. Choose its group, or pin it, to see it in colour."
    )
    assert findings.budget.grey(few, ("SSF",), PAPER) == ""
    crowd = points[points["label"].isin((*BASELINES, *grouped(PAPER), *MIXES))]
    assert findings.budget.grey(crowd, MIXES[:3], PAPER) == (
        "At most 6 stand out beside AKH and Random, pinned ones first, so ZestOfLIME and FBI are grey."
    )


def test_groups_of_which_nothing_is_recorded_are_not_offered(points):
    assert views.budget.groups(points) == [*GROUPS]
    assert views.budget.groups(points[points["label"].isin(("AKH", "SAC", "SAC:original"))]) == [PAPER, "photographs"]


def test_a_table_of_tasks_has_the_columns_of_the_group(points):
    rows = points.assign(task="all")
    assert views.tasks.columns(rows, ("SAC", *MIXES), "boundary") == [
        *BASELINES,
        "SAC",
        "IPGuard",
        "hinge-probe",
        "DeepFoolF",
    ]
    assert len(views.tasks.columns(rows, (), "adversarial")) == 2 + MOST_MARKED
