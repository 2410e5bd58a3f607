"""The grid of thefts and ways to hide them has the models that it promises."""

from collections import Counter

import pytest

from qurd_core.benchmarks.base import benchmark, register_benchmarks
from qurd_core.benchmarks.fashion.fashion_sac import FOLDER
from qurd_core.benchmarks.fashion.making import world
from qurd_core.benchmarks.zoo.models import Zoo
from qurd_core.evaluation.grid import columns
from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.lineage import Lineage
from qurd_core.registry import benchmarks

register_benchmarks()
BENCHES = [benchmark(str(call)) for call in benchmarks["fashion-sac-grid"].variants()]
WHOLE = benchmark("fashion-sac")
MADE = {name for bench in BENCHES for name in bench.models}
SHIPPED = Zoo(FOLDER, world(FOLDER)).records
built = pytest.mark.skipif(not {*SHIPPED} >= MADE, reason="The models of the grid have not been built: 'build fashion'.")


def stolen(bench):
    return [pair for pair in bench.pairs if pair.kind == "positive"]


def test_the_grid_is_large_enough():
    cells = len(BENCHES[0].tasks) * len([column for column in columns("fashion-sac").values() if not column.dear])
    assert len(BENCHES[0].tasks) >= 11
    assert cells >= 143


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.name)
def test_every_victim_has_one_stolen_model_per_theft_and_the_unrelated_models_of_fashion_sac(bench):
    assert [Lineage.parse(victim).last.args[0] for victim in bench.victims] == ["vgg", "res", "dense", "mb"]
    assert {*bench.victims} < {*WHOLE.victims}
    for victim in bench.victims:
        pairs = bench.pairs_of(victim)
        assert Counter(pair.tasks[0] for pair in pairs if pair.kind == "positive") == dict.fromkeys(bench.tasks, 1)
        theirs = {pair.suspect for pair in WHOLE.pairs_of(victim) if pair.kind == "negative"}
        assert {pair.suspect for pair in pairs if pair.kind == "negative"} == theirs
        assert {pair.suspect for pair in pairs if pair.kind == "hard"} == {*bench.victims} - {victim}
        serving = Counter(task for pair in pairs if pair.kind == "negative" for task in pair.tasks)
        assert serving == {task: 20 if task == "transfer" else 60 for task in bench.tasks}


def test_thefts_without_hiding_are_those_of_fashion_sac_and_two_more():
    plain = [pair for pair in stolen(BENCHES[0]) if pair.suspect not in WHOLE.models]
    assert {pair.tasks[0] for pair in plain} == {"knockoff", "datafree"}
    for task in ("probit_extraction", "label_extraction", "knockoff", "datafree"):
        students = {Lineage.parse(pair.suspect).last.args[0] for pair in stolen(BENCHES[0]) if task in pair.tasks}
        assert len(students) == 4, task  # an architecture for each victim


def test_a_hidden_model_is_its_theft_and_one_more_step():
    plain = {(pair.victim, pair.tasks): pair.suspect for pair in stolen(BENCHES[0])}
    for bench in BENCHES[1:]:
        steps = {pair.suspect.removeprefix(f"{plain[pair.victim, pair.tasks]}->") for pair in stolen(bench)}
        assert len(steps) == 1, bench.name
        assert "->" not in steps.pop()


def test_every_theft_way_to_hide_and_model_has_words():
    assert {*BENCHES[0].tasks} <= {*words.TASKS}
    assert {*columns("fashion-sac")} <= {*words.HIDINGS}
    names = [readable(name) for name in MADE]
    assert len({*names}) == len(names)
    assert not [name for name in names if "->" in name]


@built
def test_the_records_say_what_thieves_asked():
    asked = {"knockoff": 10_000, "data_free": 40_960}
    for name in MADE:
        last = Lineage.parse(name).last
        if last.name in asked:
            assert SHIPPED[name].victim_queries == asked[last.name]
            assert SHIPPED[name].regions == (("cutouts",) if last.name == "knockoff" else ())
            assert not SHIPPED[name].read_truth
