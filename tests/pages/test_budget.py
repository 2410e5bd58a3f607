"""The Budget page as a user sees it, without a browser."""

import json
import re
from functools import partial

import pytest

from pages.ui import controls
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of
from qurd_core.files import ROOT
from qurd_core.records import evidence, rate_records
from tests.pages.screen import headline, notices, sound


@pytest.fixture
def show(show):
    """Opens this page on the small records."""
    return partial(show, page="budget")


def chart(app):
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def names(app):
    return [trace["name"] for trace in chart(app)["data"]]


def texts(app):
    """Everything that the page says in Markdown."""
    return " ".join(element.value for element in (*app.markdown, *app.caption, *app.subheader, *app.text))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("bench", rate_records.EMBEDDED)
def test_the_page_opens_twice(show, bench, theme):
    app = show(theme, bench=bench)
    for _ in range(2):
        assert headline(app).startswith("After 100 queries, published schemes")
        spec = chart(app)
        assert spec["layout"]["template"]["layout"]["paper_bgcolor"] == {"light": "#FFFFFF", "dark": "#0E1320"}[theme]
        assert names(app)[0] == "other combinations"
        assert app.get("plotly_chart")[0].proto.alt.startswith("Lines of TPR at 5% false alarms")
        app.run()
    assert not notices(app)


@pytest.mark.slow
def test_a_saved_bench_names_what_it_is_a_part_of(shipped):
    pairs = evidence.pairs("patchwork-sac").query("victim == 'train(vgg,victim)'")
    BenchFile("patchwork-sac", frozenset(zip(pairs["victim"], pairs["suspect"], strict=True))).write(home_of("mine"))
    told = r"Part of patchwork-sac: the named and the best combinations, \d+ of \d+, at 6 of 40 budgets · "
    assert re.search(told, texts(sound(shipped(page="budget", bench="mine"))).replace("\\", ""))
    assert "Part of" not in texts(sound(shipped(page="budget", bench="patchwork-sac")))


@pytest.mark.slow
def test_every_control_changes_the_page(show):
    app = show()
    app.selectbox(key="task").select("same").run()
    assert "--task same" in app.code[0].value
    app.get_by_key("rule").set_value("guaranteed").run()
    assert "the guaranteed rule allows 1 model" in texts(sound(app))
    app.select_slider(key="budget").set_value(50).run()
    assert headline(app).startswith("After 50 queries")
    app.multiselect(key="pin").set_value(["SAC", "accuracy"]).run()
    assert names(sound(app)).count("band") == 3
    app.toggle(key="hard").set_value(True).run()
    assert "--negatives unrelated+hard" in sound(app).code[0].value
    app.toggle(key="grey").set_value(False).run()
    assert "other combinations" not in names(sound(app))
    app.selectbox(key="x").select("labelled").run()
    assert chart(sound(app))["layout"]["xaxis"]["title"]["text"].startswith("Labelled images")
    app.selectbox(key="panel").select("distance").run()
    assert len(sound(app).get("plotly_chart")) == 2
    assert "queries the gap between stolen and unrelated models by accuracy stays at 0.30, and TPR@5% changes by" in texts(
        app
    ).replace("\\", "")
    app.get_by_key("picture").set_value("png").run()
    assert json.loads(sound(app).get("plotly_chart")[0].proto.config)["toImageButtonOptions"]["format"] == "png"
    app.get_by_key("bench").set_value("patchwork-reuse").run()
    assert "--benchmark patchwork-reuse" in sound(app).code[0].value
    app.toggle(key="stage").set_value(True).run()
    assert chart(sound(app))["layout"]["height"] == 800


def test_a_link_holds_the_whole_view(show):
    pins = ["SAC", "uniform(test)->pgd(eps=0.02) | labels | hamming"]
    link = {"bench": "patchwork-reuse", "task": "same", "rule": "guaranteed", "budget": "200", "pin": pins}
    app = sound(show(**link, hard="true", grey="false", x="gradients", panel="distance"))
    assert not notices(app)
    assert headline(app).startswith("After 200 queries")
    assert app.selectbox(key="task").value == "same"
    assert app.multiselect(key="pin").value == pins
    assert app.toggle(key="hard").value is True
    assert (app.selectbox(key="x").value, app.selectbox(key="panel").value) == ("gradients", "distance")
    assert "other combinations" not in names(app)


def test_wrong_values_in_a_link_fall_back_with_one_notice(show):
    wrong = {
        "rule": "z",
        "budget": "37",
        "hard": "maybe",
        "grey": "7",
        "stage": "x",
        "x": "money",
        "panel": "p",
        "play": "now",
    }
    app = show(bench="nope", task="<b>nap</b>", pin=["AKH", "A"], **wrong)
    assert headline(app).startswith("After 100 queries")
    (notice,) = notices(app)
    for part in (
        "benchmark nope",
        "task <b>nap</b>",
        "rule z",
        "budget 37",
        "pin A",
        "hard maybe",
        "grey 7",
        "stage x",
        "axis money",
        "panel p",
        "play now",
    ):
        assert part in notice
    assert app.multiselect(key="pin").value == ["AKH"]
    assert notices(app.run()) == [notice]
    assert not notices(app.button(key="notice_close").click().run())


