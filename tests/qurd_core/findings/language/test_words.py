"""Numbers and findings in words, and where labels go."""

import ast
import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qurd_core import findings
from qurd_core.files import ROOT
from qurd_core.findings.language import again, obfuscation_names, words
from qurd_core.findings.language.model_names import folded, readable
from qurd_core.findings.language.words import Measured
from qurd_core.plots.drawing.labels import spread
from qurd_core.records import evidence, rate_records
from qurd_core.registry import obfuscations


@pytest.mark.parametrize(
    ("at", "gain", "caught", "said"),
    [
        (100, 0.014, 0.5, "After 100 queries, published schemes gain only 1 more point (median)"),
        (50, 0.123, 0.5, "After 50 queries, published schemes gain 12 more points (median)"),
        (50, -0.031, 0.5, "After 50 queries, published schemes lose 3 points (median)"),
        (200, 0.004, 0.5, "After 200 queries, published schemes gain no more (median)"),
        (400, 0.0, 0.68, "With 400 queries, published schemes catch 68% of stolen models (median)"),
        (100, None, 0.68, "With 100 queries, published schemes catch 68% of stolen models (median)"),
        (10, None, None, "No published scheme has a value at 10 queries"),
    ],
)
def test_the_headline_is_what_the_numbers_say(at, gain, caught, said):
    assert words.headline(at, 400, gain, caught) == said


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (Measured(0.80, 0.02, 5), Measured(0.70, 0.02, 5), "ahead"),
        (Measured(0.70, 0.02, 5), Measured(0.80, 0.02, 5), "behind"),
        (Measured(0.72, 0.02, 5), Measured(0.70, 0.02, 5), "not distinguished"),
        (Measured(1.00, 0.00, 5), Measured(1.00, 0.00, 5), "not distinguished"),
        (Measured(0.90, math.nan, 1), Measured(0.20, 0.02, 5), "not distinguished"),
    ],
)
def test_a_gap_counts_only_beyond_two_standard_errors(one, other, said):
    assert words.verdict(one, other) == said


def test_who_beats_the_reference_in_one_sentence():
    verdicts = [("SAC", "beats"), ("FBI", "trails"), ("Random", "trails"), ("IPGuard", "not distinguished")]
    verdicts += [("ModelDiff", "behind"), ("ZestOfLIME", "on par"), ("AKH", None)]
    rows = pd.DataFrame(verdicts, columns=["label", "verdict"])
    assert findings.budget.against(rows, 100) == (
        "At 100 queries SAC beats AKH; ZestOfLIME is on par with AKH; ModelDiff is behind AKH; FBI and Random trail AKH; "
        "IPGuard does not differ significantly from AKH."
    )
    assert findings.budget.against(rows[1:2], 100) == "At 100 queries FBI trails AKH."
    assert findings.budget.against(rows[:0], 100) == ""


@pytest.mark.parametrize("benchmark", rate_records.SHIPPED)
def test_every_shipped_task_has_words_and_no_two_the_same(benchmark):
    tasks = rate_records.tasks(benchmark)
    said = [words.task(name) for name in tasks]
    assert len(set(said)) == len(tasks) == len(words.TASKS.keys() & set(tasks))
    assert not [text for text in said if "_" in text]
    assert words.task("a task of one's own") == "a task of one's own"


def test_sentences_say_tasks_in_words():
    assert words.retold("worst on adv_label_extraction, labelood 3 %") == (
        "worst on adversarial label extraction, label extraction, other photographs 3 %"
    )
    assert words.retold("on the same data sets, all of them") == "on the same data sets, all of them"
    assert (words.on_task("all"), words.on_task("prune")) == ("", " (pruning)")


def test_numbers():
    assert words.percent(0.742) == "74%"
    assert words.precise(0.7421, 0.008) == "74.2 ± 0.8 %"
    assert words.precise(0.7421) == "74.2 %"
    assert words.points(0.036) == "+3.6 points"
    assert words.points(-0.036) == "−3.6 points"
    assert words.points(-0.0001) == "0.0 points"
    assert [words.counted(n, "query") for n in (1, 2)] == ["1 query", "2 queries"]
    assert words.counted(343, "other combination") == "343 other combinations"


