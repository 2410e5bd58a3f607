"""The Benchmark page as a user sees it, without a browser, on the shipped records."""

import json
import re
from shutil import copy

import pandas as pd
import pytest

from pages.ui import export
from qurd_core.benchmarks import saved_benchmarks
from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.records import evidence, grid_records, rate_records
from qurd_core.views import designer
from tests.benchmarks import exports
from tests.pages.screen import headline, notices, sound
from tests.small_grid import make_grid

SECTIONS = {
    "overview": "stolen models against",
    "lineage": "their victim has",
    "effort": "stolen models",
    "images": "The victims classify",
    "bench": "With every pair in",
}


@pytest.fixture
def page(shipped):
    """Opens the Benchmark page with the parameters of a link."""
    return lambda theme="light", **link: shipped(theme, page="benchmark", **link)


def chart(app):
    return json.loads(sound(app).get("plotly_chart")[0].proto.spec)


def texts(app):
    return " ".join(element.value for element in (*app.markdown, *app.caption))


def tiles(app):
    """(pairs in, pairs out) as drawn."""
    number = {trace["name"]: len(trace.get("hovertext", [])) for trace in chart(app)["data"]}
    return tuple(sum(number.get(kind + end, 0) for kind in ("positive", "negative", "hard")) for end in ("", " out"))


def tables(app):
    """The tables beside the chart, by row: the first cell of a row and the others."""
    found = [element.value for element in sound(app).html if 'class="values"' in element.value]
    rows = [[re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in text.split("<tr>")[1:]] for text in found]
    return [[[re.sub("<.*?>", "", cell) for cell in row] for row in table] for table in rows]


def press(app, label):
    next(button for button in app.button if button.label == label).click()
    return sound(app.run())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("bench", rate_records.EMBEDDED)
@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.slow
def test_every_section_opens_twice(page, section, bench, theme):
    app = page(theme, bench=bench, section=section)
    for _ in range(2):
        assert SECTIONS[section] in headline(app)
        if section != "images":
            background = {"light": "#FFFFFF", "dark": "#0E1320"}[theme]
            assert chart(app)["layout"]["template"]["layout"]["paper_bgcolor"] == background
            assert app.get("plotly_chart")[0].proto.alt
        app.run()
    assert not notices(app)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.slow
def test_stage_shows_the_finding_and_the_chart(page, section):
    app = page(section=section, stage="true")
    assert headline(app)
    assert not [element for element in app.html if 'class="values"' in element.value]


def test_the_grid_counts_pairs_and_a_task_changes_the_headline(page):
    app = page()
    assert headline(app).startswith("156 stolen models against 60 independent unrelated models")
    assert len(chart(app)["data"][0]["x"]) == 10
    app.selectbox(key="task").select("transfer").run()
    assert headline(app).startswith("15 stolen models against 20 independent unrelated models")
    assert "5 \\% \\= 1 model" in texts(app)
    widths = [shape["line"]["width"] for shape in chart(app)["layout"]["shapes"]]
    assert widths.count(max(widths)) == 1


def test_another_victim_grows_another_tree(page):
    app = page(section="lineage")
    before = headline(app)
    app.selectbox(key="victim").select("train(res,victim)").run()
    assert headline(app) != before
    assert "ResNet victim" in app.get("plotly_chart")[0].proto.alt


def test_budget_hard_and_task_change_the_effort(page):
    app = page(section="effort")
    before = headline(app)
    app.select_slider(key="budget").set_value(10).run()
    assert headline(app) != before
    before = [trace["marker"]["color"] for trace in chart(app)["data"]]
    app.toggle(key="hard").set_value(True).run()
    assert [trace["marker"]["color"] for trace in chart(sound(app))["data"]] != before
    app.selectbox(key="task").select("prune").run()
    assert '"unrelated+hard"' in sound(app).code[0].value


def groups_of(app):
    """The pills, whose key tells what is ticked."""
    return next(element for element in app.get("button_group") if element.key and element.key.startswith("groups-"))


