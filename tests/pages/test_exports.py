"""The command and the Python of an export give the numbers of its CSV: a state per kind, in one process.

Rates come from the records here, whatever a command asks for, so that the models need not be asked; a slow test asks them.
`tests/benchmarks/exports.py` goes through the product of all choices.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pages.ui import cached, running
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of
from qurd_core.errors import QurdError
from qurd_core.evaluation import pipeline
from qurd_core.findings.language import again
from qurd_core.jobs.kinds import rate_job
from qurd_core.paper import importer
from qurd_core.records import evidence
from qurd_core.schemes import Scheme
from tests.benchmarks import exports

PIN = "uniform(test) | probits | cosine"
VICTIM = "train(vgg,victim)"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store, and a folder for files that are taken away."""
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A store with two benchmarks of one's own."""
    home = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("QURD_STORE", str(home))
        with exports.parts():
            yield home


@pytest.fixture
def shared(parts, monkeypatch):
    """That store for tests that only read: what a view computes of a benchmark serves the next view."""
    monkeypatch.setenv("QURD_STORE", str(parts))
    monkeypatch.chdir(parts)


@pytest.fixture
def recorded(monkeypatch):
    """Answers every request for rates from the records, if it asks for as many query seeds as they have."""

    def run(asked: pipeline.Request, *_: Any, tell: Any, by_task: bool = False) -> pd.DataFrame:
        name = Path(asked.bench.name).stem
        assert asked.pool is None
        chosen = {"task": asked.reported, "negatives": asked.negatives, "by_task": by_task}
        table = evidence.select(name, [*map(str, asked.schemes)], budgets=asked.budgets, **chosen).assign(converged=1.0)
        assert set(table["seeds"]) == {asked.seeds}
        assert table["scheme"].nunique() == len(asked.schemes)
        return table

    monkeypatch.setattr(pipeline, "run", run)


def check(page: str, link: exports.Link) -> exports.Taken:
    """A view whose command, if there is one, and whose Python give its data."""
    view = exports.taken(page, link)
    assert view.again.code
    assert len(view.rows)
    if view.again.command:
        assert exports.differences(view.rows, exports.by_command(view.again.command)) == []
    else:
        assert view.again.note == again.NO_COMMAND
    assert exports.differences(view.rows, exports.by_python(view.again.code)) == []
    return view


TURNED = {"rule": "guaranteed", "hard": "true", "budget": "50", "task": "prune", "pin": [PIN, "FBI"]}


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("budget", {}),
        ("budget", TURNED | {"bench": "patchwork-reuse", "grey": "false", "x": "gradients"}),
        pytest.param("budget", {"bench": "exports-part-sac", "task": "prune", "hard": "true"}, marks=pytest.mark.slow),
        ("leaderboard", TURNED | {"reveal": "labels"}),
        ("leaderboard", TURNED | {"view": "table", "reveal": "probits"}),
        pytest.param("leaderboard", {"view": "table", "bench": "exports-part-sac"}, marks=pytest.mark.slow),
        ("leaderboard", TURNED | {"view": "swap", "scheme": "SAC"}),
        ("compose", TURNED | {"budget": "130", "pick": "SAC"}),
        pytest.param("compose", {"pick": "AKH", "bench": "exports-part-sac"}, marks=pytest.mark.slow),
        ("benchmark", {"section": "bench", "budget": "50", "hard": "true"}),
        pytest.param("benchmark", {"section": "bench", "bench": "exports-part-sac"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_rates_are_given_again(recorded, shared, page, link):
    view = check(page, link)
    if link.get("rule"):
        assert f"--rule {link['rule']}" in view.again.command


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("budget", {"task": "transfer", "rule": "guaranteed", "pin": exports.PUBLISHED_PIN}),
        ("leaderboard", {"task": "prune", "budget": "20", "pin": exports.PUBLISHED_PIN}),
        ("leaderboard", {"view": "table", "budget": "20"}),
        ("leaderboard", {"view": "swap", "scheme": "AKH"}),
        ("compose", {"pick": "SAC", "budget": "20"}),
        ("benchmark", {"section": "overview"}),
        ("benchmark", {"section": "lineage"}),
        ("separability", {"of": "official", "rows": "tasks", "fpr": "0"}),
        ("separability", {"show": "bound", "task": "prune"}),
    ],
    ids=str,
)
@pytest.mark.slow
def test_what_was_published_is_read_again(shared, page, link):
    view = check(page, link | {"bench": "published-cifar10"})
    assert "figure" not in view.again.command


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("separability", {"of": "AKH", "budget": "50", "seed": "2", "rows": "tasks", "fpr": "10", "hard": "true"}),
        ("separability", {"of": "delta", "rows": "victims", "task": "prune", "bench": "exports-part-sac"}),
        ("separability", {"rows": "benchmarks"}),
        ("benchmark", {"section": "overview", "bench": "exports-part-sac"}),
        ("benchmark", {"section": "lineage", "bench": "exports-part-sac"}),
        ("benchmark", {"section": "effort", "budget": "50", "hard": "true", "task": "prune"}),
        ("benchmark", {"section": "images"}),
        pytest.param("paper", {"view": "claims"}, marks=pytest.mark.slow),
        ("paper", {"view": "agreement"}),
        ("paper", {"view": "table2"}),
        ("paper", {"view": "table3", "mode": "honest"}),
        ("queries", {"view": "telling", "victim": VICTIM}),
        ("budget", {"play": "true", "rule": "guaranteed", "by": "Random", "victim": VICTIM}),
    ],
    ids=str,
)
def test_tables_are_given_again(shared, page, link):
    check(page, link)


