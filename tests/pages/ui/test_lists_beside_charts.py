"""Whatever can be clicked in a chart can be chosen from a list beside it, which the keyboard reaches, too."""

import json
from itertools import chain

import pytest

from qurd_core import plots
from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.schemes import Scheme
from tests.pages.screen import sound


def marks(app) -> list:
    """What clicks on the page's charts report."""
    charts = [chart for chart in app.get("plotly_chart") if chart.proto.selection_mode]
    traces = chain.from_iterable(json.loads(chart.proto.spec)["data"] for chart in charts)
    return [mark for trace in traces for mark in trace.get("customdata", []) if mark]


def options(app, kind: str, key: str) -> list[str]:
    return next(element for element in app.get(kind) if element.key == key).options


KINDS = (plots.designer.GROUP, plots.designer.VICTIM, plots.designer.PAIR)
LISTS = [
    ("leaderboard", {}, ("multiselect", "pin"), str),
    ("leaderboard", {"view": "table"}, ("multiselect", "pin"), str),
    ("leaderboard", {"view": "swap"}, ("multiselect", "pin"), str),
    ("budget", {}, ("multiselect", "pin"), str),
    ("benchmark", {}, ("selectbox", "task-words"), words.task),
    ("benchmark", {"section": "lineage"}, ("selectbox", "victim-words"), readable),
    ("paper", {}, ("selectbox", "claim"), str),
]


@pytest.mark.parametrize(("page", "link", "where", "said"), LISTS)
@pytest.mark.slow
def test_every_mark_of_a_chart_is_in_the_list_beside_it(shipped, page, link, where, said):
    app = sound(shipped(page=page, **link))
    assert len(marks(app)) > 2
    assert {said(mark) for mark in marks(app)} <= set(options(app, *where))


def test_every_cell_of_the_map_can_be_typed(shipped):
    app = sound(shipped(page="compose"))
    assert app.selectbox(key="pick")
    assert len(marks(app)) > 50
    assert all(str(Scheme.read(mark)) == mark for mark in marks(app))


@pytest.mark.parametrize("show", ["distributions", "bound"])
def test_every_pair_that_can_be_clicked_can_be_chosen_by_its_models(shipped, show):
    app = sound(shipped(page="separability", show=show))
    victims = {readable(victim) for victim, *_ in marks(app)}
    assert victims <= set(options(app, "selectbox", "victim-words"))
    first = options(app, "selectbox", "victim-words")[0]
    mine = {readable(suspect) for victim, suspect, _ in marks(app) if readable(victim) == first}
    assert mine <= set(options(app, "selectbox", "pair-words"))


def test_every_tile_and_every_square_of_a_benchmark_can_be_turned_by_name(shipped):
    app = sound(shipped(page="benchmark", section="bench"))
    found = {kind: {tuple(names) for what, *names in marks(app) if what == kind} for kind in KINDS}
    pills = {element.label: element.options for element in app.get("button_group") if element.key}
    assert len(pills["In"]) == len(found["group"]) and len(pills["Victims"]) == len(found["victim"])
    assert len(options(app, "selectbox", "turned")) == len(found["pair"]) > 100


def test_a_victim_is_turned_by_name(shipped):
    app = sound(shipped(page="benchmark", section="bench"))
    pills = next(element for element in app.get("button_group") if element.label == "Victims")
    before = pills.value
    pills.set_value(before[1:]).run()
    assert {pair[0] for pair in app.session_state["left_out_pairs"]["patchwork-sac"]} == {before[0]}
