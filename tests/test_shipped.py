"""What we ship is true: the commands of the README and of the documentation work, and the records follow from the weights.
Asks all models once.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import qurd_core as q
from qurd_core.cli.new import KINDS
from qurd_core.evaluation.workbench import workbench
from qurd_core.records import rate_records
from qurd_core.schemes import Scheme
from qurd_core.types import concatenate
from tests.benchmarks import near_duplicates

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
CELLS = [  # benchmark, scheme, task, budget, negatives
    ("patchwork-sac", "negative(test) | labels | hamming", "label_extraction", 100, "unrelated"),
    ("patchwork-sac", "uniform(test) | probits | jensen_shannon", "all", 50, "unrelated+hard"),
    ("patchwork-sac", "negative(test) | rank | mutual_information", "finetune", 200, "unrelated"),
    ("patchwork-sac", "uniform(train)->pgd | pairwise(of=logits) | cosine", "prune", 50, "unrelated"),
    ("patchwork-reuse", "negative(test) | labels | hamming", "prune", 100, "unrelated+hard"),
]


def run(folder, command, at=ROOT, *, also=ROOT):
    """With the modules of this checkout, and of one more folder."""
    surroundings = os.environ | {"QURD_STORE": str(folder), "PYTHONPATH": os.pathsep.join([str(also), str(ROOT)])}
    return subprocess.run([sys.executable, *command], cwd=at, env=surroundings, capture_output=True, text=True, check=False)


def to_run(path):
    """The blocks of `bash` and `python` of a page, in its order; the README's Python is files, which `test_readme` runs."""
    for language, block in re.findall(
        r"^ *```(bash|python)\n(.*?)^ *```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
    ):
        if language == "bash":
            yield from (["-m", "qurd_core", *shlex.split(line)[1:]] for line in block.splitlines())
        elif path.parent != ROOT:
            yield ["-c", block]


TO_RUN = {path.stem: found for path in (ROOT / "README.md", *ROOT.glob("assets/docs/*.md")) if (found := [*to_run(path)])}


def test_there_are_commands_to_run():
    assert {"README", "commands", "python", "answer-table", "obfuscations", "suspects", "forge"} == {*TO_RUN}