def test_pills_of_a_closed_popover_are_nobodys_choice(page):
    """A browser sends what it showed last with every run; under the key of another state it changes nothing."""
    app = page(section="bench")
    before = groups_of(app)
    before.set_value([group for group in before.value if group != "prune"]).run()
    after = groups_of(app)
    assert after.key != before.key
    app.session_state[before.key] = list(before.value)
    app.run()
    assert "prune" not in groups_of(app).value


def test_groups_and_models_are_ticked_by_name(page):
    app = page(section="bench")
    every, _ = tiles(app)
    groups = groups_of(app)
    groups.set_value([group for group in groups.value if group != "prune"]).run()
    assert tiles(sound(app)) == (every - 15, 15)
    assert headline(app).startswith("Without 15 pairs")
    app.selectbox(key="turned").select_index(0).run()
    assert tiles(sound(app)) == (every - 16, 16)
    groups_of(app).set_value([*groups_of(app).value, "prune"]).run()
    assert tiles(sound(app)) == (every - 1, 1)


@pytest.mark.slow
def test_ticks_stay_when_the_page_is_left(page):
    app = page(section="bench")
    app.selectbox(key="turned").select_index(0).run()
    app.switch_page("pages/budget.py").run()
    app.switch_page("pages/benchmark.py").run()
    assert headline(app).startswith("Without 1 pair ")
    app.get_by_key("bench").set_value("patchwork-reuse").run()
    assert headline(app).startswith("With every pair in")
    app.get_by_key("bench").set_value("patchwork-sac").run()
    assert headline(app).startswith("Without 1 pair ")


@pytest.mark.slow
def test_a_link_opens_the_bench_elsewhere(page):
    app = page(section="bench")
    app.selectbox(key="turned").select_index(0).run()
    groups = groups_of(app)
    groups.set_value([group for group in groups.value if group != "prune"]).run()
    link = app.query_params["out"]
    assert len(link) < 70
    other = page(section="bench", out=link)
    assert tiles(other) == tiles(app)
    assert headline(other).startswith("Without 16 pairs")
    assert not notices(other)
    other.get_by_key("bench").set_value("patchwork-reuse").run()
    assert headline(other).startswith("With every pair in")
    assert "out" not in other.query_params
    assert not notices(other)
    other.get_by_key("bench").set_value("patchwork-sac").run()
    assert other.query_params["out"] == link
    other.menu_button(key="more").click("Back to how it was").run()
    assert headline(other).startswith("With every pair in")
    assert "out" not in other.query_params


@pytest.mark.parametrize("link", ["50h8", "AAAA_w", "<b>x</b>", "é", "A" * 5000])
@pytest.mark.parametrize("bench", rate_records.EMBEDDED)
@pytest.mark.slow
def test_a_link_to_a_bench_of_other_pairs_gives_one_notice(page, bench, link):
    app = page(bench=bench, section="bench", out=link)
    assert headline(app).startswith("With every pair in")
    told = notices(app)
    if (bench, link) == ("patchwork-sac", "50h8"):
        assert not told
    else:
        assert told == ["Not found here, so left out: the benchmark of this link, which was made of other pairs."]
    if told:
        app.button(key="notice_close").click()
    assert not notices(app.run())
    assert "out" not in app.query_params


def test_a_link_to_a_saved_bench_shows_its_pairs_where_it_is_not_saved(page):
    every = designer.keys(evidence.pairs("patchwork-sac"))
    BenchFile("patchwork-sac", frozenset(every[:-30])).write(saved_benchmarks.home_of("mine"))
    link = page(bench="mine", section="bench").run().query_params["out"]
    saved_benchmarks.remove("mine")
    app = page(bench="mine", section="bench", out=link)
    assert headline(app).startswith("Without 30 pairs")
    assert "benchmark mine" in notices(app)[0]


