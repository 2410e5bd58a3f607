"""The Separability page as a user sees it, without a browser."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from safetensors.numpy import save_file

from pages.ui.separability import pair
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of
from qurd_core.findings.language import worth_words
from qurd_core.records import evidence, measured_worth, rate_records
from tests.pages.screen import headline, notices, sound
from tests.qurd_core.plots.test_separability import ODD, make_pairs

PAGE = "separability"
AKH = "negative(test) | labels | hamming"
VICTIM = "train(vgg,victim)"
SUSPECT = "train(vgg,victim)->probit_extraction(dense)"


def chart(app):
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def notes(app):
    return " ".join(note["text"] for note in chart(app)["layout"]["annotations"])


def said(app):
    return " ".join(element.value for element in (*app.header, *app.markdown, *app.caption, *app.subheader, *app.text))


@pytest.fixture
def odd(folder):
    """Records with a model whose name is markup: pairs, a scheme's scores, the bank and the schemes in words."""
    pairs = make_pairs(victims=(ODD, "w"))
    pairs.loc[pairs["kind"] == "positive", "tasks"] = pairs["tasks"].map(lambda tasks: [ODD] if tasks == ["same"] else tasks)
    scores = pairs[["victim", "suspect"]].assign(
        scheme=AKH, query_seed=0, budget=100, value=pairs["delta_c"].astype("float32")
    )
    models = [*dict.fromkeys([*pairs["victim"], *pairs["suspect"]])]
    labels = np.random.default_rng(0).integers(0, 3, (len(models), 60)).astype(np.uint8)
    about = {"models": models, "victims": [ODD, "w"], "classes": [ODD, "cat", "cup"], "rules": []}
    tensors = {"labels": labels, "truth": (np.arange(60) % 3).astype(np.uint8), "places": np.full((60, 5), 1, np.int16)}
    for name in rate_records.EMBEDDED:
        pairs.to_parquet(folder / f"{name}-pairs.parquet")
        scores.to_parquet(folder / f"{name}-scores.parquet")
        save_file(tensors, folder / f"{name}-bank.safetensors", {"bank": json.dumps(about)})
    (folder / "schemes.json").write_text(
        json.dumps([{"scheme": AKH, "name": "AKH", "detector": "hamming", "level": 0, "access": "labels"}])
    )
    return folder


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("bench", rate_records.EMBEDDED)
def test_the_page_opens_twice(shipped, bench, theme):
    app = shipped(theme, PAGE, bench=bench)
    for _ in range(2):
        assert headline(app).endswith(f"of stolen models at 5% false alarms on {bench}")
        assert headline(app).startswith("δ_C catches ")
        assert chart(app)["layout"]["template"]["layout"]["paper_bgcolor"] == {"light": "#FFFFFF", "dark": "#0E1320"}[theme]
        assert [metric.label for metric in app.metric] == ["TPR@5%", "AUC", "Overlap"]
        assert app.get("plotly_chart")[0].proto.alt.startswith("Distances by δ_C")
        app.run()
    assert not notices(app)


@pytest.mark.slow
def test_every_control_changes_the_page(shipped):
    app = shipped(page=PAGE)
    app.select_slider(key="fpr").set_value(20).run()
    assert sound(app).metric[0].label == "TPR@20%"
    app.selectbox(key="task").select("prune").run()
    assert "15 stolen and 120 unrelated pairs" in said(sound(app))
    assert "20 % of 40 = 8 models" in said(app).replace("\\", "")
    assert "Left out where" in app.metric[2].proto.help
    assert app.metric[2].value == "–"  # too few stolen pairs for a density
    app.toggle(key="hard").set_value(True).run()
    assert "hard unrelated ◇" in notes(sound(app))
    app.selectbox(key="of").select("AKH").run()
    assert (
        "Distance by AKH at 100 queries, mean over 20 query seeds" in chart(sound(app))["layout"]["xaxis"]["title"]["text"]
    )
    app.select_slider(key="budget").set_value(50).run()
    assert "at 50 queries" in chart(sound(app))["layout"]["xaxis"]["title"]["text"]
    app.selectbox(key="seed").select("3").run()
    assert "query seed 3" in chart(sound(app))["layout"]["xaxis"]["title"]["text"]
    for rows, number in (("tasks", 10), ("victims", 3), ("benchmarks", 3)):
        app.selectbox(key="rows").select(rows).run()
        assert len(chart(sound(app))["layout"]["shapes"]) == 2 * number
    app.selectbox(key="show").select("bound").run()
    assert headline(app).startswith("Proposition 1 holds for every pair")
    app.selectbox(key="victim").select(VICTIM).run()
    app.selectbox(key="pair").select(SUSPECT).run()
    assert "probit extraction" in said(sound(app))
    app.toggle(key="places").set_value(True).run()
    assert any('class="photograph"' in element.value for element in sound(app).html)
    app.get_by_key("bench").set_value("patchwork-reuse").run()
    assert "patchwork-reuse" in headline(app)
    app.toggle(key="stage").set_value(True).run()
    assert chart(sound(app))["layout"]["height"] == 800


