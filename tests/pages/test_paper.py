"""The Paper page: claims, Table 3 and agreement, and the published benchmarks on the other pages."""

import json
import re
import time
from html import unescape

import pandas as pd
import pytest

from pages.ui import cached
from pages.ui.frame import PAGES
from pages.ui.paper import claim
from qurd_core import files, findings, plots
from qurd_core.paper import agreement, claims, importer, tables
from qurd_core.paper.row import VERDICTS
from qurd_core.plots.drawing.theme import Style
from qurd_core.records import rate_records
from tests.pages.screen import headline, notices, sound

VIEWS = {
    "claims": "claims are supported by its scores",
    "table2": "differ in 4 of 8 tasks",
    "table3": "Table 3 recomputed: all 48 cells match",
    "agreement": "Ranks agree most",
}


def chart(app):
    return json.loads(app.get("plotly_chart")[0].proto.spec)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_twice(shipped, view, theme):
    app = shipped(theme, page="paper", view=view)
    for _ in range(2):
        assert VIEWS[view] in headline(app)
        assert chart(app)["layout"]["template"]["layout"]["paper_bgcolor"] == {"light": "#FFFFFF", "dark": "#0E1320"}[theme]
        assert not notices(app)
        app.run()


def test_every_control_changes_the_page(shipped):
    app = shipped(page="paper")
    verdict = "not supported by these scores"
    app.get_by_key("verdict").set_value(verdict).run()
    kept = [one.id for one in claims.read() if one.verdict == verdict]
    assert chart(sound(app))["data"][1]["customdata"] == kept
    app.get_by_key("verdict").set_value("all").run()
    app.selectbox(key="claim").select("spread").run()
    assert any("authors' formula" in one.value.replace("&#x27;", "'") for one in sound(app).html)
    app.get_by_key("view").set_value("table3").run()
    paper_mode = headline(app)
    app.get_by_key("mode").set_value("honest").run()
    assert headline(app) != paper_mode
    app.get_by_key("view").set_value("agreement").run()
    first = headline(app)
    app.select_slider(key="budget").set_value(10).run()
    assert headline(app) != first


def test_menus_say_words_where_the_link_keeps_tokens(shipped):
    app = sound(shipped(page="paper", view="table3", mode="honest"))
    shown = {key: [one.content for one in app.get_by_key(f"{key}-words").proto.options] for key in ("view", "mode")}
    assert shown == {"view": ["claims", "Table 2", "Table 3", "agreement"], "mode": ["paper", "guaranteed"]}
    assert (app.get_by_key("view-words").value, app.get_by_key("mode-words").value) == ("table3", "honest")


def test_table_2_and_the_claim_that_contradicts_it_lead_to_one_another(shipped):
    app = sound(shipped(page="paper", view="table2"))
    texts = [note["text"] for note in chart(app)["layout"]["annotations"]]
    assert texts.count("<b>×</b>") == 7
    assert "<b>✓ 10 stolen</b> of 1 victim<br>10 unrelated models, 10 lineages" in texts
    assert "all 24 cells agree" in " ".join(one.value for one in app.markdown)
    next(button for button in app.button if button.label == "Read the claim of two exceptions").click().run()
    assert sound(app).selectbox(key="claim").value == "two-exceptions"
    next(button for button in app.button if button.label == "Show the view").click().run()
    assert sound(app).get_by_key("view").value == "table2"


def test_a_claim_shows_its_view(shipped):
    app = shipped(page="paper", claim="spread")
    next(button for button in app.button if button.label == "Show the view").click().run()
    assert "hardest benchmark" in headline(app)
    assert app.get_by_key("rows").value == "benchmarks"


@pytest.mark.parametrize("one", [claims.read()[0], claims.read()[-1]], ids=lambda one: one.id)
def test_a_claim_shows_the_papers_words_and_their_place(shipped, one):
    card = unescape(
        next(part.value for part in sound(shipped(page="paper", claim=one.id)).html if "blockquote" in part.value)
    )
    assert f"“{one.quote}”" in card
    assert all(text in card for text in (one.place, one.claim, one.verdict))