@pytest.mark.slow
def test_ticks_that_are_not_saved_are_taken_away_as_a_file(recorded, store):
    pairs = evidence.pairs("patchwork-sac")
    every = [*zip(pairs["victim"], pairs["suspect"], strict=True)]
    link = {"section": "bench", "out": exports.saved_benchmarks.token(every, every[1::9])}
    view = exports.taken("benchmark", link)
    view.unsaved.write(home_of("bench-patchwork-sac"))  # where the records are looked for; the command reads the file
    view.unsaved.write(store / "bench-patchwork-sac.json")
    assert exports.differences(view.rows, exports.by_command(view.again.command)) == []


def test_ticks_that_nothing_can_read_have_no_command(store, paper_folder):
    importer.import_scores(paper_folder / "sample_checkout", store)
    pairs = evidence.pairs("published-cifar10")
    every = [*zip(pairs["victim"], pairs["suspect"], strict=True)]
    link = {"section": "bench", "bench": "published-cifar10", "out": exports.saved_benchmarks.token(every, every[1::9])}
    view = exports.taken("benchmark", link)
    assert view.again[:2] == ("", "")
    assert view.again.note.startswith("Save these ticks first")


def test_a_view_without_rates_has_no_command(shared):
    view = exports.taken(
        "leaderboard", {"view": "swap", "bench": "published-cifar10", "reveal": "labels", "scheme": "nothing"}
    )
    assert view.again.command
    assert again.of_rates([]).note == "Nothing here has a rate, so there is nothing to compute again."


def test_what_is_recorded_is_chosen_by_name_or_text():
    asked = {"budgets": [20, 100], "task": "prune", "rule": "guaranteed"}
    by_name = evidence.select("patchwork-sac", ["AKH"], **asked)
    pd.testing.assert_frame_equal(by_name, evidence.select("patchwork-sac", ["negative(test) | labels | hamming"], **asked))
    assert by_name[["scheme", "benchmark", "task", "budget"]].to_numpy().tolist() == [
        ["AKH", "patchwork-sac", "prune", 20],
        ["AKH", "patchwork-sac", "prune", 100],
    ]
    assert (by_name["value"] == by_name["tpr_conformal"]).all()
    for wrong, says in (
        ({"task": "nap"}, "Unknown task"),
        ({"budgets": [15]}, "recorded budgets"),
        ({"rule": "x"}, "Unknown rule"),
    ):
        with pytest.raises(QurdError, match=says):
            evidence.select("patchwork-sac", ["AKH"], **wrong)
    with pytest.raises(QurdError, match="Did you mean 'AKH'"):
        evidence.select("patchwork-sac", ["AHK"])


def test_requests_are_split_by_query_seeds():
    rows = pd.DataFrame({"label": ["a", "b", "c", "d"], "budget": 10, "tpr": [0.5, 0.5, 0.5, None], "seeds": [5, 20, 5, 5]})
    found = again.rates("patchwork-sac", rows, ["d", "c", "b", "a"], task="same")
    assert [(one.labels, one.seeds, one.task) for one in found] == [(("c", "a"), 5, "same"), (("b",), 20, "same")]


@pytest.mark.slow
def test_models_that_are_asked_again_give_the_same(answered, monkeypatch):
    """On a part with few models: the recorded rates, and those of a run that some lineages calibrate."""
    monkeypatch.setenv("QURD_STORE", str(answered))
    pairs = evidence.pairs("patchwork-sac").query(f"victim == {VICTIM!r}")
    some = pd.concat([pairs[pairs["kind"] == kind].head(number) for kind, number in (("positive", 4), ("negative", 24))])
    BenchFile("patchwork-sac", frozenset(zip(some["victim"], some["suspect"], strict=True))).write(home_of("few"))
    link = {"bench": "few", "pick": "AKH", "budget": "10", "rule": "guaranteed"}
    check("compose", link)
    pool = tuple(cached.lineages("few")[:12])
    cached.jobs.clear()
    job = running.job_of("few", Scheme.parse("AKH"), pool)
    result = cached.jobs().result(job.key, "parquet")
    result.parent.mkdir(parents=True, exist_ok=True)
    rate_job.run(answered, result.with_suffix(""), lambda *_: None, **job.args)
    view = exports.taken("compose", link | {"pool": [*pool]})
    own = view.rows[view.rows["pool"] != ""]
    assert len(own) == 1
    assert exports.differences(own, exports.by_command(view.again.command.partition("\npython")[0])) == []