@pytest.mark.parametrize("bench", ["published-flower102", "patchwork-sac"])
def test_the_authors_formula_is_a_distance_and_says_why_it_differs(shipped, bench):
    app = sound(shipped(page=PAGE, bench=bench, of="official"))
    assert headline(app).startswith("δ_C (authors’ formula) catches ")
    assert "divide by the victim’s accuracy where δ\\_C divides by its error rate" in said(app)
    assert "(1 − α) / α" in chart(app)["layout"]["xaxis"]["title"]["text"]
    app.get_by_key("of").set_value("delta_c").run()
    assert "error rate" not in said(sound(app))


def test_a_link_holds_the_whole_view(shipped):
    app = shipped(
        page=PAGE, of="SAC", budget="50", task="transfer", fpr="10", hard="true", seed="2", victim=VICTIM, pair=SUSPECT
    )
    assert not notices(sound(app))
    assert app.selectbox(key="of").value == "SAC"
    assert app.metric[0].label == "TPR@10%"
    assert app.selectbox(key="pair").value == SUSPECT
    assert app.toggle(key="hard").value is True
    assert "query seed 2" in chart(app)["layout"]["xaxis"]["title"]["text"]
    assert any("Both models call" in element.value for element in app.html)


def test_wrong_values_in_a_link_fall_back_with_one_notice(shipped):
    app = shipped(page=PAGE, of="<b>x</b>", rows="z", show="q", fpr="99", victim="nobody", pair="nothing")
    (notice,) = notices(sound(app))
    for part in ("distance <b>x</b>", "rows z", "view q", "99", "victim nobody", "suspect nothing"):
        assert part in notice
    assert app.selectbox(key="pair").value is None
    assert notices(app.run()) == [notice]
    assert not notices(app.button(key="notice_close").click().run())


def test_the_rate_is_that_of_the_other_pages(shipped):
    app = sound(shipped(page=PAGE, of="AKH", task="label_extraction", budget="100"))
    table = rate_records.read("patchwork-sac", task="label_extraction")
    row = table[(table["scheme"] == AKH) & (table["budget"] == 100)].iloc[0]
    shown = float(app.metric[0].value.split(" ")[0])
    assert shown == pytest.approx(100 * row["tpr"], abs=0.06)
    assert app.metric[1].value == f"{row['auc']:.2f}"


@pytest.mark.parametrize("task", ["all", "label_extraction"])
def test_the_interval_is_that_of_the_other_pages(shipped, task):
    app = sound(shipped(page=PAGE, of="SAC", task=task, budget="100"))
    asked = f"label == 'SAC' and task == '{task}' and budget == 100 and rule == 'paper'"
    known = measured_worth.HONEST.read("patchwork-sac").query(asked)
    row = known[known["negatives"] == "unrelated"].iloc[0]
    assert app.metric[0].delta == f"{worth_words.interval(row['low'], row['high'])} over models"
    assert "95 % interval of TPR. Node bootstrap with 2000 draws" in app.metric[0].proto.help


def test_a_delta_has_an_interval_in_every_row(shipped):
    app = sound(shipped(page=PAGE, of="delta_c", rows="victims"))
    assert app.metric[0].delta == "89 to 92 % over models"
    (told,) = {
        note["text"].partition("<br>")[2] != "" for note in chart(app)["layout"]["annotations"] if "hovertext" in note
    }
    assert told
    assert "81 to 98 %" in notes(app)
    hovers = [note["hovertext"] for note in chart(app)["layout"]["annotations"] if "hovertext" in note]
    assert len(hovers) == 3
    assert all("95 % interval over models" in hover for hover in hovers)
    app.select_slider(key="fpr").set_value(0).run()
    assert "over models" in sound(app).metric[0].delta


def test_a_budget_without_raw_scores_gives_way(shipped):
    app = sound(shipped(page=PAGE, of="AKH", budget="135"))
    assert "at 100 queries" in chart(app)["layout"]["xaxis"]["title"]["text"]
    assert app.select_slider(key="budget").options == ["10", "20", "50", "100", "200", "400"]


def test_a_scheme_without_scores_at_a_budget_says_so_and_offers_another(shipped):
    app = sound(shipped(page=PAGE, of="ZestOfLIME", budget="10", rows="z"))
    assert not app.get("plotly_chart")
    assert "lacks scores of some pairs at 10 queries. Scores exist at " in said(app)
    assert "rows z" in notices(app)[0]
    next(button for button in app.button if "Show 100 queries" in button.label).click().run()
    assert sound(app).get("plotly_chart")


def test_a_task_that_a_benchmark_lacks_is_an_empty_row(shipped):
    app = sound(shipped(page=PAGE, task="transfer", rows="benchmarks"))
    assert "No victim has the task transfer here." in notes(app)
    assert "patchwork-reuse" not in headline(app)