@pytest.mark.parametrize(
    ("negatives", "kind", "task", "said"),
    [
        (60, "paper", "all", "60 unrelated models, 60 lineages: threshold set at 5 % per task"),
        (40, "paper", "prune", "40 unrelated models, 40 lineages: 5 % = 2 models"),
        (20, "paper", "prune", "20 unrelated models, 20 lineages: 5 % = 1 model"),
        (12, "paper", "prune", "12 unrelated models, 12 lineages: 5 % = less than 1 model"),
        (40, "conformal", "all", "40 unrelated models, 40 lineages: the guaranteed rule allows 1 model below the threshold"),
        (20, "conformal", "all", "20 unrelated models, 20 lineages: the guaranteed rule allows none below the threshold"),
        (12, "conformal", "all", "12 unrelated models, 12 lineages: too few for the guaranteed rule"),
    ],
)
def test_what_five_percent_means(negatives, kind, task, said):
    assert words.false_alarms(negatives, negatives, kind, task) == said


def test_what_computes_a_view_again():
    asked = again.Rates("patchwork-sac", ("AKH", 'a(x="b c") | labels | hamming'), (10, 400), 5, "same", "unrelated+hard")
    assert asked.command.replace(" \\\n ", "") == (
        "python -m qurd_core run --benchmark patchwork-sac --scheme AKH --scheme 'a(x=\"b c\") | labels | hamming' "
        "--budget 10,400 --seeds 5 --task same --negatives unrelated+hard --rule paper"
    )
    assert asked.call == (
        'q.evaluate("patchwork-sac", ["AKH", "a(x=\\"b c\\") | labels | hamming"], budgets=[10, 400], seeds=5, '
        'tasks=["same"], negatives="unrelated+hard", rule="paper")'
    )


def test_what_was_published_is_read_and_not_computed_again():
    asked = again.Rates("published-sdog120", ("AKH",), (100,), 5, "prune", rule="guaranteed")
    assert asked.command.replace(" \\\n ", "") == (
        "python -m qurd_core paper rates --benchmark published-sdog120 --scheme AKH --budget 100 --task prune "
        "--rule guaranteed"
    )
    assert asked.call == ('evidence.select("published-sdog120", ["AKH"], budgets=[100], task="prune", rule="guaranteed")')


def test_labels_that_fit_stay_where_they_are():
    assert spread([0.9, 0.1, 0.5], [0.1, 0.1, 0.1], 0, 1) == pytest.approx([0.9, 0.1, 0.5])
    assert spread([], [], 0, 1) == []


def test_labels_at_one_place_spread_around_it():
    assert spread([0.5, 0.5, 0.5], [0.1, 0.1, 0.1], 0, 1) == pytest.approx([0.4, 0.5, 0.6])


@pytest.mark.parametrize("seed", range(30))
def test_labels_never_overlap_nor_leave_the_axis(seed):
    rng = np.random.default_rng(seed)
    number = int(rng.integers(1, 12))
    wanted, sizes = rng.beta(0.4, 0.4, number), rng.uniform(0.02, 0.08, number)
    placed = np.array(spread(wanted, sizes, 0, 1))
    order = np.argsort(placed)
    assert (np.diff(wanted[order]) >= 0).all()
    assert (np.diff(placed[order]) >= (sizes[order][:-1] + sizes[order][1:]) / 2 - 1e-9).all()
    assert (placed - sizes / 2).min() >= -1e-9
    assert (placed + sizes / 2).max() <= 1 + 1e-9


def test_too_many_labels_share_the_room_evenly():
    placed = sorted(spread([0.5] * 20, [0.1] * 20, 0, 1))
    assert np.diff(placed) == pytest.approx(np.full(19, 0.05))
    assert (placed[0], placed[-1]) == pytest.approx((0.025, 0.975))


@pytest.mark.parametrize("benchmark", rate_records.SHIPPED)
def test_no_two_models_of_a_benchmark_share_a_readable_name(benchmark):
    pairs = evidence.pairs(benchmark)
    lineages = {*pairs["victim"], *pairs["suspect"]}
    said = {readable(lineage) for lineage in lineages}
    assert len(said) == len(lineages)
    assert not [name for name in said if "(" in name or "_" in name or "->" in name]