def test_a_claim_says_tasks_in_words(shipped):
    card = next(part.value for part in sound(shipped(page="paper", claim="table3")).html if "blockquote" in part.value)
    assert "IPGuard on pruning of SDog120" in card
    assert "`" not in card
    assert not re.search(r"\w+_extraction", card)


def test_a_cell_that_is_not_as_printed_is_counted():
    rows = pd.DataFrame(tables.table3())
    rows.loc[[3, 8], "tpr"] = 0.5
    assert findings.paper.table_headline(rows, "paper") == "Table 3 recomputed: 46 of 48 cells match"


def test_a_headline_counts_the_verdicts():
    shown = claims.read()
    counts = [sum(one.verdict == verdict for one in shown) for verdict in VERDICTS]
    assert findings.paper.headline(shown) == (
        f"{counts[0]} of the paper’s {len(shown)} claims are supported by its scores, {counts[1]} are not, {counts[2]} are "
        "not testable here"
    )


def test_wrong_values_in_a_link_fall_back_with_one_notice(shipped):
    app = sound(shipped(page="paper", claim="nonsense", verdict="maybe"))
    assert len(notices(app)) == 1
    assert "nonsense" in notices(app)[0]


@pytest.mark.parametrize("one", claims.read(), ids=lambda one: one.id)
def test_the_link_of_a_claim_is_a_view(one):
    target = claim.target(one.link)
    assert target.page in PAGES
    assert set(target.values) <= {
        *("bench", "budget", "view", "show", "of", "rows", "x", "panel", "task", "rule", "scheme"),
    }
    if "bench" in target.values:
        assert target.values["bench"] in rate_records.SHIPPED


def test_stage_hides_the_controls_and_keeps_the_finding(shipped):
    app = sound(shipped(page="paper", stage="true", claim="spread"))
    assert "are supported by its scores" in headline(app)


@pytest.mark.parametrize("bench", rate_records.PUBLISHED)
@pytest.mark.parametrize("page", [name for name in PAGES if name != "paper"])
@pytest.mark.slow
def test_a_published_benchmark_is_shown_or_says_what_it_lacks(shipped, page, bench):
    app = shipped(page=page, bench=bench)
    for _ in range(2):
        assert sound(app).header or app.subheader[0].value == "Published scores only"
        assert not notices(app)
        app.run()


@pytest.mark.parametrize(
    ("page", "link", "said"),
    [
        ("benchmark", {"section": "effort"}, "Published scores only"),
        ("benchmark", {"section": "images"}, "Published scores only"),
        ("benchmark", {"section": "bench"}, "Not imported yet"),
        ("budget", {"play": "true"}, "Published scores only"),
        ("queries", {}, "Published scores only"),
    ],
)
@pytest.mark.slow
def test_what_needs_models_or_scores_says_so(shipped, page, link, said):
    app = sound(shipped(page=page, bench="published-cifar10", **link))
    assert app.subheader[0].value == said
    if said == "Published scores only":
        first = rate_records.EMBEDDED[0]
        next(button for button in app.button if button.label == f"Show {first}").click().run()
        assert sound(app).get_by_key("bench").value == first


@pytest.mark.parametrize("section", ["overview", "lineage"])
def test_sections_that_were_published_open(shipped, section):
    assert sound(shipped(page="benchmark", bench="published-flower102", section=section)).header


def test_a_pair_without_a_bank_shows_its_numbers(shipped):
    app = sound(shipped(page="separability", bench="published-cifar10", victim="vgg_model", pair="vgg13(0)"))
    assert any("bound" in one.value for one in app.markdown)
    assert any("was not published" in one.value for one in app.caption)