def test_a_click_chooses_the_pair_and_a_second_lets_it_go(monkeypatch):
    state = {pair.CHART: SimpleNamespace(selection=SimpleNamespace(points=[{"customdata": ["v", "s", ""]}]))}
    monkeypatch.setattr(st, "session_state", state)
    pair.take()
    assert (state["victim"], state["pair"]) == ("v", "s")
    pair.take()
    assert (state["victim"], state["pair"]) == ("v", None)
    state[pair.CHART].selection.points = [{"customdata": ["v", "s", "patchwork-reuse"]}]
    pair.take()
    assert state["bench"] == "patchwork-reuse"
    state[pair.CHART].selection.points = []
    pair.take()
    assert state["pair"] == "s"


def test_another_victim_lets_go_of_a_suspect_that_it_does_not_have(shipped):
    app = sound(shipped(page=PAGE, victim=VICTIM, pair=SUSPECT))
    app.selectbox(key="victim").select("train(res,victim)").run()
    assert sound(app).selectbox(key="pair").value is None


def test_a_pair_shows_the_official_value_beside_delta_c(shipped):
    app = sound(shipped(page=PAGE, bench="patchwork-sac", victim=VICTIM, pair=SUSPECT))
    pairs = evidence.pairs("patchwork-sac").set_index(["victim", "suspect"])
    row = pairs.loc[(VICTIM, SUSPECT)]
    assert f"by the authors’ formula {row['delta_c'] * (1 - row['accuracy_victim']) / row['accuracy_victim']:.3f}" in said(
        app
    )


def test_an_exact_copy_and_an_unrelated_model_can_be_looked_at(shipped):
    pairs = evidence.pairs("patchwork-reuse")
    copies = pairs[pairs["victim"] == pairs["suspect"]].head(1)
    for row in (*copies.itertuples(), *pairs[pairs["kind"] == "negative"].head(1).itertuples()):
        app = sound(shipped(page=PAGE, bench="patchwork-reuse", victim=row.victim, pair=row.suspect))
        assert f"{row.delta_c:.3f}" in said(app)
        assert any("Both models call" in element.value for element in app.html)


def test_stage_shows_the_chart_and_three_numbers(shipped):
    app = sound(shipped(page=PAGE, stage="true", victim=VICTIM, pair=SUSPECT))
    assert len(app.metric) == 3
    assert not any(metric.proto.help for metric in app.metric)
    assert not any("Both models call" in element.value for element in app.html)
    assert "picked" in [trace["name"] for trace in chart(app)["data"]]
    assert any(".st-key-pairing { display: none }" in element.value for element in app.html)


@pytest.mark.parametrize("link", [{}, {"rows": "victims"}, {"rows": "tasks"}, {"show": "bound"}, {"of": "AKH"}])
def test_names_are_shown_as_text(show, odd, link):
    app = sound(show(page=PAGE, victim=ODD, pair=ODD, **link))
    assert app.selectbox(key="pair").value == ODD
    assert not any("<img src=x" in element.value for element in app.html)
    assert "<img src=x" not in said(app)
    assert "<img" not in notes(app)
    assert "<img" not in json.dumps([trace.get("hovertext") for trace in chart(app)["data"]])


def test_missing_records_name_the_way_out(show, folder):
    app = sound(show(page=PAGE))
    assert app.subheader[0].value == "No records yet"


def test_a_damaged_bank_gives_one_sentence(show, odd):
    (odd / "patchwork-sac-bank.safetensors").write_bytes(b"rubbish")
    assert sound(show(page=PAGE)).get("plotly_chart")
    app = show(page=PAGE, victim=ODD, pair=ODD)
    assert not app.exception
    assert app.subheader[0].value == "This page cannot be shown"


def test_the_drawn_pairs_can_be_taken_away():
    from qurd_core.views.separability import Distances, as_table, rows

    found = rows(Distances.of_delta(make_pairs(), "delta_c"), negatives="unrelated", alpha=0.05, by="tasks")
    table = as_table(found)
    assert isinstance(table, pd.DataFrame)
    assert set(table["row"]) == {"same", "prune"}
    assert table["tasks"].map(type).eq(str).all()


@pytest.mark.parametrize("link", [{}, {"of": "AKH"}, {"rows": "benchmarks"}, {"show": "bound"}])
@pytest.mark.slow
def test_a_saved_bench_is_a_benchmark_like_any_other(shipped, link):
    pairs = evidence.pairs("patchwork-sac").query(f"victim == '{VICTIM}'")
    BenchFile("patchwork-sac", frozenset(zip(pairs["victim"], pairs["suspect"], strict=True))).write(home_of("mine"))
    app = sound(shipped(page=PAGE, bench="mine", victim=VICTIM, pair=SUSPECT, **link))
    assert not notices(app)
    assert any(name in headline(app) for name in ("mine", "patchwork", "published"))
    assert any("Both models call" in element.value for element in app.html)
    assert said(app).replace("\\", "").count("Part of patchwork-sac · ") == 1
    if not link:
        assert "at 5% false alarms" in headline(app)