@pytest.mark.parametrize(
    ("lineage", "said"),
    [
        ("train(vgg,victim)", "VGG victim"),
        ("train(vgg,victim)->finetune(seed=2)", "VGG victim · fine-tuned, run 3"),
        ("train(res,victim,seed=1)", "ResNet on the victim's data, run 2"),
        ("train(res,attacker)", "ResNet on other images"),
        ("train(mb,public)->transfer(victim,ratio=0.1)->prune(0.2)", "MobileNet victim, 10 % retrained · 20 % pruned"),
        (
            "train(vgg,victim)->label_extraction(mb,region=mono)",
            "VGG victim · label extraction by MobileNet, other photographs",
        ),
        ("vgg_model->adv_label_extraction(vgg13, 0)", "VGG victim · adversarial label extraction by VGG13, run 1"),
        ("resnet18_cifar10C(5)", "ResNet18 on CIFAR10-C, run 6"),
        (
            "pretrain(mbnetv2,imagenet-1k)->transfer(Flower102,1.0)->distill()",
            "MobileNetV2 victim, all retrained · probit extraction",
        ),
    ],
)
def test_a_lineage_reads_like_a_name(lineage, said):
    assert readable(lineage) == said
    assert " · ".join(folded(lineage)) == said


@pytest.mark.parametrize(
    "name",
    [
        *("my-model", "no lineage ((", "train(f,beta)->finetune", "train(x)->merge(b)", "train(vgg,victim,seed=1,lr=2)"),
        *("train(vgg,victim)->finetune(region=victim)", "train(vgg,victim)->prune(0.2,seed=1)", "train(vgg,victim)->sell"),
    ],
)
def test_a_model_of_ones_own_keeps_its_own_name(name):
    assert readable(name) == name
    assert "->".join(folded(name)) == name


def test_names_with_commas_stay_apart():
    assert words.listed(["A", "B", "C"]) == "A, B and C"
    assert words.listed(["A", "B, b"]) == "A; B, b"
    assert words.tasks(["prune", "labelood"]) == "pruning; label extraction, other photographs"
    assert words.tasks(["prune", "same"]) == "pruning, exact copy"


@pytest.mark.parametrize(
    ("sampler", "said"),
    [
        ("negative(test)", "negative test images"),
        ("uniform(train)->pgd(eps=0.01)", "uniform training images and pgd(eps=0.01)"),
        ("noise", "noise images"),
    ],
)
def test_samplers_in_words(sampler, said):
    assert words.sampler(sampler) == said


def test_a_gap_says_on_which_side_of_the_reference_it_lies():
    assert words.apart(-0.673, "AKH") == "67.3 points below AKH"
    assert words.apart(0.032, "AKH") == "3.2 points above AKH"
    assert words.apart(0.0001, "AKH") == "level with AKH"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (0.89, 0.31, "With hard unrelated models, AKH drops from 89% to 31% on b at 100 queries"),
        (0.89, 0.85, ""),
        (math.nan, 0.31, ""),
        (0.89, math.nan, ""),
    ],
)
def test_the_headline_turns_where_hard_unrelated_models_turn_the_finding(before, after, said):
    assert words.turned("AKH", before, after, "on b at 100 queries") == said


# What the wording table has another word for.
FORBIDDEN = re.compile(
    r"\b(empirical|official|conformal|pac|honest|mix|mixes|innocents?|strangers?|look-?alikes?|bench|benches|accus\w+)\b",
    re.IGNORECASE,
)
# Names that links, files and columns have, as whole texts.
TOKENS = {"bench", "bench-", "benches", "innocent", "official", "honest", "conformal", "mixes", "--honest"}
# Code and markup inside other texts: snippets to copy, classes of style sheets, the value of an option that commands know.
CODE = re.compile(
    r"class='mix'|\.mix\b|bench(?:, victim)? = |\bbench\.\w+|\(bench\)|^\s+bench,$|table\[\"official\"\]|= official\(|"
    r"import official|honest: with|official \(the authors|`run --honest`|--official",
    re.MULTILINE,
)
SPEAKING = (*ROOT.glob("pages/**/*.py"), *ROOT.glob("qurd_core/findings/**/*.py"), *ROOT.glob("qurd_core/plots/**/*.py"))
SPEAKING += (*ROOT.glob("qurd_core/views/*.py"), ROOT / "qurd_core/benchmarks/saved_benchmarks.py")
SPEAKING += (*ROOT.glob("qurd_core/cli/*.py"), ROOT / "qurd_core/schemes.py", *ROOT.glob("assets/stories/*.json"))