def test_the_rates_of_every_task_follow_a_tick(page):
    app = page(section="bench", rates="tasks", budget="50")
    (before,) = tables(app)
    rows = {row[0]: row[1:] for row in before[1:]}
    recorded = rate_records.read("patchwork-sac", task="prune").query("budget == 50").set_index("name")["tpr"]
    assert f"{100 * recorded['AKH']:.0f}" in rows["pruning"]
    assert list(rows)[:2] == ["all tasks", "exact copy"]
    groups = groups_of(app)
    groups.set_value([group for group in groups.value if group != "prune"]).run()
    (after,) = tables(app)
    assert {row[0]: row[1:] for row in after[1:]}["pruning"] == ["–"] * 17  # ZestOfLIME needs more queries
    assert after[1] != before[1]


def test_what_is_partly_in_says_so_by_name(page):
    app = page(section="bench")
    app.selectbox(key="turned").select_index(2).run()
    assert "fine-tuning: 14 of 15" in [option.content.replace("\\", "") for option in groups_of(app).proto.options]


def test_the_overlap_is_that_of_the_page_for_it(page, shipped):
    app = page(section="bench")
    shown = {metric.label: metric.value for metric in shipped(page="separability", of="AKH").metric}
    assert f"AUC {shown['AUC']}, overlap {shown['Overlap']};" in texts(app).replace("\\", "")


def test_what_is_no_bench_is_refused_before_it_is_saved(page):
    app = page(section="bench")
    groups = groups_of(app)
    groups.set_value([group for group in groups.value if "unrelated" in group]).run()
    assert "No stolen model of VGG victim is left" in app.warning[0].value.replace("\\", "")
    assert "nothing can be measured" in headline(app)
    app.text_input(key="bench_name_patchwork-sac").input("mine").run()
    assert next(button for button in app.button if button.label == "Save your benchmark").disabled
    groups_of(app).set_value(["same", "finetune", "hard unrelated"]).run()
    assert "needs 19 independent lineages of unrelated models" in sound(app).warning[0].value.replace("\\", "")
    groups_of(app).set_value([]).run()
    assert "Nothing is ticked" in sound(app).warning[0].value.replace("\\", "")


@pytest.mark.parametrize("name", ["No Name", "../x", "patchwork-sac"])
@pytest.mark.slow
def test_bad_names_are_refused(page, name):
    app = page(section="bench")
    app.text_input(key="bench_name_patchwork-sac").input(name).run()
    assert next(button for button in sound(app).button if button.label == "Save your benchmark").disabled
    assert any("name" in element.value for element in app.text)


@pytest.mark.slow
def test_a_bench_is_saved_opened_and_shown_everywhere(page):
    app = page(section="bench")
    groups = groups_of(app)
    groups.set_value([group for group in groups.value if group not in ("same", "finetune")]).run()
    kept, _ = tiles(app)
    app.text_input(key="bench_name_patchwork-sac").input("no-copies").run()
    app.session_state["bench_save"] = True
    press(app, "Save your benchmark")
    assert not app.session_state["bench_save"]  # the popover is closed
    assert len(BenchFile.read(saved_benchmarks.home_of("no-copies")).pairs) == kept
    assert any(code.value.startswith("python -m qurd_core run --benchmark no-copies \\") for code in app.code)
    press(app, "Open no-copies")
    assert app.get_by_key("bench").value == "no-copies"
    assert tiles(app)[0] == kept
    for section in SECTIONS:
        app.get_by_key("section").set_value(section).run()
        assert headline(app)
    assert "no-copies" in sound(app.switch_page("pages/budget.py").run()).get_by_key("bench").options


def test_a_bench_is_deleted_on_a_second_click_only(page):
    every = designer.keys(evidence.pairs("patchwork-sac"))
    BenchFile("patchwork-sac", frozenset(every[:-30])).write(saved_benchmarks.home_of("mine"))
    app = page(bench="mine", section="bench")
    app.selectbox(key="turned").select_index(0).run()
    app.menu_button(key="more").click("Delete mine …").run()
    assert saved_benchmarks.saved_names() == ["mine"]
    press(app, "Keep mine")
    assert not [button for button in app.button if "for good" in button.label]
    assert headline(app).startswith("Without 31 pairs")
    app.menu_button(key="more").click("Delete mine …").run()
    press(app, "Delete mine for good")
    assert not saved_benchmarks.saved_names()
    assert app.get_by_key("bench").value == "patchwork-sac"
    assert headline(app).startswith("With every pair in")


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.slow
def test_a_saved_bench_names_what_it_is_a_part_of(page, section):
    every = designer.keys(evidence.pairs("patchwork-reuse"))
    BenchFile("patchwork-reuse", frozenset(every[:-3])).write(saved_benchmarks.home_of("mine"))
    assert "Part of patchwork-reuse · " in texts(page(bench="mine", section=section)).replace("\\", "")
    assert "Part of" not in texts(page(bench="patchwork-reuse", section=section))


