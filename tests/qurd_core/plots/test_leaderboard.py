"""The tables, sentences and figures of the Leaderboard, from small tables with known answers."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from qurd_core import findings, plots, views
from qurd_core.findings import card
from qurd_core.plots.drawing.swarm import swarm
from qurd_core.plots.drawing.theme import HEAT, Style, heat, ink_on
from qurd_core.records import evidence, measured_worth, rate_records, scheme_table
from qurd_core.records.evidence import Scores
from qurd_core.records.measured_winners import BestOf
from qurd_core.views import leaderboard

STYLE = Style()


def row(label, value, spread=0.0, scheme=None, **more):
    name = label if label in ("AKH", "Random", "SAC", "FBI", "IPGuard", "ModelDiff", "ZestOfLIME", "accuracy") else None
    known = {"scheme": scheme or f"{label} text", "name": name, "label": label, "value": value, "spread": spread, "seeds": 5}
    known |= {
        "auc": value,
        "budget": 100,
        "task": "prune",
        "reason": None,
        "n_negatives": 40,
        "n_lineages": 40,
        "n_victims": 3,
    }
    return known | more


def scheme(
    text, name=None, *, level=0, craft="identity", representation="labels", detector="hamming", seeds="uniform(test)"
):
    words = {"seeds": "Photographs drawn uniformly.", "craft": "Send the seed images themselves."}
    words |= {
        "representation": "The most probable class of every query: (M,s).",
        "detector": "Share of symbols that differ.",
    }
    sampler = seeds if craft == "identity" else f"{seeds}->{craft}"
    parts = {"seeds": seeds, "craft": craft, "representation": representation, "detector": detector, "words": words}
    access = ("labels", "top-k labels", "probits", "logits")[level]
    known = {"scheme": text, "name": name, "level": level, "access": access, "sampler": sampler, "idea": None}
    return known | parts | {"head": f"{representation} | {detector}", "source": None, "reconstruction": False}


@pytest.fixture
def schemes():
    return pd.DataFrame(
        [
            scheme("AKH text", "AKH"),
            scheme("SAC text", "SAC", level=3, craft="cutmix", representation="listwise(of=logits)", detector="l2"),
            scheme("twin", level=2, craft="cutmix", representation="listwise", detector="l2"),
            scheme("better", level=3, craft="pgd", representation="listwise(of=logits)", detector="l2"),
            scheme("plain"),
            scheme("control", detector="accuracy"),
        ]
    )


@pytest.fixture
def points():
    rows = [
        row("AKH", 0.8, 0.02),
        row("SAC", 0.7, 0.02),
        row("twin", 0.95, scheme="twin"),
        row("better", 0.9, 0.02, scheme="better"),
        row("plain", 0.81, 0.02, scheme="plain"),
        row("control", 0.99, scheme="control"),
    ]
    return pd.DataFrame(rows)


def test_what_a_suspect_reveals_leaves_some_combinations(points, schemes):
    rows = views.leaderboard.board(points, schemes, 100, "labels")
    assert rows["label"].tolist() == ["AKH", "plain", "control"]
    assert views.leaderboard.board(points, schemes, 100, "probits")["label"].tolist() == ["AKH", "twin", "plain", "control"]
    assert views.leaderboard.left_out(points, rows, schemes, 100, "labels") == {
        "SAC": "needs logits; the suspect reveals labels"
    }
    assert "3 of 6 combinations need no more than labels" in findings.leaderboard.subline(
        points, rows, 100, "paper", "labels", "tests"
    )


def test_every_row_is_judged_against_the_reference(points, schemes):
    rows = views.leaderboard.board(points, schemes, 100).set_index("label")
    assert rows["verdict"].where(rows["verdict"].notna(), None).to_dict() == {
        "AKH": None,
        "SAC": "behind",
        "twin": "ahead",
        "better": "ahead",
        "plain": "not distinguished",
        "control": "ahead",
    }
    assert rows.loc["SAC", "gap"] == pytest.approx(-0.1)


def test_a_scheme_that_needs_more_says_what_it_catches_on_less(points, schemes):
    rows = views.leaderboard.board(points, schemes, 100, "probits")
    said = views.leaderboard.left_out(points, rows, schemes, 100, "probits")["SAC"]
    twin = rows.set_index("scheme").loc["twin", "value"]
    assert said == f"needs logits; the suspect reveals probits; the same scheme on probits catches {twin:.0%}"


def test_a_craft_that_has_changed_no_query_is_no_new_combination(points, schemes):
    plain, mixed = "negative(test) | labels | hamming", "negative(test)->cutmix | labels | hamming"
    both = [scheme(plain, seeds="negative(test)"), scheme(mixed, seeds="negative(test)", craft="cutmix")]
    schemes = pd.concat([schemes, pd.DataFrame(both)], ignore_index=True)
    same = {"scheme": plain, "value": 0.9, "auc": 0.9, "spread": 0.0, "name": None}
    rows = pd.DataFrame([same, same | {"scheme": mixed}])
    rows = rows.assign(control=False, level=0, label=rows["scheme"])
    assert scheme_table.unnamed(rows, schemes)["scheme"].tolist() == [plain]
    rows.loc[1, "value"] = 0.8
    assert len(scheme_table.unnamed(rows, schemes)) == 2


def test_the_best_unnamed_is_no_control_and_no_published_scheme_on_other_outputs(points, schemes):
    free = scheme_table.unnamed(views.leaderboard.board(points, schemes, 100), schemes)
    assert free["label"].tolist() == ["better", "plain"]
    said = findings.leaderboard.best(free, 100, "There is one victim.")
    assert said.startswith("The best of 2 unpublished combinations is ahead of AKH (+10.0 points) at 100 queries.")
    assert said.endswith("so expect less on other models. There is one victim.")
    assert "does not differ significantly from AKH (+1.0 points)" in findings.leaderboard.best(
        free.tail(1), 100, "There is one victim."
    )


def test_the_best_is_reported_on_victims_that_had_no_say(points, schemes):
    free = scheme_table.unnamed(views.leaderboard.board(points, schemes, 100), schemes)
    found = BestOf(("better", "plain"), (True, False), chosen=0.76, reported=0.71, reference=0.69, among=2, halves=(2, 1))
    said = findings.leaderboard.best(free, 100, found)
    assert "catches 71% at 100 queries on held-out victims; selection half: 76% (halves of 2 and 1 of 3 independent" in said
    assert "AKH catches 69% on the same held-out victims." in said
    assert said.endswith("It won on one half; the other half chooses “plain”.")


@pytest.mark.parametrize(
    ("winners", "agree", "said"),
    [
        (("better", "better"), (True, True), "It won on both halves."),
        (("plain", "better"), (True, True), "It won on both halves."),
        (("plain", "plain"), (False, False), "Both halves choose another combination: “plain”."),
        (("plain", "other"), (False, False), "The halves choose “plain” and “other”."),
    ],
)
def test_the_parts_of_the_victims_agree_where_they_tie(points, schemes, winners, agree, said):
    free = scheme_table.unnamed(views.leaderboard.board(points, schemes, 100), schemes)
    found = BestOf(winners, agree, chosen=0.76, reported=0.71, reference=0.69, among=2, halves=(2, 1))
    assert findings.leaderboard.best(free, 100, found).endswith(f"AKH catches 69% on the same held-out victims. {said}")


HEADLINES = [
    ({"SAC": 0.9, "FBI": 0.7}, "1 of 2 published schemes is ahead of AKH here"),
    ({"SAC": 0.9, "FBI": 0.9, "IPGuard": 0.2}, "2 of 3 published schemes are ahead of AKH here"),
    ({"SAC": 0.9, "FBI": 0.9}, "All 2 published schemes are ahead of AKH here"),
    ({"SAC": 0.7, "FBI": 0.7}, "AKH is ahead of all 2 published schemes here"),
    ({"SAC": 0.7, "FBI": 0.8}, "None of 2 published schemes is ahead of AKH here, 1 is behind"),
    ({"SAC": 0.81, "FBI": 0.8}, "None of 2 published schemes differs significantly from AKH here"),
    ({"SAC": 0.9}, "SAC, the only published scheme with a value, is ahead of AKH here"),
    ({"SAC": 0.8}, "SAC, the only published scheme with a value, does not differ significantly from AKH here"),
    ({}, "No published scheme has a value here"),
    ({"SAC": math.nan}, "No published scheme has a value here"),
]


@pytest.mark.parametrize(("values", "said"), HEADLINES)
def test_the_headline_counts_who_beats_the_reference(values, said):
    table = pd.DataFrame([row("AKH", 0.8, 0.02), *(row(name, value, 0.02) for name, value in values.items())])
    assert findings.leaderboard.headline(views.leaderboard.judged(table), "here") == said


TESTED = [
    (("beats", "trails"), "1 of 2 published schemes beats AKH here"),
    (("ahead", "beats"), "1 of 2 published schemes beats AKH here"),
    (("trails", "trails"), "AKH beats all 2 published schemes here"),
    (("trails", "behind"), "AKH is ahead of all 2 published schemes here"),
    (("on par", "behind"), "None of 2 published schemes is ahead of AKH here, 1 is behind"),
    (("on par", "not distinguished"), "None of 2 published schemes differs significantly from AKH here"),
]


@pytest.mark.parametrize(("verdicts", "said"), TESTED)
def test_the_headline_speaks_of_models_where_they_were_drawn(verdicts, said):
    """Over query seeds SAC and FBI are far above AKH here; what counts is the test over models."""
    table = pd.DataFrame([row("AKH", 0.8, 0.01), row("SAC", 0.9, 0.01), row("FBI", 0.9, 0.01)])
    worth = pd.DataFrame({"low": 0.7, "high": 0.95, "verdict": verdicts}, index=["SAC", "FBI"])
    rows = views.leaderboard.judged(table, worth)
    assert findings.leaderboard.headline(rows, "here") == said
    assert rows["low"].tolist()[1:] == [0.7, 0.7]
    assert math.isnan(rows["low"].iloc[0])


def test_the_headline_without_the_reference_compares_nothing():
    table = pd.DataFrame([row("AKH", math.nan), row("SAC", 0.9), row("FBI", 0.8)])
    assert findings.leaderboard.headline(views.leaderboard.judged(table), "here").startswith("AKH has no value here")


def test_one_seed_supports_no_claim():
    table = pd.DataFrame([row("AKH", 0.5, math.nan, seeds=1), row("SAC", 0.9, math.nan, seeds=1), row("FBI", 0.1, math.nan)])
    assert (
        findings.leaderboard.headline(views.leaderboard.judged(table), "here")
        == "None of 2 published schemes differs significantly from AKH here"
    )


def test_places_in_words():
    assert findings.leaderboard.place("patchwork-sac", "all", 100) == "on patchwork-sac at 100 queries"
    assert findings.leaderboard.place("patchwork-sac", "prune", 1) == "on patchwork-sac (pruning) at 1 query"


def overlaps(heights, sizes, aside):
    x, y, r = np.array(aside), np.array(heights), np.array(sizes) / 2
    apart = np.hypot(x[:, None] - x, y[:, None] - y) - (r[:, None] + r)
    return int((apart[np.triu_indices(len(x), 1)] < -0.01).sum())


def test_dots_never_cover_one_another_and_no_chance_is_involved():
    heights = np.random.default_rng(0).normal(200, 60, 300)
    sizes = [12.0] * 5 + [7.0] * 295
    aside = swarm(heights, sizes, 1000)
    assert overlaps(heights, sizes, aside) == 0
    assert aside == swarm(heights, sizes, 1000)
    assert aside[0] == 0


def test_a_row_of_ties_is_pressed_into_its_room_and_others_are_not():
    aside = swarm([0.0] * 100 + [50.0, 50.0], [8.0] * 102, 60)
    assert max(map(abs, aside)) <= 60
    assert sorted(map(abs, aside[-2:])) == [0, 8]
    assert swarm([], [], 10) == []


@pytest.fixture
def boards(folder, schemes):
    table = views.budget.curves(rate_records.read("patchwork-sac"))
    return {name: views.leaderboard.board(table, schemes, 100) for name in rate_records.EMBEDDED}


def test_the_chosen_strip_is_strong_and_the_others_faint(boards):
    chart = plots.leaderboard.figure(boards, "patchwork-reuse", style=STYLE)
    strength = {trace.name: trace.marker.opacity for trace in chart.data if trace.name.startswith("named")}
    faint = {f"named on {name}": plots.leaderboard.FAINT for name in boards}
    assert strength == faint | {"named on patchwork-reuse": 1.0}
    assert len(chart.data) <= 5 * len(boards)
    ticks = chart.layout.xaxis.ticktext
    assert "<b>patchwork-reuse</b><br>40 unrelated" in ticks
    assert "patchwork-sac<br>40 unrelated" in ticks


def test_named_schemes_have_their_mark_and_a_label_that_covers_no_other(boards):
    for stage in (False, True):
        style = Style("dark", stage)
        chart = plots.leaderboard.figure(boards, "patchwork-sac", style=style)
        (marks,) = (trace for trace in chart.data if trace.name == "named on patchwork-sac")
        assert set(marks.customdata) == {"AKH", "Random", "SAC", "ModelDiff", "IPGuard", "ZestOfLIME", "FBI"}
        looks = dict(zip(marks.customdata, zip(marks.marker.color, marks.marker.symbol, strict=True), strict=True))
        assert looks["SAC"] == ("#BD4D12", "circle")
        labels = [note for note in chart.layout.annotations if note.text.startswith("<b>") and note.x < 1]
        centres = sorted(note.y for note in labels)
        plot = style.height - chart.layout.margin.t - chart.layout.margin.b
        assert len(labels) == 7
        assert min(np.diff(centres)) * plot / plots.budget.TOP > 1.2 * style.text
        assert centres[0] >= 0
        assert centres[-1] <= plots.budget.TOP


def test_the_reference_is_a_dashed_line_at_its_value(boards):
    chart = plots.leaderboard.figure(boards, "patchwork-sac", style=STYLE)
    (line,) = (trace for trace in chart.data if trace.name == "AKH on patchwork-sac")
    value = boards["patchwork-sac"].set_index("label").loc["AKH", "value"]
    assert line.line.dash == "dash"
    assert list(line.y) == [value, value]


def test_a_pinned_mix_leaves_the_grey(boards):
    mix = boards["patchwork-sac"].query("name.isna()")["label"].iloc[0]
    chart = plots.leaderboard.figure(boards, "patchwork-sac", pins=[mix], style=STYLE)
    found = {trace.name: trace for trace in chart.data}
    assert mix not in found["mixes on patchwork-sac"].customdata
    assert mix in found["named on patchwork-sac"].customdata
    assert any("uniform(test)" in note.text for note in chart.layout.annotations)


def test_a_benchmark_without_the_task_has_an_empty_strip(boards):
    boards["patchwork-reuse"] = boards["patchwork-reuse"].head(0)
    chart = plots.leaderboard.figure(boards, "patchwork-sac", style=STYLE)
    assert "patchwork-reuse<br>no value" in chart.layout.xaxis.ticktext


def test_controls_stand_apart(points, schemes):
    rows = views.leaderboard.board(points, schemes, 100)
    chart = plots.leaderboard.figure({"one": rows}, "one", style=STYLE)
    found = {trace.name: trace for trace in chart.data}
    assert list(found["controls on one"].customdata) == ["control"]
    assert found["controls on one"].x[0] < 0.1 < min(found["mixes on one"].x)
    assert "accuracy only (no fingerprint): takes the less accurate model" in found["controls on one"].hovertext[0]


def test_names_in_the_figure_are_data(points, schemes):
    odd = "<img src=x onerror=alert(1)> *b* 🤖 שלום"
    points.loc[points["label"] == "plain", "label"] = odd
    chart = plots.leaderboard.figure({"one": views.leaderboard.board(points, schemes, 100)}, "one", pins=[odd], style=STYLE)
    written = [note.text for note in chart.layout.annotations] + [t for trace in chart.data for t in trace.hovertext or ()]
    assert not any("<img" in text for text in written)
    assert any("&lt;img" in text for text in written)


def test_table_3_has_both_rules_side_by_side(folder):
    rows = leaderboard.by_task("patchwork-reuse", 100)
    table = views.tasks.named(rows, evidence.tasks("patchwork-reuse"), "paper")
    assert table["task"].unique().tolist() == ["all", "same", "quantize"]
    assert table["label"].unique().tolist()[:3] == ["AKH", "Random", "SAC"]
    assert "accuracy" not in set(table["label"])
    chart = plots.tasks.figure(table, pins=["SAC"], style=STYLE)
    assert [trace.name for trace in chart.data] == ["colours", "paper", "guaranteed"]
    paper, guaranteed = chart.data[1:]
    assert set(np.round(np.array(guaranteed.x) - np.array(paper.x), 6)) == {1.0}
    refused = [text for text, task in zip(guaranteed.text, table["task"], strict=True) if task == "quantize"]
    assert set(refused) == {"–"}
    assert views.tasks.reasons(table) == {"quantization": "Refused: too few unrelated models."}
    assert chart.layout.yaxis.ticktext == ("<b>all tasks</b>", "exact copy", "quantization")
    assert any(note.text == "12 · 12" for note in chart.layout.annotations)
    assert len(chart.layout.shapes) == 1


@pytest.mark.parametrize(
    ("beaten", "said"),
    [
        ((), "On none of 2 tasks is a published scheme ahead of AKH here"),
        (("b",), "On 1 of 2 tasks a published scheme is ahead of AKH here"),
        (("a", "b"), "On all 2 tasks a published scheme is ahead of AKH here"),
    ],
)
def test_the_headline_of_the_table(beaten, said):
    pairs = itertools.product(("all", "a", "b"), ("AKH", "SAC"))
    caught = {(task, name): 0.9 if name == "SAC" and task in beaten else 0.8 for task, name in pairs}
    rows = [row(name, value, task=task, tpr=value, sd=0.01) for (task, name), value in caught.items()]
    table = views.tasks.named(pd.DataFrame(rows), ["all", "a", "b"], "paper")
    assert findings.tasks.headline(table, "here") == said


def test_swaps_keep_the_head_and_tell_the_gain(points, schemes):
    rows = views.leaderboard.board(points, schemes, 100)
    assert views.swaps.choices(rows) == ["SAC", "AKH"]
    table = views.swaps.swaps(rows, schemes, "SAC")
    assert table["label"].tolist() == ["better", "SAC"]
    assert table["gain"].tolist() == pytest.approx([0.2, 0.0])
    assert (
        findings.swaps.headline(table, "SAC", "here")
        == "With uniform test images and pgd, SAC gains 20.0 points here, over query seeds only"
    )
    assert findings.swaps.tests(table, measured_worth.UNKNOWN) == "gains: spread over query seeds only"
    chart = plots.swaps.figure(table, "SAC", style=STYLE)
    assert [text.strip() for text in chart.data[3].text] == ["+20.0", "<b>70%</b>"]
    assert "over query seeds only: no interval over models is known" in chart.data[2].hovertext[0]
    assert chart.layout.yaxis.ticktext[1] == "<b>uniform(test)-&gt;cutmix</b>"


@pytest.mark.parametrize(
    ("ends", "verdict", "said"),
    [
        ((0.05, 0.35), "ahead", "With uniform test images and pgd, SAC gains 20.0 points here"),
        ((-0.1, 0.5), "not distinguished", "The one other sampler does not raise the TPR of SAC significantly here"),
    ],
)
def test_a_swap_with_a_known_interval_is_told_over_models(points, schemes, ends, verdict, said):
    known = pd.DataFrame([ends], ["better"], ["low", "high"])
    table = views.swaps.swaps(views.leaderboard.board(points, schemes, 100), schemes, "SAC", known)
    better = table.set_index("label").loc["better"]
    assert tuple(better[["verdict", "over"]]) == (verdict, "models")
    assert better[["gain_low", "gain_high"]].tolist() == pytest.approx([ends[0], min(ends[1], 0.3)])
    assert findings.swaps.headline(table, "SAC", "here") == said
    said_of_one = (
        "gains: 95 % intervals, bootstrap over models, 3 independent victims, for the one swap with recorded distances"
    )
    assert findings.swaps.tests(table, pd.DataFrame({"lineages": [3]})) == said_of_one
    chart = plots.swaps.figure(table, "SAC", style=STYLE)
    drawn = np.array(chart.data[1].x[:2], float)
    assert drawn == pytest.approx(np.clip(0.7 + np.array(ends), 0, 1)), "around the value, no rate above 1"
    assert chart.data[3].x[0] == pytest.approx(drawn[1]), "the number stands behind the interval"
    assert chart.data[2].hovertext[0].endswith("points,<br>for the one swap with recorded distances")


def test_what_is_shown_over_models_goes_before_what_is_shown_over_query_seeds(points, schemes):
    head = {"level": 3, "representation": "listwise(of=logits)", "detector": "l2"}
    schemes = pd.concat([schemes, pd.DataFrame([scheme("best", craft="boundary", **head), scheme("low", **head)])])
    more = [row("best", 0.95, 0.01, scheme="best"), row("low", 0.6, 0.01, scheme="low")]
    rows = views.leaderboard.board(pd.concat([points, pd.DataFrame(more)]), schemes, 100)
    known = pd.DataFrame([(0.05, 0.35), (-0.15, -0.05)], ["better", "low"], ["low", "high"])
    table = views.swaps.swaps(rows, schemes, "SAC", known)
    assert table.set_index("label")["verdict"].dropna().to_dict() == {"best": "ahead", "better": "ahead", "low": "behind"}
    assert findings.swaps.headline(table, "SAC", "here") == "With uniform test images and pgd, SAC gains 20.0 points here"
    said = findings.swaps.tests(table, pd.DataFrame({"lineages": [1]}))
    assert said == (
        "gains: 95 % intervals, bootstrap over models on one victim, simultaneous for all 2 swaps with recorded distances; "
        "the other 1 over query seeds only"
    )
    hovers = plots.swaps.figure(table, "SAC", style=STYLE).data[2].hovertext
    assert hovers[1].endswith("<br>simultaneous for all 2 swaps with recorded distances")


def test_a_gain_that_no_draw_changes_has_no_interval(points, schemes):
    points.loc[points["label"].isin(["SAC", "better"]), "value"] = [0.0, 1.0]
    known = pd.DataFrame([(1.0, 1.0)], ["better"], ["low", "high"])
    table = views.swaps.swaps(views.leaderboard.board(points, schemes, 100), schemes, "SAC", known)
    better = table.set_index("label").loc["better"]
    assert tuple(better[["verdict", "over"]]) == ("not distinguished", "models")
    assert better[["gain_low", "gain_high"]].isna().all()
    assert (
        findings.swaps.headline(table, "SAC", "here")
        == "The one other sampler does not raise the TPR of SAC significantly here"
    )
    chart = plots.swaps.figure(table, "SAC", style=STYLE)
    assert chart.data[3].text[0].strip() == "+100.0 ?", "not ≈, which would say that they are alike"
    said = "does not differ significantly from SAC as published: +100.0 points,<br>"
    said += "the same in every bootstrap resample: no interval"
    assert chart.data[2].hovertext[0].endswith(said)


def test_an_interval_ends_where_rates_do(points, schemes):
    known = pd.DataFrame([(-0.9, 1.3)], ["better"], ["low", "high"])
    table = views.swaps.swaps(views.leaderboard.board(points, schemes, 100), schemes, "SAC", known)
    assert table.loc[0, ["gain_low", "gain_high"]].tolist() == pytest.approx([-0.7, 0.3])
    assert "−70.0 to +30.0 points" in plots.swaps.figure(table, "SAC", style=STYLE).data[2].hovertext[0]


def test_a_swap_that_brings_nothing_says_so(points, schemes):
    points.loc[points["label"] == "better", "value"] = 0.7
    table = views.swaps.swaps(views.leaderboard.board(points, schemes, 100), schemes, "SAC")
    assert findings.swaps.headline(table, "SAC", "here") == "The one other sampler does not raise the TPR of SAC here"
    points.loc[points["label"] == "better", ["value", "reason"]] = [math.nan, "the seed set ran out"]
    table = views.swaps.swaps(views.leaderboard.board(points, schemes, 100), schemes, "SAC")
    assert findings.swaps.headline(table, "SAC", "here") == "No other sampler has a value for SAC here"
    assert views.swaps.missing(table) == {"uniform(test)->pgd": "the seed set ran out"}


def test_the_twin_on_probits(schemes):
    assert scheme_table.twins(schemes) == {"SAC text": "twin"}


def test_an_unnamed_combination_has_its_idea_in_two_sentences(schemes):
    idea = leaderboard.about(schemes, "plain")["idea"]
    sent, compared = "photographs drawn uniformly", "the most probable class of every query; share of symbols that differ"
    assert idea == f"Sent: {sent}. Compared: {compared}."
    assert leaderboard.about(schemes, "plain")["name"] is None
    assert leaderboard.about(schemes, "unheard of") is None


@pytest.fixture
def scores():
    """One victim, 20 unrelated models at 1 to 20, two hard ones at 0.5 and 30, one stolen at 0; two query seeds."""
    columns = pd.DataFrame({"scheme": "s", "query_seed": [0, 1], "budget": 50})
    suspects = [f"u{i}" for i in range(20)] + ["h0", "h1", "p"]
    values = np.array([*range(1, 21), 0.5, 30, 0], np.float32)
    return Scores(columns, {"v": tuple(suspects)}, {"v": np.stack([values, values], axis=1)})


@pytest.fixture
def pairs():
    kinds = ["negative"] * 20 + ["hard"] * 2 + ["positive"]
    names = [f"u{i}" for i in range(20)] + ["h0", "h1", "p"]
    served = [["same"]] * 23
    return pd.DataFrame({"victim": "v", "suspect": names, "kind": kinds, "tasks": served, "root": names})


def test_false_alarms_on_hard_models_by_the_threshold_of_the_unrelated_ones(scores, pairs):
    paper = leaderboard.false_alarms(scores, pairs, "s", 100)
    # 5 % of 20 is one model below the threshold, which is the second smallest.
    assert paper == (0.05, 0.5, 20, 2, 50)
    # The guarantee allows none of 20: the threshold is the smallest, and 0.5 still lies below it.
    assert leaderboard.false_alarms(scores, pairs, "s", 50, "conformal") == (0.0, 0.5, 20, 2, 50)
    assert leaderboard.false_alarms(scores, pairs, "s", 20) is None
    assert leaderboard.false_alarms(scores, pairs, "other", 100) is None


def test_false_alarms_where_the_rule_is_refused_or_nobody_is_hard(scores, pairs):
    few = pairs[~pairs["suspect"].isin([f"u{i}" for i in range(5)])]
    assert math.isnan(leaderboard.false_alarms(scores, few, "s", 50, "conformal").unrelated)
    easy = leaderboard.false_alarms(scores, pairs[pairs["kind"] != "hard"], "s", 50)
    assert (easy.unrelated, easy.n_hard) == (0.05, 0)
    assert math.isnan(easy.hard)


def card_rows(n_negatives=40, **values):
    known = {
        "n_negatives": n_negatives,
        "negatives": str(n_negatives),
        "used": 100,
        "distinct": 100,
        "samples": 2429,
        "gradients": 0,
        "reason": None,
        "sd": 0.01,
        "sd_conformal": 0.01,
    }
    return pd.DataFrame([{"task": task, "tpr": value, "tpr_conformal": value} | known for task, value in values.items()])


def test_the_four_lines_of_a_card():
    alarms = leaderboard.FalseAlarms(0.04, 1.0, 180, 12, 100)
    rows = card_rows(all=0.5, same=1.0, prune=0.6, finetune=0.8)
    told = {line.term: line for line in card.lines(rows, "paper", alarms, rows)}
    assert list(told) == ["Effectiveness", "Robustness", "Uniqueness", "Efficiency"]
    assert told["Effectiveness"].value == "100.0 ± 1.0 %"
    assert told["Robustness"].value == "70.0 %"
    assert told["Robustness"].note == "mean of 2 other tasks; weakest: pruning, 60%"
    assert told["Uniqueness"].value == "4%, hard unrelated 100%"
    assert "180 unrelated and 12 hard unrelated pairs at 100 queries" in told["Uniqueness"].note
    assert told["Efficiency"].value == "100 queries"
    assert told["Efficiency"].note == "2\u202f429 labelled images, no gradient of the victim"
    few = {line.term: line for line in card.lines(rows.assign(distinct=4), "paper", alarms, rows)}
    assert few["Efficiency"].value == "100 queries, 4 distinct"


def test_the_card_says_what_it_does_not_know():
    rows = card_rows(all=0.5, prune=0.6)
    told = {line.term: line for line in card.lines(rows, "paper", None, card_rows(44, all=0.4, prune=0.5))}
    assert told["Effectiveness"].value == "–"
    assert told["Uniqueness"].value == "−10.0 points"
    assert "not recorded" in told["Uniqueness"].note
    same = card_rows(all=0.5, prune=0.6).assign(negatives="unrelated+hard")
    told = {line.term: line for line in card.lines(rows, "paper", None, same)}
    assert told["Uniqueness"].value == "–" and "there is no hard unrelated model" in told["Uniqueness"].note


def test_all_tasks_at_one_budget(folder):
    rows = leaderboard.by_task("patchwork-sac", 100, "unrelated+hard")
    assert set(rows["task"]) == {"all", "same", "transfer"}
    assert set(rows["budget"]) == {100}
    assert set(rows["n_negatives"]) == {44}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_numbers_can_be_read_on_every_colour_of_the_scale(mode):
    def light(colour):
        parts = np.array([*bytes.fromhex(colour[1:])]) / 255
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    assert heat(mode, 0) == HEAT[mode][0]
    assert heat(mode, 1) == HEAT[mode][-1]
    for share in np.linspace(-0.2, 1.2, 60):
        colour = heat(mode, share)
        low, high = sorted([light(colour), light(ink_on(colour))])
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_model_counts_once_per_task_that_it_serves(scores, pairs):
    pairs["tasks"] = [
        ["same", "prune"] if kind != "negative" or name != "u0" else ["same"]
        for kind, name in zip(pairs["kind"], pairs["suspect"], strict=True)
    ]
    # 5 % of 39 is one, which is u0: nobody else lies below the second smallest.
    assert leaderboard.false_alarms(scores, pairs, "s", 50).unrelated == pytest.approx(1 / 39)