def said_in(path: Path) -> list[str]:
    """What a file can put on screen: its texts without docstrings, but with those of commands, which are their help."""
    if path.suffix == ".json":
        file = json.loads(path.read_text("utf-8"))
        return [file["title"], *(step["say"] for step in file["steps"])]
    tree = ast.parse(path.read_text("utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    silent |= {id(value) for call in calls if call.func.id == "takes" for value in call.args}  # names of columns
    if path.parent.name == "cli":
        commands = (node for node in tree.body if isinstance(node, ast.FunctionDef) and ast.get_docstring(node))
        silent -= {id(node.body[0].value) for node in commands}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [node.value for node in texts if id(node) not in silent]


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_on_screen_has_a_word_that_the_wording_table_replaces(path):
    spoken = [CODE.sub("", text) for text in said_in(path) if text not in TOKENS]
    assert not [text for text in spoken if FORBIDDEN.search(text)]


@pytest.mark.parametrize("text", ["Other mixes", "Save this bench", "an innocent model", "It accuses 5", "δ_C (official)"])
def test_words_that_the_wording_table_replaces_are_found(text):
    assert FORBIDDEN.search(CODE.sub("", text))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (0.89, 0.84, "Behind JPEG (quality 60), AKH drops from 89% to 84% here"),
        (0.84, 0.89, "Behind JPEG (quality 60), AKH rises from 84% to 89% here"),
        (0.891, 0.889, "Behind JPEG (quality 60), AKH stays at 89% here"),
        (math.nan, 0.84, "Behind JPEG (quality 60), AKH catches 84% here"),
        (0.89, math.nan, "Behind JPEG (quality 60), AKH has no value here"),
    ],
)
def test_what_becomes_of_a_scheme_behind_an_obfuscation(before, after, said):
    assert words.moved("AKH", before, after, "jpeg", "here", pool=False) == said
    both = words.moved("AKH", before, after, "jpeg", "here", pool=True)
    assert both == said.replace("Behind", "With every suspect behind")


def test_the_worst_known_names_the_highest_and_what_hurts_another_most():
    best = ("SAC", 0.7, "jpeg(quality=30)")
    said = words.at_worst(best, "AKH", 0.9, 0.6, "topk(k=1)", "here")
    start = "Behind the worst known for each scheme, SAC stays highest: 70% behind JPEG (quality 30) here"
    assert said == f"{start}; top-1 probits hurts AKH most (90% to 60%)"
    assert words.at_worst(best, "AKH", 0.9, math.nan, "", "here").endswith("(quality 30) here")
    assert words.at_worst(best, "SAC", 0.9, 0.7, "jpeg", "here").endswith("(quality 30) here")


def test_every_obfuscation_of_this_program_has_words():
    for name in obfuscations:
        if obfuscations[name].function.__module__.startswith("qurd_core."):
            assert obfuscation_names.said(name) != name
            assert "{" not in obfuscation_names.said(name)
    assert obfuscation_names.said("nothing(like=this)") == "nothing(like=this)"
    assert obfuscation_names.said("a -> | b") == "a -> | b"


def test_an_answer_that_is_too_little_is_said_the_same_everywhere():
    assert words.needs("logits", "topk") == "needs logits; the suspect reveals top-k labels"
    assert words.hidden("logits", "argmax", "labels") == "needs logits; behind label only the suspect reveals labels"
    assert (words.left(3, 3, "labels"), words.left(2, 3, "labels")) == ("", "2 of 3 combinations need no more than labels")
    assert (words.revealing("logits"), words.revealing("labels")) == ("", " where the suspect reveals labels")
