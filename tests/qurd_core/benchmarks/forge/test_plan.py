"""Which models are forged: every sentence of the rule, on a plan that trains nobody."""

from collections import Counter
from functools import partial

import pytest
import torch

from qurd_core.access import Access
from qurd_core.benchmarks.base import register_benchmarks
from qurd_core.benchmarks.forge import sets
from qurd_core.benchmarks.forge.plan import OWN, innocents, planned, thieves
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES
from qurd_core.benchmarks.zoo.models import recipe
from qurd_core.benchmarks.zoo.supplies import World
from qurd_core.errors import QurdError
from qurd_core.lineage import Lineage, count_independent
from qurd_core.randomness import stream
from qurd_core.registry import origins, thefts
from qurd_core.types import Images

GIVEN = "train(resnet18,mine)"
CLASSES = 3

register_benchmarks()


class Lent:
    """The victim, as far as a plan needs it."""

    lineage = GIVEN


def some(n: int, name: str, side: int = 32) -> Images:
    pixels = torch.randint(256, (n, 3, side, side), generator=stream(0, "some", name), dtype=torch.uint8)
    return Images(pixels, torch.arange(n) % CLASSES)


def world_of(held: sets.Sets, home) -> World:
    sets.keep(held, home)
    made = partial(sets.images, home=home)
    return World(made, held.regions, dict.fromkeys(ARCHITECTURES, 12), 4e-3, 400, classes=CLASSES, given=Lent())


@pytest.fixture
def held() -> sets.Sets:
    return sets.divided(some(60, "train"), some(40, "test"), some(100, "theirs"))


def regions(models) -> list[str]:
    return [Lineage.parse(one.lineage).last.args[1] for one in models]


def test_half_of_the_unrelated_learn_from_all_pictures_and_a_quarter_each_from_a_quarter_and_a_tenth(held, tmp_path):
    found = list(innocents(held, world_of(held, tmp_path), 40, 4))
    unrelated = [one for one in found if one.role == "unrelated"]
    assert Counter(one.share for one in unrelated) == {"all of theirs": 20, "25 % of theirs": 10, "10 % of theirs": 10}
    assert Counter(one.images for one in unrelated if one.share.startswith("all")) == {100: 20}
    for share in {one.share for one in unrelated}:
        assert {one.architecture for one in unrelated if one.share == share} == {*ARCHITECTURES}
    assert all(one.by == "train" for one in found)  # from fresh weights
    assert count_independent(one.lineage for one in found) == 44  # each by a seed of its own: a lineage each
    few = {one.epochs for one in unrelated if one.share.startswith("10")}
    assert min(few) > max(one.epochs for one in unrelated if one.share.startswith("all"))  # so that few are fitted, too


def test_whoever_learns_from_the_victims_pictures_or_a_part_of_them_is_hard_whatever_it_is(held, tmp_path):
    found = list(innocents(held, world_of(held, tmp_path), 8, 5))
    hard = [one for one in found if one.role == "hard"]
    assert regions(hard) == ["train"] * 5
    assert {one.architecture for one in hard} == {*ARCHITECTURES}
    assert not {*regions(one for one in found if one.role == "unrelated")} & {"train"}
    only = sets.divided(some(60, "train"), None, None)
    found = list(innocents(only, world_of(only, tmp_path / "only"), 8, 2))
    assert {one.role for one in found} == {"hard"}
    assert {one.share for one in found} == {"all of train", "25 % of train", "10 % of train"}


def test_without_the_victims_pictures_none_is_hard(tmp_path):
    held = sets.divided(None, some(40, "test"), some(60, "theirs"))
    assert {one.role for one in innocents(held, world_of(held, tmp_path), 4, 4)} == {"unrelated"}


def test_every_theft_is_tried_three_times_and_answers_are_bought_for_three_budgets(held, tmp_path):
    found = list(thieves(GIVEN, held, world_of(held, tmp_path), "quick", Access.GRADIENTS))
    assert Counter((one.by, one.share) for one in found) == {
        **{(name, share): 3 for name in ("label_extraction", "probit_extraction")
           for share in ("all of theirs", "20 % of theirs", "5 % of theirs")},
        ("finetune", "all of theirs"): 3,
        ("prune(0.5)", "all of train"): 3,
        ("quantize(qint8)", ""): 1,
        ("quantize(int4)", ""): 1,
    }  # fmt: skip
    assert len({one.lineage for one in found}) == len(found)
    assert all(Lineage.parse(one.lineage).descends_from(Lineage.parse(GIVEN)) for one in found)
    assert {one.images for one in found if one.by == "label_extraction"} == {100, 20, 5}


def test_all_takes_every_registered_theft_that_the_sets_can_serve(held, tmp_path):
    def names(held, home):
        every = thieves(GIVEN, held, world_of(held, home), "all", Access.GRADIENTS)
        return {Lineage.parse(one.lineage).last.name for one in every}

    served = {name for name in thefts if "theirs" in getattr(thefts[name].parameters.get("region"), "choices", ("theirs",))}
    assert names(held, tmp_path) == served
    assert {*thefts} - served == {"knockoff"}  # which asks about pictures of another domain
    large = sets.divided(some(60, "train", 48), some(40, "test", 48), some(60, "theirs", 48))
    assert names(large, tmp_path / "large") == served - {"data_free"}  # whose generator makes 32 pixels


@pytest.mark.parametrize("access", [Access.LABELS, Access.PROBITS, Access.LOGITS])
def test_who_has_no_weights_is_copied_by_its_answers_as_far_as_it_gives_them(held, tmp_path, access):
    found = list(thieves(GIVEN, held, world_of(held, tmp_path), "all", access))
    assert found
    assert all(thefts[Lineage.parse(one.lineage).last.name].declares.access <= access for one in found)
    assert OWN not in {one.architecture for one in found}


def test_every_number_of_the_training_belongs_to_the_recipe(held, tmp_path):
    world = world_of(held, tmp_path)
    theft, first = f"{GIVEN}->finetune(region=theirs)", "train(vgg,theirs,seed=1)"
    others = [
        {"rate": 1e-3},
        {"epochs": {"vgg": 1}},
        {"told": {"VICTIM": "another"}},
        {"told": {"PICTURES": {"theirs": "x"}}},
    ]
    for name in (theft, first):
        known = {recipe(name, World(**{**vars(world), **change})) for change in [{}, *others]}
        assert len(known) == 5


def test_what_is_out_of_range_is_one_sentence(held, tmp_path):
    world, how = world_of(held, tmp_path), {"access": Access.GRADIENTS, "hard": 4, "which": "quick", "unrelated": 4}
    for change, said in (
        ({"unrelated": 401}, "0 to 400 models with --unrelated. Got 401"),
        ({"hard": -1}, "0 to 400 models with --hard. Got -1"),
        ({"which": "some"}, "Unknown choice of thieves 'some'. Known: all, quick"),
    ):
        with pytest.raises(QurdError, match=said):
            planned(GIVEN, held, world, **{**how, **change})
    assert "region" in origins["train"].parameters