def test_more_pins_than_fit_are_left_out_with_a_notice(show):
    asked = ["AKH", "SAC", "FBI", "IPGuard", "Random", "ModelDiff", "ZestOfLIME"]
    app = sound(show(pin=asked))
    assert app.multiselect(key="pin").value == asked[:6]
    assert "all but 6 of 7 pins" in notices(app)[0]


def test_a_click_on_a_seventh_line_pins_nothing_and_says_why(show, monkeypatch):
    held = [f"uniform(test)->pgd(eps=0.0{step}) | labels | hamming" for step in range(1, 7)]
    monkeypatch.setattr(controls.st, "session_state", {"pin": held})
    controls.turn_pins({"SAC"})
    assert controls.st.session_state["pin"] == held
    assert controls.st.session_state["notice"][0] == (
        "6 combinations are pinned, and more could not be told apart. Let one go first."
    )


def test_a_group_has_the_colours_and_the_others_are_named(show):
    app = sound(show(group="boundary"))
    assert set(app.selectbox(key="group").options) == {"paper", "photographs", "adversarial", "boundary"}
    assert {*names(app)} >= {"AKH", "Random", "IPGuard"} and "SAC" not in names(app)
    assert "4 more published schemes are grey: SAC, ModelDiff, ZestOfLIME and FBI." in texts(app).replace("\\", "")
    app.multiselect(key="pin").set_value(["SAC"]).run()
    assert "SAC" in names(sound(app))
    assert "3 more published schemes are grey: ModelDiff, ZestOfLIME and FBI." in texts(app).replace("\\", "")


def test_what_is_searched_for_lists_the_named_schemes_first(show):
    options = sound(show()).multiselect(key="pin").options
    assert options[:7] == ["AKH", "Random", "SAC", "ModelDiff", "IPGuard", "ZestOfLIME", "FBI"]
    assert options[7:] == sorted(options[7:])


def test_a_task_that_the_other_benchmark_lacks_is_let_go(show):
    app = show(task="transfer")
    app.get_by_key("bench").set_value("patchwork-reuse").run()
    assert sound(app).selectbox(key="task").value == "all"
    assert "task transfer" in notices(app)[0]


def test_a_refused_task_says_why(show):
    app = sound(show(bench="patchwork-reuse", task="quantize", rule="guaranteed"))
    assert not app.get("plotly_chart")
    assert app.subheader[0].value == "No value can be shown"
    assert "Refused" in texts(app)
    next(button for button in app.button if "paper" in button.label).click().run()
    assert sound(app).get("plotly_chart")


def test_missing_records_name_the_way_out(show, folder):
    (folder / "patchwork-sac.parquet").unlink()
    app = sound(show())
    assert app.subheader[0].value == "No records yet"
    assert app.code[0].value == "python -m qurd_core sweep --benchmark patchwork-sac"
    app.get_by_key("bench").set_value("patchwork-reuse").run()
    assert sound(app).get("plotly_chart")


def test_damaged_records_give_one_sentence(show, folder):
    (folder / "patchwork-sac.parquet").write_bytes(b"rubbish")
    app = show()
    assert not app.exception
    assert app.subheader[0].value == "This page cannot be shown"
    assert "Restore the file" in app.text[0].value
    app.get_by_key("bench").set_value("patchwork-reuse").run()
    assert sound(app).get("plotly_chart")


def test_new_records_are_seen_without_a_restart(show, folder):
    app = show()
    path = folder / "patchwork-sac.parquet"
    path.write_bytes((folder / "patchwork-reuse.parquet").read_bytes())
    assert "quantize" in sound(app.run()).selectbox(key="task").options


def test_stage_shows_the_chart_alone(show):
    app = sound(show(stage="true", pin=["SAC"], budget="50"))
    assert headline(app).startswith("After 50 queries")
    assert not [element for element in app.html if "<table" in element.value]
    assert names(app).count("band") == 2
    assert len(show(stage="true", panel="distance").get("plotly_chart")) == 2
    assert any(".st-key-controls" in element.value for element in app.html)


def test_names_are_shown_as_text(show, folder):
    path = folder / "patchwork-sac.parquet"
    table = rate_records.read("patchwork-sac", folder=folder)
    table["scheme"] = table["scheme"].str.replace("uniform(test)->pgd(eps=0.01)", "<img src=x onerror=alert(1)> *b* 🤖 שלום")
    table.to_parquet(path)
    odd = next(scheme for scheme in table["scheme"] if "<img" in scheme)
    app = sound(show(pin=[odd]))
    assert not any("<img" in element.value for element in app.html)
    assert all("<img" not in note["text"] for note in chart(app)["layout"]["annotations"])


@pytest.mark.parametrize("path", sorted(ROOT.glob("pages/*.py")), ids=lambda path: path.stem)
def test_pages_start_with_the_frame_and_are_short(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 120
    first = next(line for line in lines if line and not line.startswith(('"', "import", "from")))
    assert first == "frame.require()"
