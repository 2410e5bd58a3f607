"""What a suspect reveals, and what stands before it, as every page shows it."""

import pandas as pd
import pytest

from qurd_core.findings.language.model_names import readable
from qurd_core.records import obfuscation_records, rate_records
from tests.pages.screen import headline, notices, sound
from tests.small_records import make_obfuscated, make_records

PAGES = ("leaderboard", "budget")


@pytest.fixture
def hidden(folder):
    """The small records, and those of one benchmark behind obfuscations."""
    make_obfuscated(make_records("patchwork-sac")).to_parquet(obfuscation_records.path_of("patchwork-sac", folder))
    return folder


def texts(app):
    said = (*app.markdown, *app.caption, *app.subheader, *app.text)
    return " ".join([element.value for element in said] + [element.value for element in app.html]).replace("\\", "")


def button(app):
    (found,) = [one.proto.popover.label for one in app.get("popover") if "Suspect" in one.proto.popover.label]
    return found.replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_what_needs_more_than_the_suspect_reveals_says_so(show, page):
    usual = sound(show(page=page, bench="patchwork-sac"))
    assert button(usual) == "Suspect"
    assert "the suspect reveals" not in texts(usual)
    app = sound(show(page=page, bench="patchwork-sac", reveal="labels"))
    assert button(app) == "Suspect **labels**"
    assert "eeds logits; the suspect reveals labels" in texts(app) + headline(app)
    assert headline(app) != headline(usual)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.slow
def test_a_headline_says_what_becomes_of_akh_behind_an_obfuscation(show, hidden, page):
    app = sound(show(page=page, bench="patchwork-sac", behind="jpeg"))
    assert headline(app) == "Behind JPEG (quality 60), AKH drops from 83% to 73% on patchwork-sac at 100 queries"
    assert button(app) == "Suspect **behind JPEG**"
    assert "JPEG, quality 60: stolen models behind it, unrelated ones as they are" in texts(app)
    app.toggle(key="behind_pool").set_value(True).run()
    assert headline(sound(app)).startswith("With every suspect behind JPEG (quality 60), AKH drops from 83% to 63%")
    assert "stolen and unrelated models behind it" in texts(app)


@pytest.mark.parametrize("page", PAGES)
def test_the_worst_known_names_who_stays_highest_and_what_hurts_akh_most(show, hidden, page):
    app = sound(show(page=page, bench="patchwork-sac", behind="worst"))
    said = "Behind the worst known for each scheme, SAC stays highest: 84% behind JPEG (quality 60) on patchwork-sac"
    assert headline(app).startswith(f"{said} at 100 queries; ")
    assert headline(app).endswith("; label only hurts AKH most (83% to 63%)")


