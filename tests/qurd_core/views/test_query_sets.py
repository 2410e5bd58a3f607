"""Cards and how they stand side by side, on small sets with known answers."""

import numpy as np
import pytest

from qurd_core.errors import QurdError
from qurd_core.records import evidence
from qurd_core.views import query_sets
from qurd_core.views.query_sets import FACTS, QuerySet, line_up, size_for, story_of


def make_set(
    sampler: str, group: list[int], victim: list[int], suspect: list[int], seed: list[int] | None = None
) -> QuerySet:
    n = len(group)
    pixels = np.zeros((n, 4, 4, 3), np.uint8)
    row = np.array(victim), np.array(suspect)
    places = np.tile([0, 1, 2, 30, 0], (n, 1))
    zeros = np.zeros(n, int)
    seeds = np.array(seed or group)
    return QuerySet(sampler, ("a", "b"), pixels / 255, pixels, np.array(group), seeds, zeros, places, *row, zeros, zeros)


def test_a_pair_is_one_card_about_its_second_image():
    facts = make_set("uniform(test)->pgd", [0, 0, 1, 1], [0, 1, 0, 0], [1, 1, 0, 1]).facts(3)
    assert list(facts.columns) == list(FACTS)
    assert facts["main"].tolist() == [1, 3]
    assert facts["agrees"].tolist() == [True, False]
    assert facts["agreeing"].tolist() == [0.5, 0.5]
    assert facts["kept"].tolist() == [True, False]  # a budget of 3 buys one pair
    assert facts["photograph"].tolist() == ["astronaut"] * 2


def test_natural_images_are_cards_of_their_own():
    facts = make_set("negative(test)", [0, 1, 2], [0, 1, 1], [0, 0, 1]).facts(2)
    assert facts["kept"].tolist() == [True, True, False]
    assert facts["agrees"].tolist() == [True, False, True]


def test_cards_of_one_seed_image_stand_side_by_side_and_gaps_are_seen():
    pgd = make_set("uniform(test)->pgd", [0, 0, 1, 1, 2, 2], [0] * 6, [0, 1, 0, 0, 0, 0])
    boundary = make_set("uniform(test)->boundary", [0, 2], [0, 0], [0, 0])
    assert line_up(pgd, boundary, 100) == [(0, 0), (1, -1), (2, 1)]
    assert line_up(pgd, boundary, 100, only_disagreeing=True) == [(0, 0)]


def test_sides_with_seed_images_of_their_own_are_filled_independently():
    pgd = make_set("uniform(test)->pgd", [0, 0, 1, 1], [0] * 4, [0, 1, 0, 0])
    wrong = make_set("negative(test)", [0, 1, 2], [0, 0, 0], [0, 1, 1], seed=[7, 8, 9])
    assert line_up(pgd, wrong, 100) == [(0, 0), (1, 1), (-1, 2)]
    assert line_up(pgd, wrong, 100, only_disagreeing=True) == [(0, 1), (-1, 2)]
    assert line_up(None, wrong, 100) == [(-1, 0), (-1, 1), (-1, 2)]
    assert line_up(None, None, 100) == []


def test_an_empty_set_has_no_cards():
    empty = make_set("negative(test)", [], [], [])
    assert empty.facts(10).empty
    assert line_up(empty, empty, 10) == []
    assert list(empty.export(10)["truth"]) == []


def test_classes_are_named_in_the_export():
    table = make_set("negative(test)", [0], [1], [0]).export(10)
    assert table.loc[0, ["truth", "victim", "suspect", "sampler"]].tolist() == ["a", "b", "a", "negative(test)"]


@pytest.mark.parametrize(
    ("sampler", "story"),
    [
        ("negative(test)", "mistakes"),
        ("uniform(train)", "images"),
        ("noise", "noise"),
        ("negative(test)->pgd(eps=0.1)", "adversarial"),
        ("noise->boundary", "adversarial"),
        ("negative(train)->cutmix", "blended"),
        ("uniform(test)->superpixels", "masked"),
        ("noise->hinges", "hinge"),
        ("uniform(train)->paths", "images"),
        ("uniform(test)->mirror", "images"),
    ],
)
def test_what_is_asked_follows_from_the_sampler(sampler, story):
    assert story_of(sampler) == story


def test_the_smaller_set_serves_small_budgets():
    assert [size_for(budget) for budget in (10, 100, 110, 400)] == [100, 100, 400, 400]


def test_the_bank_gives_the_images_that_the_models_were_asked():
    from qurd_core.benchmarks.patchwork.patches import patches

    bank = evidence.bank("patchwork-sac")
    victim, suspect = bank.victims[0], bank.models[5]
    found = query_sets.from_bank(bank, "negative(test)", victim, suspect, 2, 20)
    assert len(found) == 20
    assert (found.seed_pixels == patches("test").pixels[found.seed].permute(0, 2, 3, 1).numpy()).all()
    assert (found.victim != found.truth).all()
    assert found.suspect.tolist() == bank.of(suspect)[found.seed].tolist()


def test_a_damaged_file_gives_one_sentence(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"rubbish")
    with pytest.raises(QurdError, match="Try again"):
        query_sets.read(path, "noise", ("a",))
