"""Telling images, on tables with known answers."""

import itertools

import numpy as np
import pandas as pd
import pytest

from qurd_core.records.bank import Bank
from qurd_core.views.telling import COLUMNS, PER_CLASS, halves, telling

VICTIM = "v"
THIEVES = [f"v->{step}{n}" for step in "ab" for n in range(3)]
STRANGERS = [f"u{n}" for n in range(4)]
TRUTH = [0, 0, 1, 1, 2]
OWN = [0, 1, 2, 1, 0]  # wrong on 1, 2 and 4


def make_bank(labels: dict[str, list[int]]) -> Bank:
    named = {VICTIM: OWN, **labels}
    places = np.zeros((len(TRUTH), 5), int)
    rows = np.array(list(named.values()), np.uint8)
    return Bank(tuple(named), (VICTIM,), ("a", "b", "c"), rows, np.array(TRUTH, np.uint8), places, {}, {})


@pytest.fixture
def pairs() -> pd.DataFrame:
    rows = [(VICTIM, "positive", ["same"], VICTIM)]
    rows += [(name, "positive", [name[3]], VICTIM) for name in THIEVES]
    rows += [(name, "negative", ["a", "b"], f"root{name}") for name in STRANGERS]
    rows += [("hard", "hard", ["a"], "hard")]
    return pd.DataFrame(rows, columns=["suspect", "kind", "tasks", "root"]).assign(victim=VICTIM)


def test_each_task_and_each_kind_is_halved_and_nobody_is_in_both(pairs):
    groups = halves(pairs, VICTIM)
    assert {name: len(models) for name, models in groups.items()} == {
        "stolen_chosen": 3,
        "unrelated_chosen": 2,
        "stolen_reported": 3,
        "unrelated_reported": 2,
    }
    assert sorted(itertools.chain(*groups.values())) == sorted([*THIEVES, *STRANGERS])
    for half in ("chosen", "reported"):
        assert {name[3] for name in groups[f"stolen_{half}"]} == {"a", "b"}


def test_models_of_one_lineage_are_never_parted(pairs):
    pairs.loc[pairs["suspect"].isin(["u0", "u3"]), "root"] = "one"
    groups = halves(pairs, VICTIM)
    assert any({"u0", "u3"} <= set(groups[f"unrelated_{half}"]) for half in ("chosen", "reported"))


def test_halves_do_not_depend_on_the_order_of_the_table(pairs):
    assert halves(pairs.iloc[::-1], VICTIM) == halves(pairs, VICTIM)


def test_the_shares_are_those_of_the_same_wrong_answer(pairs):
    # Image 2 is repeated by all thieves and no stranger, image 1 by everyone, image 4 by nobody (wrong in another way).
    right = {name: [0, 1, 2, 1, 1] for name in THIEVES} | {name: [0, 1, 1, 1, 1] for name in STRANGERS}
    table, counts = telling(make_bank(right), pairs, VICTIM)
    assert list(table.columns) == list(COLUMNS)
    assert table["image"].tolist() == [2, 1, 4]
    assert table.loc[0, ["stolen_chosen", "stolen_reported", "unrelated_chosen", "unrelated_reported"]].tolist() == [
        1,
        1,
        0,
        0,
    ]
    assert table.loc[1, ["stolen_reported", "unrelated_reported"]].tolist() == [1, 1]
    assert table.loc[2, "stolen_reported"] == 0
    assert counts["stolen_chosen"] == 3


def test_images_are_chosen_without_a_look_at_the_half_that_reports(pairs):
    groups = halves(pairs, VICTIM)
    quiet = {name: [0, 0, 1, 1, 2] for name in (*THIEVES, *STRANGERS)}
    lucky = quiet | {name: [0, 1, 1, 1, 2] for name in groups["stolen_chosen"]}
    honest = lucky | {name: [0, 0, 2, 1, 2] for name in groups["stolen_reported"]}
    first = telling(make_bank(lucky), pairs, VICTIM, most=1)[0].iloc[0]
    second = telling(make_bank(honest), pairs, VICTIM, most=1)[0].iloc[0]
    assert first["image"] == second["image"] == 1
    assert first["stolen_chosen"] == 1
    assert first["stolen_reported"] == 0  # luck does not return


def test_no_more_than_asked_for(pairs):
    labels = dict.fromkeys((*THIEVES, *STRANGERS), OWN)
    assert len(telling(make_bank(labels), pairs, VICTIM, most=2)[0]) == 2


def test_one_class_does_not_take_the_places_of_the_others(pairs):
    """Nine flowers of ten are one flower many times."""
    bank, each = make_bank(dict.fromkeys((*THIEVES, *STRANGERS), OWN)), len(TRUTH)
    many = Bank(
        bank.models,
        bank.victims,
        bank.classes,
        np.tile(bank.labels, 4),
        np.tile(bank.truth, 4),
        np.zeros((4 * each, 5), int),
        {},
        {},
    )
    table, _ = telling(many, pairs, VICTIM)
    assert table["truth"].value_counts().to_dict() == {0: PER_CLASS, 1: PER_CLASS, 2: PER_CLASS}


def test_a_victim_without_mistakes_or_with_one_suspect_gives_an_empty_table(pairs):
    bank = make_bank(dict.fromkeys((*THIEVES, *STRANGERS), OWN))
    perfect = Bank(bank.models, bank.victims, bank.classes, bank.labels, bank.labels[0], bank.places, {}, {})
    assert telling(perfect, pairs, VICTIM)[0].empty
    few = pairs[pairs["kind"] != "negative"]
    assert telling(bank, few, VICTIM)[0].empty
