import pytest

from qurd_core.errors import QurdError
from qurd_core.lineage import Lineage

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