def test_an_unsaved_bench_is_exported_as_it_is_ticked(page, monkeypatch, tmp_path):
    every = designer.keys(evidence.pairs("patchwork-sac"))
    taken = {}
    monkeypatch.setattr(
        export, "offer", lambda *told, **more: taken.update(zip(("rows", "name", "again", "bench"), told, strict=True))
    )
    sound(page(section="bench", out=saved_benchmarks.token(every, every[:3])))
    assert taken["bench"] == BenchFile("patchwork-sac", frozenset(every[3:]))
    assert "--benchmark bench-patchwork-sac.json" in taken["again"].command
    assert '"bench-patchwork-sac.json"' in taken["again"].code
    path = tmp_path / f"{taken['name']}.json"
    path.write_text(taken["bench"].text)
    assert BenchFile.read(path) == taken["bench"]
    assert len(benchmark(str(path)).pairs) == len(every) - 3
    sound(page(section="bench", out=saved_benchmarks.token(every, every)))
    assert taken["bench"] is None, "no command takes a bench without a pair"
    assert taken["again"].note.startswith("Save these ticks first")
    BenchFile("patchwork-sac", frozenset(every[3:])).write(saved_benchmarks.home_of("mine"))
    sound(page(section="bench", bench="mine"))
    assert taken["bench"] is None, "what is saved has a name"
    assert "--benchmark mine" in taken["again"].command


def test_a_suggestion_is_taken(page):
    app = page(section="bench")
    app.session_state["suggest"] = True
    sound(app.run())
    if not any(button.label.startswith("Tick these") for button in app.button):
        pytest.skip("this Streamlit cannot open a popover without a browser")
    assert "5 thefts, the same for every victim (15 stolen models of 3 victims)" in texts(app).replace("\\", "")
    press(app, "Tick these 15 stolen pairs alone")
    assert "15 stolen models of 3 victims" in texts(app).replace("\\", "")


def test_a_saved_bench_that_is_gone_falls_back(page):
    app = page(bench="gone")
    assert headline(app).startswith("264 stolen models")
    assert "benchmark gone" in notices(app)[0]


def test_wrong_values_in_a_link_fall_back_with_one_notice(page):
    app = page(section="nope", task="<b>nap</b>")
    assert headline(app).startswith("156 stolen")
    (notice,) = notices(app)
    assert "section nope" in notice
    app = page(section="bench", scheme="x", budget="37", hard="maybe")
    assert headline(app).startswith("With every pair in")
    (notice,) = notices(app)
    for part in ("scheme x", "budget 37", "hard maybe"):
        assert part in notice
    assert "victim x" in notices(page(section="lineage", victim="x"))[0]


def test_a_budget_without_raw_scores_gives_way_to_the_nearest(page):
    app = page(budget="100")
    app.switch_page("pages/budget.py").run()
    app.select_slider(key="budget").set_value(250).run()
    app.switch_page("pages/benchmark.py").run()
    app.get_by_key("section").set_value("effort").run()
    assert sound(app).select_slider(key="budget").value == 200


def test_without_records_of_pairs_the_page_names_the_way_out(show):
    app = sound(show(page="benchmark"))
    assert app.subheader[0].value == "No records yet"
    assert app.code[0].value == "python -m qurd_core sweep --benchmark patchwork-sac"


ODD = "<img src=x onerror=alert(1)> *b* 🤖 שלום"


