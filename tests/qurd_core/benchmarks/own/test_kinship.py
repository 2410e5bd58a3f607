"""Who is made from whom: what lineages say, what they leave open, and what is refused."""

import pytest

from qurd_core.benchmarks.own.kinship import lineage_faults, pairs_by_lineage, questions, read_lineages
from qurd_core.benchmarks.own.roles import faults
from qurd_core.errors import QurdError

VICTIM, OTHER, STRANGER = "train(vgg,mine)", "train(res,theirs)", "train(dense,public)"


def kinds(*texts, **named):
    """(victim, suspect) to kind and tasks, of models named by their lineage or by keyword."""
    pairs = pairs_by_lineage(read_lineages(_named(texts, named)))
    return {(pair.victim, pair.suspect): (pair.kind, pair.tasks) for pair in pairs}


def _named(texts, named):
    return {text: text for text in texts} | named


def test_keywords_in_another_order_are_the_same_training():
    thieves = ["train(f,beta,lr=1,epochs=2)->finetune", "train(f,beta,epochs=2.0,lr=1)->prune(0.5)"]
    found = kinds("train(f,beta,epochs=2,lr=1)", *thieves, STRANGER)
    assert [found["train(f,beta,epochs=2,lr=1)", thief][0] for thief in thieves] == ["positive", "positive"]
    assert all(kind != "negative" for (_, suspect), (kind, _) in found.items() if suspect in thieves)


MERGED = [
    f'merge("{VICTIM}","{OTHER}")',
    f'merge("{VICTIM}->finetune","{OTHER}")->prune(0.5)',
    f'{VICTIM}->merge("{OTHER}")',
    "merge(a,b)",
    f"{VICTIM}->merge(b)",
    f'merge(a,"{OTHER}",alpha=0.3)->finetune',
    f'{OTHER}->finetune("{VICTIM}")',
]


@pytest.mark.parametrize("text", MERGED)
def test_a_merged_model_is_stolen_from_both_and_unrelated_to_a_third_only(text):
    others = {"a": VICTIM, "b": OTHER, "a2": f"{VICTIM}->quantize", "b2": f"{OTHER}->quantize"}
    third = {"c": STRANGER, "c2": f"{STRANGER}->quantize"}
    task = read_lineages(others | {"both": text})["both"].last.name
    found = kinds(**others, **third, both=text)
    assert found["a", "both"] == ("positive", (task,))
    assert found["b", "both"] == ("positive", (task,))
    assert found["c", "both"][0] == "negative"
    assert found["a", "b"][0] == "negative"


def test_a_merged_model_is_a_victim_whose_parents_stand_in_no_pair():
    text = f'merge("{VICTIM}","{OTHER}")'
    found = kinds(VICTIM, OTHER, STRANGER, text, f"{text}->finetune")
    assert found[text, f"{text}->finetune"] == ("positive", ("finetune",))
    assert found[text, STRANGER][0] == "negative"
    assert (text, VICTIM) not in found
    assert (text, OTHER) not in found


@pytest.mark.parametrize(
    ("lineage", "says"),
    [
        ("merge(a,bb)", r"Unknown model that it merges 'bb'. Did you mean 'b'\?"),
        ("merge(a,both)", "merged into itself"),
        ("average(a,b)", r"Write merge\(a,b\)"),
        ("train(x)->merge", "Expected the models that 'merge' merges"),
    ],
)
def test_parents_that_nobody_can_find_are_refused_by_name(lineage, says):
    texts = {"a": VICTIM, "b": OTHER, "both": lineage}
    with pytest.raises(QurdError, match=says):
        read_lineages(texts)
    (fault,) = lineage_faults(texts)
    assert "'both'" in fault


def test_a_merge_in_a_circle_is_refused():
    with pytest.raises(QurdError, match="merged into itself"):
        read_lineages({"a": "merge(b,c)", "b": "merge(a,c)", "c": VICTIM})


def test_a_name_of_a_model_in_another_step_is_asked_about():
    lineages = read_lineages({"forest": VICTIM, "tree": OTHER, "student": f"{VICTIM}->label_extraction(tree)"})
    (asked,) = questions(lineages, ["forest"], {*lineages})
    assert "'tree' in the lineage of 'student' is the name of a model, too, and counts as a word" in asked
    assert "merge(tree) as a step" in asked
    assert not list(questions(read_lineages({"mine": VICTIM, "copy": f"{VICTIM}->prune"}), ["mine"], {"copy"}))


def test_a_model_of_unknown_origin_sets_no_threshold_and_that_is_said():
    texts = [VICTIM, f"{VICTIM}->finetune", STRANGER, "suspect-x", "suspect-x->finetune"]
    found = kinds(*texts)
    assert {suspect for (_, suspect) in found} == {
        VICTIM,
        f"{VICTIM}->finetune",
        STRANGER,
        "suspect-x",
        "suspect-x->finetune",
    }
    assert (VICTIM, "suspect-x") not in found
    assert found["suspect-x", STRANGER][0] == "negative"
    (asked,) = questions(read_lineages(_named(texts, {})), [VICTIM], {STRANGER})
    assert "Of unknown origin: 'suspect-x' and 1 more, whose lineage names no training." in asked
    assert "sets no threshold" in asked


def test_where_every_other_model_is_of_unknown_origin_the_victim_is_refused():
    texts = ["mine", "mine->prune", *(f"other{n}" for n in range(3))]
    (fault,) = faults(read_lineages(_named(texts, {})), {})
    assert "'mine' has no unrelated model. Of unknown origin: 'other0' and 2 more" in fault
    assert "as in train(resnet,theirs)" in fault