@pytest.mark.parametrize("page", TO_RUN)
def test_what_a_page_runs_works(answered, tmp_path, page):
    """In one folder, because a later command may read what an earlier one has written."""
    for command in TO_RUN[page]:
        ended = run(answered, command, tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert any(word in ended.stdout for word in ("AKH", "victim", "obfuscation"))


def test_the_parts_that_the_readme_adds_keep_to_the_contracts_and_run(answered, tmp_path):
    """As the parts of another package, so that this checkout stays as it is."""
    section = (ROOT / "README.md").read_text("utf-8").partition("## Add a part of your own")[2].partition("\n## ")[0]
    asked = re.findall(r"^qurd new (\S+) (\w+)$", section, re.MULTILINE)
    files = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    about = tmp_path / "own-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[qurd.components]\n" + "".join(f"{name} = {name}\n" for _, name in asked))
    assert len(asked) == 3
    for (kind, name), text in zip(asked, files, strict=True):
        assert f"`qurd_core/{KINDS[kind]}/{name}.py`" in section
        (tmp_path / f"{name}.py").write_text(text)
    (test,) = re.findall(r"^python (-m pytest .*)$", section, re.MULTILINE)
    (measure,) = re.findall(r"^qurd (run .*)$", section, re.MULTILINE)
    ended = run(answered, [*shlex.split(test), "-vv"], also=tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert all(name in ended.stdout for _, name in asked)
    ended = run(answered, ["-m", "qurd_core", *shlex.split(measure)], also=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "total_variation" in ended.stdout


@pytest.mark.parametrize(("benchmark", "scheme", "task", "budget", "negatives"), CELLS)
def test_a_shipped_record_follows_from_the_weights(answered, benchmark, scheme, task, budget, negatives):
    shipped = rate_records.read(benchmark, task=task, negatives=negatives)
    (row,) = shipped[(shipped["scheme"] == scheme) & (shipped["budget"] == budget)].to_dict("records")
    table = q.evaluate(
        *(benchmark, [scheme]),
        budgets=[budget],
        seeds=row["seeds"],
        negatives=negatives,
        by_task=True,
        store=q.Store(answered),
    )
    (again,) = table[table["task"] == task].to_dict("records")
    for name in ("tpr", "tpr_conformal", "sd", "auc", "used", "distinct", "samples"):
        assert again[name] == pytest.approx(row[name], abs=1e-4, nan_ok=True), name
    for name in ("n_negatives", "n_lineages", "n_victims", "seeds"):
        assert again[name] == row[name]


@pytest.mark.parametrize("scheme", ["AKH", "Random", "IPGuard"])
def test_distances_on_clothes_follow_from_the_weights(answered, scheme):
    """Counted here from what models say to the queries, of a victim of each network: cells follow from the distances."""
    bench, parsed = q.benchmark("fashion-sac"), Scheme.parse(scheme)
    desk = workbench(bench, q.Store(answered), q.Runtime())
    shipped = rate_records.scores("fashion-sac").set_index(["scheme", "victim", "query_seed", "budget", "suspect"])["value"]
    for victim in bench.victims[::3]:
        x = concatenate(list(desk.queries(victim, parsed, 0, 100))).take(100).x
        served = [pair.suspect for pair in bench.pairs_of(victim) if "label_extraction" in pair.tasks]
        labels = {model: desk.oracle(model).labels(x) for model in (victim, *served)}
        found = {model: float((labels[model] != labels[victim]).double().mean()) for model in served}
        assert len(found) == 4 + 60 + 11
        kept = shipped.loc[str(parsed), victim, 0, 100]
        assert found == pytest.approx({model: kept[model] for model in served}, abs=1e-6)


def test_test_patches_that_nearly_occur_among_training_patches_change_no_conclusion():
    """211 of 4,000, of which 166 show black space beside the rocket: they stay in the seed set."""
    near = near_duplicates.near_duplicates().numpy()
    assert near.sum() == 211
    for benchmark in near_duplicates.OF_PATCHES:
        for negatives in ("unrelated", "unrelated+hard"):
            both = near_duplicates.rates(benchmark, near, negatives)
            for rule, most in (("tpr", 0.03 if negatives == "unrelated" else 0.05), ("tpr_conformal", 0.0501)):
                found = both[rule]
                moved = abs(found["all"] - found["without"])
                assert moved.max() <= most, (benchmark, negatives, rule)
                assert moved.xs("all", level="task").max() <= 0.01, (benchmark, negatives, rule)
            for kept in ("all", "without"):
                rates = both["tpr"][kept].unstack("scheme")
                assert (rates["AKH"] >= rates["Random"] - 0.02).all()
                assert rates.loc["all", "AKH"] > rates.loc["all", "Random"] + 0.15


def test_pairs_tell_how_far_models_are_apart(answered):
    ended = run(answered, ["-m", "qurd_core", "pairs", "-b", "patchwork-sac", "--json"])
    found = json.loads(ended.stdout)
    assert set(found[0]) == {
        *("victim", "suspect", "kind", "tasks", "accuracy_victim", "accuracy_suspect"),
        *("delta", "delta_c", "bound", "slack"),
    }
    shipped = rate_records.pairs("patchwork-sac").drop(columns="root").to_dict("records")
    assert [row["suspect"] for row in shipped] == [row["suspect"] for row in found]
    for row, kept in zip(found, shipped, strict=True):
        assert row["delta_c"] == pytest.approx(kept["delta_c"], abs=1e-3)
        assert (row["kind"], row["tasks"]) == (kept["kind"], kept["tasks"])
    for row in found:
        assert row["delta_c"] - row["bound"] == pytest.approx(row["slack"], abs=1e-9)
        assert row["delta_c"] >= row["bound"]
        assert (row["delta"] == 0) == (row["victim"] == row["suspect"])
    assert {row["kind"] for row in found} == {"positive", "negative", "hard"}