@pytest.mark.parametrize("page", PAGES)
def test_what_has_no_rate_behind_an_obfuscation_is_listed_with_the_reason(show, hidden, page):
    app = sound(show(page=page, bench="patchwork-sac", behind="argmax"))
    assert "needs logits; behind label only the suspect reveals labels" in texts(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_benchmark_without_such_records_has_the_choice_disabled_and_says_why(show, hidden, page):
    app = sound(show(page=page, bench="patchwork-reuse", behind="jpeg"))
    menu = app.selectbox(key="behind-none")
    assert (menu.disabled, menu.options) == (True, ["nothing"])
    assert "`qurd sweep --obfuscations` records it" in menu.help
    assert notices(app) == ["Not found here, so left out: obfuscation jpeg."]


@pytest.mark.slow
def test_the_choice_comes_back_with_the_benchmark_and_holds_on_other_pages(show, hidden):
    app = sound(show(page="leaderboard", bench="patchwork-sac", behind="jpeg"))
    app.get_by_key("bench").set_value("patchwork-reuse").run()
    assert "Behind" not in headline(sound(app))
    app.get_by_key("bench").set_value("patchwork-sac").run()
    assert headline(sound(app)).startswith("Behind JPEG")
    app.switch_page("pages/budget.py").run()
    assert headline(sound(app)).startswith("Behind JPEG")
    app.toggle(key="stage").set_value(True).run()
    assert headline(sound(app)).startswith("Behind JPEG")


def test_an_export_expresses_the_state_and_the_worst_known_has_no_command(show, hidden):
    app = show(page="leaderboard", bench="patchwork-sac", behind="jpeg", behind_pool="true")
    assert "--obfuscate jpeg" in app.code[0].value and "--obfuscate-pool" in app.code[0].value
    assert 'obfuscate="jpeg", obfuscate_pool=True' in app.code[1].value
    app = show(page="budget", bench="patchwork-sac", behind="worst")
    (code,) = [block.value for block in app.code]
    assert code.startswith("from qurd_core.records import obfuscation_records")
    assert "No command gives the worst known" in texts(app)
    table = {}
    exec(code, table)
    found = table["table"].set_index(["name", "budget"])
    assert found.loc[("AKH", 100), "value"] == pytest.approx(0.63, abs=0.01)
    assert found.loc[("AKH", 100), "obfuscation"] == "argmax"


def test_other_samplers_have_nothing_behind_obfuscations_and_the_page_says_so(show, hidden):
    app = sound(show(page="leaderboard", bench="patchwork-sac", behind="jpeg", view="swap"))
    assert "recorded for named schemes only" in texts(app)


def test_a_pin_without_such_a_record_stays_and_says_so(show, hidden):
    pin = "uniform(test)->pgd(eps=0.02) | labels | hamming"
    app = sound(show(page="leaderboard", bench="patchwork-sac", behind="jpeg", pin=[pin]))
    assert app.multiselect(key="pin").value == [pin]
    assert "This combination is not shown: recorded for named schemes only." in texts(app)


def test_what_is_recorded_and_how_it_is_made_again(show, hidden):
    assert obfuscation_records.recorded("published-cifar10") == ()
    assert obfuscation_records.recorded("patchwork-sac") == ("argmax", "jpeg")
    assert rate_records.rebuild("patchwork-sac", obfuscation_records.SCORES).endswith(" --obfuscations")


def test_a_model_behind_an_obfuscation_has_a_readable_name():
    lineage = "train(vgg,victim)->finetune(seed=2)->jpeg->argmax"
    assert readable(lineage) == "VGG victim · fine-tuned, run 3 · behind JPEG, quality 60 · behind label only"
    assert readable("train(vgg,victim)->topk(k=1)").endswith("behind top-1 probits")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The shipped records of a benchmark, with rates behind obfuscations, and distances of AKH behind one."""
    home = tmp_path_factory.mktemp("whole")
    for path in (*rate_records.FOLDER.glob("patchwork-sac*"), rate_records.FOLDER / "schemes.json"):
        if "obfuscations" not in path.name:  # are written here, and would be written through the link
            (home / path.name).symlink_to(path)
    hidden = make_obfuscated(rate_records.read("patchwork-sac"))
    hidden.to_parquet(obfuscation_records.path_of("patchwork-sac", home))
    scores = rate_records.scores("patchwork-sac").astype({"scheme": str})
    akh = scores[(scores["scheme"] == AKH) & (scores["query_seed"] < 3) & (scores["budget"] == 100)]
    stolen = rate_records.pairs("patchwork-sac").query("kind == 'positive'")["suspect"]
    farther = akh.assign(value=akh["value"].mask(akh["suspect"].isin(stolen), 0.5 * akh["value"] + 0.4))
    both = pd.concat([farther.assign(obfuscation=by) for by in ("argmax", "jpeg")], ignore_index=True)
    both.to_parquet(obfuscation_records.path_of("patchwork-sac", home, obfuscation_records.SCORES))
    return home


AKH = "negative(test) | labels | hamming"


@pytest.fixture
def large(whole, shipped, monkeypatch):
    """Opens the app on them."""
    monkeypatch.setattr(rate_records, "FOLDER", whole)
    return shipped


@pytest.mark.slow
def test_cells_of_the_map_that_do_not_fit_have_no_colour_and_the_pick_says_why(large):
    app = sound(large(page="compose", bench="patchwork-sac", pick="SAC", reveal="labels"))
    assert headline(app) == "SAC needs logits; the suspect reveals labels"
    assert "that the suspect’s answers do not allow" in texts(app)
    app = sound(large(page="compose", bench="patchwork-sac", pick="AKH", behind="jpeg"))
    assert headline(app).startswith("Behind JPEG (quality 60), AKH drops from 89% to 79%")
    app = sound(large(page="compose", bench="patchwork-sac", pick="uniform(test) | probits | cosine", behind="jpeg"))
    assert headline(app) == "uniform(test) | probits | cosine has no value at 100 queries"
    assert "Recorded for named schemes only." in texts(app)
    assert not [one for one in app.button if one.key == "run"]


@pytest.mark.slow
def test_distances_behind_an_obfuscation_are_those_of_its_models(large):
    plain = sound(large(page="separability", bench="patchwork-sac", of="AKH"))
    app = sound(large(page="separability", bench="patchwork-sac", of="AKH", behind="jpeg"))
    assert headline(app).startswith("Behind JPEG (quality 60), AKH drops from ")
    assert app.selectbox(key="seed").options == ["mean", "0", "1", "2"]
    assert "obfuscate=" in app.code[0].value
    assert len(plain.selectbox(key="seed").options) == 21
    hover = str(app.get("plotly_chart")[0].proto.spec)
    assert "behind JPEG, quality 60" in hover and "gt;jpeg" in hover


@pytest.mark.slow
def test_a_distance_that_does_not_fit_is_refused_with_what_to_do(large):
    app = sound(large(page="separability", bench="patchwork-sac", of="SAC", reveal="labels"))
    assert headline(app) == "SAC needs logits; the suspect reveals labels"
    next(one for one in app.button if one.label == "Reveal logits").click().run()
    assert "SAC catches" in headline(app)
    app = sound(large(page="separability", bench="patchwork-sac", of="SAC", behind="argmax"))
    assert headline(app) == "SAC needs logits; behind label only the suspect reveals labels"
    next(one for one in app.button if one.label == "Reveal logits").click().run()
    assert "SAC catches" in headline(app)
    app = sound(large(page="separability", bench="patchwork-sac", of="AKH", behind="worst", behind_pool="true"))
    assert headline(app).startswith("With every suspect behind label only, AKH drops from ")
    app = sound(large(page="separability", bench="patchwork-sac", behind="jpeg"))
    assert headline(app) == "δ_C is known of suspects as they are only"
    next(one for one in app.button if one.label == "Show AKH").click().run()
    assert headline(app).startswith("Behind JPEG")