def test_imported_scores_open_what_needs_them(shipped, tmp_path, paper_folder):
    importer.import_scores(paper_folder / "sample_checkout", tmp_path)
    app = sound(shipped(page="separability", bench="published-cifar10", of="AKH", budget="100"))
    assert "Distance by AKH" in chart(app)["layout"]["xaxis"]["title"]["text"]
    assert sound(shipped(page="benchmark", bench="published-cifar10", section="bench")).header


def test_a_row_that_rests_on_fewer_data_sets_says_so():
    figure = plots.paper.table_figure(pd.DataFrame(tables.table3("honest")), Style())
    assert [text for text in figure.layout.yaxis.ticktext if "2 of 3" in text] == ["<b>SAC</b><br>2 of 3 data sets"]
    assert "adversarial<br>label extraction" in figure.layout.xaxis.ticktext


def test_the_guaranteed_table_shows_intervals_and_verdicts():
    rows = pd.DataFrame(tables.table3("honest"))
    figure = plots.paper.table_figure(rows, Style())
    texts = [note.text for note in figure.layout.annotations]
    assert any("trails<br>" in text for text in texts)
    assert texts.count("refused") == 36, "six tasks of six schemes rest on ModelReuse or on ten lineages"
    hovers = [text for line in figure.data[0].hovertext for text in line]
    assert any("1 independent victim<br>" in text and "AKH: −" in text for text in hovers)
    assert sum(text.startswith("<br>Refused") and "more are needed" in text.replace("<br>", " ") for text in hovers) == 36
    bare = plots.paper.table_figure(rows.assign(notes=float("nan")), Style())
    assert any("AKH: −" in text for line in bare.data[0].hovertext for text in line), "a comparison may have no notes"
    said = findings.paper.table_headline(rows, "honest")
    assert said == "The guaranteed rule refuses 36 of 48 cells of Table 3; 1 above AKH, 4 below, on one victim"
    many = findings.paper.table_headline(rows.assign(independent_victims=2), "honest")
    assert many.endswith("1 above AKH, 4 below")


def test_the_headline_of_ranks_names_the_ends():
    said = findings.paper.agreement_headline(agreement.read(), 100)
    assert "patchwork-sac and patchwork-reuse (tau 0.75)" in said
    assert findings.paper.agreement_headline(agreement.read(), 7).startswith("No two")


@pytest.fixture
def worker():
    """One of the store of the test."""
    cached.jobs.clear()
    yield
    cached.jobs().close()
    cached.jobs.clear()


@pytest.mark.slow
def test_scores_are_imported_from_a_card(shipped, paper_folder, worker):
    app = shipped(page="benchmark", bench="published-cifar10", section="bench")
    app.text_input(key="import_path").set_value("/no/such/folder").run()
    app.button(key=next(button.key for button in app.button if button.label == "Import")).click().run()
    ended(app)
    assert "which has a folder 'generated'" in app.error[0].value.replace("\\", "")
    app.text_input(key="import_path").set_value(str(paper_folder / "sample_checkout")).run()
    next(button for button in app.button if button.label == "Import").click().run()
    ended(app)
    assert sound(app).header, [one.value for one in (*app.error, *app.warning, *app.caption, *app.subheader)]


def ended(app):
    """Wait for the worker."""
    deadline = time.monotonic() + 60
    while any(button.label == "Cancel" for button in app.run().button):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_altered_import_is_said_and_the_page_offers_another_one(shipped, tmp_path):
    path = tmp_path / "published" / "published-cifar10-scores.parquet"
    files.write_json(path, {"any": "sealed file will do"})
    path.write_bytes(path.read_bytes().replace(b"any", b"two"))
    app = sound(shipped(page="separability", bench="published-cifar10", of="AKH"))
    assert "no threshold" not in headline(app).lower()
    app = sound(shipped(page="benchmark", bench="published-cifar10", section="bench"))
    (told,) = [warning.value for warning in app.warning]
    assert "was altered" in told and "import-scores CHECKOUT" in told.replace("\\", "")
    assert path.is_file()
