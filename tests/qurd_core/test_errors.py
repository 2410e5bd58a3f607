import pytest

from qurd_core.errors import QurdError, doing, unknown


def test_an_unknown_name_suggests_the_nearest():
    assert str(unknown("craft", "pdg", ["pgd", "cutmix"])) == "Unknown craft 'pdg'. Did you mean 'pgd'? Known: cutmix, pgd."


def test_a_name_like_no_other_suggests_nothing():
    assert str(unknown("craft", "xyz", ["pgd"])) == "Unknown craft 'xyz'. Known: pgd."
    assert str(unknown("craft", "xyz", [])) == "Unknown craft 'xyz'. Known: none."


def test_many_or_long_names_are_cut():
    said = str(unknown("model", "x" * 5000, [f"train(resnet18,somewhere,seed={n:03})" for n in range(300)]))
    assert len(said) < 800
    assert "and 284 more." in said


def test_steps_are_added_from_the_inside_out():
    with (
        pytest.raises(QurdError, match=r"^No\. \(While drawing\.\) \(While scoring\.\)$"),
        doing("scoring"),
        doing("drawing"),
    ):
        raise QurdError("No.")


def test_other_errors_pass_unchanged():
    with pytest.raises(KeyError, match="x"), doing("scoring"):
        raise KeyError("x")


def test_what_nobody_sees_is_written_out():
    assert str(QurdError("a\u200bb\x00c\ud800d\ne\u202ef é 漢 5\u00a0%")) == (r"a\u200bb\x00c\ud800d\ne\u202ef é 漢 5\xa0%")
    assert str(QurdError(str(QurdError("a\u200b")))) == r"a\u200b"
