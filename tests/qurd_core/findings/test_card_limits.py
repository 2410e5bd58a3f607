"""What a card says of a published scheme besides its numbers, and which schemes are named without being recorded."""

import pandas as pd

from qurd_core.findings import card
from qurd_core.records import rate_records
from qurd_core.schemes import ALIASES, NAMED, PUBLISHED, Scheme, describe
from qurd_core.views import leaderboard

SCHEMES = rate_records.schemes()


def test_a_card_says_what_a_scheme_costs_what_its_paper_advertises_and_where_it_fails():
    said = card.limits("ModelGif")
    assert said[0] == f"Cost: {NAMED['ModelGif'].cost}."
    assert "The paper advertises 8 to 512 images with 50 gradients each; here a budget of 100 queries, that is 9" in said[1]
    assert said[2].startswith("Where it fails: It needs gradients of the suspect")
    assert card.limits(None) == card.limits("negative(test) | labels | hamming") == card.limits("AKH") == []


def test_what_is_chosen_here_is_said_of_every_reconstruction_and_direction_of_ssf_in_words():
    for name in ("AFA-like", "hinge-probe", "DeepFoolF", "SSF", "ModelGif", "DeepJudge"):
        assert describe(Scheme.parse(name))["reconstruction"].endswith(".")
        assert NAMED[name].idea.count(". ") == 1, "two sentences"
    assert "survive the filter" in NAMED["AFA-like"].reconstruction
    assert "an untouched copy is at distance 0" in NAMED["SSF"].idea


def test_the_names_of_the_papers_readings_are_those_schemes():
    assert {alias: Scheme.parse(alias).name for alias in ALIASES} == ALIASES


def test_what_the_records_lack_is_told_by_asking_them():
    recorded = rate_records.read("patchwork-sac")["name"].dropna().unique()
    points = pd.DataFrame({"label": recorded})
    found = leaderboard.unrecorded(points, SCHEMES, "patchwork-sac")
    assert set(found) == {*PUBLISHED} - {*recorded}
    assert set(found.values()) <= {"not recorded yet; Compose runs it live"}
    assert not leaderboard.unrecorded(pd.DataFrame({"label": list(PUBLISHED)}), SCHEMES, "patchwork-sac")
    assert not leaderboard.unrecorded(points, SCHEMES, "published-cifar10")