@pytest.mark.slow
def test_names_are_shown_as_text(page, tmp_path, monkeypatch):
    folder = tmp_path / "records"
    folder.mkdir()
    for path in rate_records.FOLDER.glob("*"):
        copy(path, folder)
    for part, columns in (
        ("pairs", ["victim", "suspect", "root"]),
        ("models", ["lineage", "root"]),
        ("scores", ["victim", "suspect"]),
    ):
        path = folder / f"patchwork-sac-{part}.parquet"
        table = pd.read_parquet(path)
        for column in columns:
            table[column] = table[column].astype(object).str.replace("train(vgg,victim)", ODD, regex=False)
        table.to_parquet(path)
    monkeypatch.setattr(rate_records, "FOLDER", folder)
    for section in ("overview", "lineage", "effort", "bench"):
        app = page(section=section)
        assert headline(app)
        assert not any("<img" in element.value for element in app.html)
        drawn = json.loads(app.get("plotly_chart")[0].proto.spec)
        notes = [note["text"] for note in drawn["layout"].get("annotations", [])]
        hovers = [text for trace in drawn["data"] for text in trace.get("hovertext") or []]
        assert not [text for text in [*notes, *hovers] if "<img" in text]
        assert not [element.value for element in app.markdown if "<img" in element.value.replace("\\<", "")]


def test_the_page_of_a_saved_bench_and_its_evidence_agree(page):
    table = evidence.pairs("patchwork-sac")
    BenchFile("patchwork-sac", frozenset(designer.keys(table[table["victim"] != "train(res,victim)"]))).write(
        saved_benchmarks.home_of("two")
    )
    app = page(bench="two", section="bench")
    now = evidence.read("two").query("budget == 100").set_index("name")["tpr"]
    (shown,) = [element.value for element in app.html if 'class="values"' in element.value]
    assert f"{100 * now['AKH']:.1f} ±" in shown
    assert headline(app).startswith("Without 116 pairs")


@pytest.fixture
def hiding(page, tmp_path, monkeypatch):
    """Opens the section on hidden thefts, of which one benchmark has a small grid."""
    path = grid_records.write(make_grid(), tmp_path / "small.parquet")
    monkeypatch.setattr(
        grid_records, "path_of", lambda name, folder=None: path if name == "patchwork-sac" else tmp_path / "no"
    )
    return lambda **link: page(**{"section": "grid", "bench": "patchwork-sac"} | link)


def test_the_grid_says_what_hides_most_and_a_scheme_changes_it(hiding):
    app = hiding()
    assert headline(app) == (
        "AKH catches at least half of the stolen models in 7 of 12 cells; JPEG hides most: 33% caught, 70% without it"
    )
    assert "✕\\: failed theft" in texts(app)
    assert "✕" in chart(app)["data"][1]["text"]
    app.selectbox(key="scheme").select_index(1).run()
    assert headline(sound(app)).startswith("uniform(test) | probits | l1 catches")
    assert "3 cells without a value" in texts(app)


def test_hard_unrelated_models_and_the_rule_change_the_grid(hiding):
    app = hiding(hard="true")
    assert headline(app).startswith("With hard unrelated models, AKH catches at least half")
    assert headline(hiding(rule="guaranteed")).startswith("AKH catches at least half of the stolen models in 2 of 12 cells")


@pytest.mark.parametrize("mode", ["page", "stage"])
def test_the_grid_is_drawn_and_given_away(hiding, mode):
    link = {"hard": "true", "rule": "guaranteed"}
    app = hiding(stage=str(mode == "stage").lower(), **link)
    assert app.get("plotly_chart")[0].proto.alt.startswith("Heat table of 4 thefts by 4 ways to hide them")
    view = exports.taken("benchmark", link | {"section": "grid", "bench": "patchwork-sac"})
    assert exports.differences(view.rows, exports.by_python(view.again.code)) == []
    assert "python -m qurd_core grid --benchmark patchwork-sac" in view.again.note


def test_a_benchmark_without_a_grid_does_not_offer_it(page):
    app = page(section="grid", bench="patchwork-reuse")
    assert notices(app) == ["Not found here, so left out: section grid."]
    assert SECTIONS["overview"] in headline(app)
