"""Who saw which pictures, and what models may be called by that."""

import pytest
import torch

from qurd_core.benchmarks.forge import sets
from qurd_core.errors import QurdError
from qurd_core.randomness import stream
from qurd_core.types import Images

CLASSES = 3


def some(n: int, name: str) -> Images:
    pixels = torch.randint(256, (n, 3, 16, 16), generator=stream(0, "some", name), dtype=torch.uint8)
    return Images(pixels, torch.arange(n) % CLASSES)


def both(one: Images, other: Images) -> Images:
    return Images(torch.cat([one.pixels, other.pixels]), torch.cat([one.truth, other.truth]))


def content(images: Images) -> set[bytes]:
    return {image.numpy().tobytes() for image in images.pixels}


def test_pictures_of_their_own_are_taken_whole_and_test_stays_for_queries():
    train, test, theirs = some(60, "train"), some(40, "test"), some(50, "theirs")
    found = sets.divided(train, test, theirs)
    assert (found.train, found.theirs.digest, found.test) == (train, theirs.digest, test)
    assert found.base == "theirs"
    assert not found.notes


def test_without_them_half_of_test_is_drawn_once_and_the_other_half_stays_for_queries():
    test = some(41, "test")
    found, again = (sets.divided(some(60, "train"), test, None) for _ in range(2))
    ours, left = content(found.theirs), content(found.test)
    assert not ours & left
    assert ours | left == content(test)
    assert abs(len(found.theirs) - len(found.test)) <= 1
    assert (found.theirs.digest, found.test.digest) == (again.theirs.digest, again.test.digest)
    assert not torch.equal(found.theirs.pixels, test.pixels[: len(found.theirs)])
    assert "21 of test, drawn once, are for the forged models; queries are drawn from the other 20." in found.notes[0]


def test_what_trained_the_victim_or_may_become_a_query_is_never_theirs():
    train, test, fresh = some(60, "train"), some(40, "test"), some(30, "theirs")
    seen = Images(train.pixels[:7], train.truth[:7])
    asked = Images(test.pixels[:4], test.truth[:4])
    found = sets.divided(train, test, both(both(fresh, seen), asked))
    assert content(found.theirs) == content(fresh)
    assert "7 of 41 pictures for the forged models trained the victim, too: they are left out." in found.notes
    assert "4 of 34 pictures for the forged models may become queries, too: they are left out." in found.notes


def test_where_all_pictures_trained_the_victim_forged_models_are_hard_and_that_is_said():
    train = some(60, "train")
    for test, others in ((None, None), (some(40, "test"), train)):
        found = sets.divided(train, test, others)
        assert found.base == "train"
        assert sets.ALL_TRAINED in found.notes
    assert sets.ALL_TRAINED.endswith("no level can be promised. Add pictures of the same classes.")


def test_without_the_victims_pictures_nothing_can_be_hard_and_that_is_said():
    found = sets.divided(None, some(40, "test"), some(30, "theirs"))
    assert found.notes == ("There are no pictures that trained the victim, so no hard unrelated model can be made.",)


def test_too_few_or_too_small_pictures_are_one_sentence():
    sets.check(sets.divided(None, None, some(30, "enough")), CLASSES)
    with pytest.raises(QurdError, match=r"at least 30 pictures to forge models with, ten per class.* Got 29"):
        sets.check(sets.divided(None, None, some(29, "few")), CLASSES)
    with pytest.raises(QurdError, match=r"pictures of all 3 classes .* 1 of the classes have none"):
        sets.check(sets.divided(None, None, Images(some(30, "two").pixels, torch.arange(30) % 2)), CLASSES)
    small = Images(some(30, "small").pixels[..., :8, :8], torch.arange(30) % CLASSES)
    with pytest.raises(QurdError, match=r"at least 16 x 16 pixels. Got 8 x 8"):
        sets.check(sets.divided(None, None, small), CLASSES)


@pytest.mark.parametrize(("part", "times"), list(sets.PARTS.items()))
def test_parts_show_all_classes_alike_and_share_nothing(part, times):
    truth = torch.tensor([0] * 200 + [1] * 40 + [2] * 120)
    rows = [sets.rows_of(f"{part}{number}", truth) for number in range(1, 5)]
    assert len(torch.cat(rows).unique()) == sum(map(len, rows))
    for some_rows in rows:
        assert (truth[some_rows].bincount(minlength=3) * times).tolist() == [200, 40, 120]


def test_what_a_thief_buys_answers_for_is_drawn_without_a_look_at_the_classes():
    truth = torch.arange(400) % CLASSES
    for share, size in (("fifth", 80), ("twentieth", 20)):
        rows = sets.rows_of(share, truth)
        assert len(rows.unique()) == size
        assert torch.equal(rows, sets.rows_of(share, torch.zeros(400, dtype=torch.long)))


def test_pictures_that_changed_since_are_refused(tmp_path):
    sets.keep(sets.divided(some(60, "train"), some(40, "test"), some(30, "theirs")), tmp_path)
    sets.keep(sets.divided(some(60, "train"), some(40, "test"), some(30, "theirs")), tmp_path)
    with pytest.raises(QurdError, match="Those of theirs are others now: name a new folder with --out"):
        sets.keep(sets.divided(some(60, "train"), some(40, "test"), some(30, "others")), tmp_path)
    with pytest.raises(QurdError, match="Those of train are others now"):
        sets.keep(sets.divided(None, some(40, "test"), some(30, "theirs")), tmp_path)
