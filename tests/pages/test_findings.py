"""A headline tells the main result: the states that turn what a page has found, each with the sentence that says so."""

import re

import pytest

from qurd_core import findings, views
from qurd_core.findings.language import words
from tests.pages.screen import headline

REFUSED = (
    "The guaranteed rule gives no value on published-flower102: it needs 19 independent lineages of unrelated models, there "
    "are "
)
HARD = {"hard": "true"}
TOO_FEW = {"bench": "published-flower102", "rule": "guaranteed"}
DROP = r"With hard unrelated models, {} drops from \d+% to \d+% {}"
ON = "on patchwork-sac at 100 queries"
ALONE = r"; accuracy alone \(no fingerprint\) catches up to \d+%"
STATES = [
    ("leaderboard", {}, f"AKH .*{ON}{ALONE}"),
    ("leaderboard", {"reveal": "labels"}, f"AKH is ahead of all 5 published schemes {ON}{ALONE}"),
    ("leaderboard", HARD, DROP.format("AKH", ON) + ALONE),
    ("leaderboard", TOO_FEW, rf"{REFUSED}\d+"),
    ("leaderboard", {"view": "table"} | HARD, DROP.format("AKH", ON)),
    ("leaderboard", {"view": "table"} | TOO_FEW, rf"{REFUSED}\d+"),
    ("leaderboard", {"view": "swap"} | TOO_FEW, rf"{REFUSED}\d+"),
    ("leaderboard", {"view": "swap"} | HARD, r"With .*, SAC gains .* \(counting hard unrelated models\)"),
    ("compose", {"pick": "AKH"} | HARD, DROP.format("AKH", ON)),
    ("compose", {"pick": "AKH"} | TOO_FEW, rf"{REFUSED}\d+"),
    ("compose", {"pick": "accuracy"}, r"accuracy \(accuracy only, no fingerprint\) catches \d+% .* below AKH"),
    ("compose", {"pick": "negative(test) | correct | accuracy"}, r".* \(accuracy only, no fingerprint\) .* above AKH"),
    ("budget", HARD, DROP.format("AKH", ON)),
    ("budget", TOO_FEW, rf"{REFUSED}\d+"),
    ("budget", {"play": "true"}, r"Which suspect repeats 100 mistakes of the victim\?"),
    (
        "budget",
        {"play": "true", "sent": "100"},
        "With 100 queries AKH catches the stolen model and clears the unrelated one",
    ),
    ("separability", HARD, DROP.format("δ_C", "at 5% false alarms on patchwork-sac")),
    ("separability", {"of": "AKH"} | HARD, DROP.format("AKH", "at 5% false alarms on patchwork-sac")),
    ("separability", {"rows": "tasks"} | HARD, r".* \(counting hard unrelated models\)"),
    ("separability", {"show": "bound"} | HARD, r"Proposition 1 .* vacuous .* \(counting hard unrelated models\)"),
    (
        "benchmark",
        {"section": "effort"} | HARD,
        r"With hard unrelated models, \d+ instead of \d+ of 156 stolen models escape .*",
    ),
    ("benchmark", {"section": "bench"} | HARD, DROP.format("AKH", ON)),
    ("queries", {"suspect": "train(res,attacker)"}, "The unrelated model .* repeats .*; stolen models repeat .*"),
    ("queries", {"suspect": "train(vgg,victim,seed=1)"}, "The hard unrelated model .* repeats .*; stolen models repeat .*"),
    ("paper", {"view": "table3", "mode": "honest"}, r"The guaranteed rule refuses \d+ of 48 cells of Table 3; .*"),
]


@pytest.mark.parametrize(("page", "link", "said"), STATES)
@pytest.mark.slow
def test_a_state_that_turns_the_finding_turns_the_headline(shipped, page, link, said):
    extra = {"left": "uniform(test)"} if page == "queries" else {}  # which waits for no worker
    assert re.fullmatch(said, headline(shipped(page=page, link=link | extra)))


@pytest.mark.parametrize("page", ["leaderboard", "budget", "compose", "separability", "benchmark"])
@pytest.mark.slow
def test_the_switch_says_where_it_changes_nothing(shipped, page):
    link = {"bench": "published-cifar10", "hard": "true"}
    app = shipped(page=page, link=link if page != "benchmark" else {"bench": "patchwork-sac", "section": "overview"})
    said = "no hard unrelated models here, so the switch changes nothing"
    shown = [text for text in app.markdown if said in text.value.replace("\\", "")]
    assert bool(shown) == (page != "benchmark")  # whose overview has no such switch
    assert not [text for text in shipped(page=page, hard="true").markdown if said in text.value.replace("\\", "")]


def test_a_drop_is_said_from_ten_points_on_and_a_rise_never():
    assert words.turned("AKH", 0.75, 0.5, "here") == "With hard unrelated models, AKH drops from 75% to 50% here"
    for before, after in ((0.5, 0.41), (0.4, 0.5), (float("nan"), 0.1), (0.9, float("nan"))):
        assert words.turned("AKH", before, after, "here") == ""


def test_a_control_is_named_where_it_is_above_the_reference(table):
    rows = views.budget.curves(
        table[(table["task"] == "all") & (table["negatives"] == "unrelated") & (table["budget"] == 100)]
    )
    rows = rows.assign(control=rows["label"] == "accuracy", label=rows["label"].astype(object))
    assert findings.leaderboard.outdone(rows) == ""
    rows.loc[rows["control"], "value"] = 0.999
    assert findings.leaderboard.outdone(rows) == "; accuracy alone (no fingerprint) catches 100%"
    rows.loc[rows["label"] == "AKH", "value"] = float("nan")
    assert findings.leaderboard.outdone(rows) == ""


def test_what_a_theft_costs_is_said_of_the_chosen_task():
    import pandas as pd

    table = pd.DataFrame({"task": ["same", "prune"], "caught": [0, 2], "of": [3, 3]})
    easy = table.assign(caught=[1, 2])
    assert findings.effort.headline(table, 50) == "1 stolen model of 2 escapes all 3 named schemes at 50 queries"
    assert findings.effort.headline(table, 50, "prune").endswith("caught by 2 of 3 named schemes or more (pruning)")
    assert findings.effort.turned(table, easy, 50) == (
        "With hard unrelated models, 1 instead of 0 of 2 stolen models escape all 3 named schemes at 50 queries"
    )
    assert findings.effort.turned(table, easy, 50, "prune") == findings.effort.turned(table, table, 50) == ""
