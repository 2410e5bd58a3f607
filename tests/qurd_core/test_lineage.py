import pytest

from qurd_core.errors import QurdError
from qurd_core.lineage import Lineage, independent, joined, roots_in, text_of_roots

STEAL = Lineage.parse("train(vgg,victim)->label_extraction(res,seed=1)->prune(0.2)")


def test_a_lineage_prints_as_it_was_read():
    assert str(STEAL) == "train(vgg,victim)->label_extraction(res,seed=1)->prune(0.2)"
    assert Lineage.parse(str(STEAL)) == STEAL


def test_its_steps_are_found():
    assert str(STEAL.root) == "train(vgg,victim)"
    assert str(STEAL.parent) == "train(vgg,victim)->label_extraction(res,seed=1)"
    assert STEAL.last.name == "prune"
    assert STEAL.root.parent is None


def test_descent_is_by_steps_and_not_by_letters():
    assert STEAL.descends_from(STEAL.root)
    assert STEAL.descends_from(STEAL)
    assert not STEAL.root.descends_from(STEAL)
    assert not Lineage.parse("train(vgg,victim)->prune(0.25)").descends_from(Lineage.parse("train(vgg,victim)->prune(0.2)"))


def test_a_scheme_is_no_lineage():
    with pytest.raises(QurdError, match="without"):
        Lineage.parse("a | b")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("train(f,beta,epochs=2,lr=1)->finetune", "train(f,beta,lr=1,epochs=2)->finetune"),
        ("train(f,beta)->prune(1.0)", "train(f,beta)->prune(1)"),
        ('train("f",beta)', "train( f , beta )"),
        ('merge("train(f,lr=1,epochs=2)","train(g)")', 'merge("train(f, epochs=2.0, lr=1)","train(g)")'),
    ],
)
def test_equal_lineages_are_equal_after_parsing(one, other):
    first, second = Lineage.parse(one), Lineage.parse(other)
    assert first == second
    assert hash(first) == hash(second)
    assert first.descends_from(second)
    assert first.roots == second.roots
    assert text_of_roots(first.roots) == text_of_roots(second.roots)
    assert Lineage.parse(f"{one}->quantize").descends_from(second)


@pytest.mark.parametrize(("one", "other"), [("train(f,1)", "train(f,true)"), ("train(f,1)", 'train(f,"1")')])
def test_what_means_something_else_is_not_equal(one, other):
    assert Lineage.parse(one) != Lineage.parse(other)


BOTH = 'merge("train(vgg,mine)","train(res,theirs)->prune(0.5)")->finetune'


@pytest.mark.parametrize(
    "text",
    [
        BOTH,
        'train(vgg,mine)->merge("train(res,theirs)")',
        'merge("merge(\\"train(a,x)\\",\\"train(b,x)\\")->finetune","train(c,x)",alpha=0.5)',
        "merge(a,b)",
        'train(res,theirs)->finetune("train(vgg,mine)")',
    ],
)
def test_a_lineage_with_several_parents_prints_as_it_was_read(text):
    assert str(Lineage.parse(text)) == text
    assert Lineage.parse(Lineage.parse(text).canonical) == Lineage.parse(text)


def test_a_merged_model_is_kin_of_all_that_it_was_made_from():
    both = Lineage.parse(BOTH)
    assert [str(root) for root in both.roots] == ["train(res,theirs)", "train(vgg,mine)"]
    for ancestor in ("train(vgg,mine)", "train(res,theirs)", "train(res,theirs)->prune(0.5)", str(both.parent)):
        assert both.descends_from(Lineage.parse(ancestor))
    assert not both.descends_from(Lineage.parse("train(res,theirs)->prune(0.2)"))
    assert both.last.name == "finetune"
    with pytest.raises(QurdError, match="one first training"):
        _ = both.root
    later = Lineage.parse('train(vgg,mine)->merge("train(res,theirs)")')
    assert later.roots == both.roots
    deep = Lineage.parse('merge("merge(\\"train(a,x)\\",\\"train(b,x)\\")->finetune","train(c,x)")')
    assert [str(root) for root in deep.roots] == ["train(a,x)", "train(b,x)", "train(c,x)"]
    assert deep.descends_from(Lineage.parse("train(b,x)"))


def test_the_text_of_several_roots_is_taken_apart_again():
    roots = Lineage.parse('merge("train(vgg,\\"cats & dogs\\")","train(res,theirs)")').roots
    text = text_of_roots(roots)
    assert text == 'train(res,theirs) & train(vgg,"cats & dogs")'
    assert roots_in(text) == tuple(map(str, roots))
    assert roots_in("train(vgg,mine)") == ("train(vgg,mine)",)


def test_data_that_reads_as_a_step_is_no_parent():
    assert not Lineage.parse('train(vgg,"CIFAR-10 (clean)")').parents
    assert Lineage.parse('train("pretrain(vgg,imagenet)",mine)').parents


@pytest.mark.parametrize("text", ["train(x)->merge", "merge(a)", "merge(a,0.5)", 'merge("a b",c)', "train(x)->merge(how=a)"])
def test_a_merge_that_does_not_name_its_models_is_refused(text):
    with pytest.raises(QurdError, match=r"Expected (the )?models"):
        Lineage.parse(text)


def test_a_bare_word_is_a_name_and_no_training():
    assert not Lineage.parse("suspect-x").origin_is_known
    assert not Lineage.parse("suspect-x->prune(0.5)").origin_is_known
    assert not Lineage.parse('merge("train(vgg,mine)",suspect-x)').origin_is_known
    assert Lineage.parse(BOTH).origin_is_known
    assert Lineage.parse("pretrain(resnet50)").origin_is_known


def test_independent_lineages_are_first_trainings_and_what_a_merge_joins():
    assert independent(["train(a)", "train(b)", "train(a)", "pretrain(c)"]) == [0, 1, 0, 2]
    assert independent(["train(a)", "train(b)", text_of_roots([Lineage.parse("train(b)"), Lineage.parse("train(c)")])]) == [
        *(0, 1, 1)
    ]
    merged = text_of_roots([Lineage.parse("train(a)"), Lineage.parse("train(c)")])
    assert independent(["train(a)", "train(b)", "train(c)", merged]) == [0, 1, 0, 0]
    assert joined(["train(a)", "train(b)", "train(c)", merged]) == ["train(a)", "train(b)", "train(a)", "train(a)"]
    assert independent([]) == joined([]) == []
