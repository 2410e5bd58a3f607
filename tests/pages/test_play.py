"""Play on the Budget page as a user sees it, without a browser: on the shipped records."""

import json
from functools import partial

import pytest

from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of
from qurd_core.records import evidence, rate_records
from tests.pages.screen import headline, notices, sound


@pytest.fixture
def play(shipped):
    return partial(shipped, page="budget", play="true")


def spec(app):
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def said(app):
    return spec(app)["layout"]["annotations"][0]["text"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("bench", rate_records.EMBEDDED)
def test_it_opens_twice_and_ends_with_a_verdict(play, bench, theme):
    app = play(theme, bench=bench)
    for _ in range(2):
        assert headline(app) == "Which suspect repeats 100 mistakes of the victim?"
        drawn = spec(app)
        assert len(drawn["frames"]) == 100
        last = drawn["frames"][-1]["layout"]["annotations"][0]["text"]
        assert ": caught; the unrelated one on" in last
        assert last in app.get("plotly_chart")[0].proto.alt
        assert drawn["layout"]["template"]["layout"]["paper_bgcolor"] == {"light": "#FFFFFF", "dark": "#0E1320"}[theme]
        app.run()
    assert not notices(app)


@pytest.mark.slow
def test_every_control_changes_it(play):
    app = play()
    app.selectbox(key="sent").select(10).run()
    assert said(sound(app)).startswith("Query 10 of 100.")
    app.selectbox(key="by").select("Random").run()
    assert headline(app) == "Which suspect answers 100 random images like the victim?"
    app.get_by_key("rule").set_value("guaranteed").run()
    assert "the guaranteed rule allows 2 models" in " ".join(element.value for element in sound(app).markdown)
    app.selectbox(key="stolen").select_index(0).run()
    app.selectbox(key="innocent").select_index(0).run()
    before = said(sound(app))
    app.selectbox(key="victim").select_index(1).run()
    assert said(sound(app)) != before
    assert all("train(res,victim)" in name for name in app.selectbox(key="stolen").options)
    app.toggle(key="play").set_value(False).run()
    assert headline(app).startswith("After 100 queries")


@pytest.mark.slow
def test_surprise_takes_hard_unrelated_suspects_one_after_the_other(play):
    app, seen = play(), []
    for _ in range(5):
        next(button for button in app.button if button.label == "Surprise me").click().run()
        seen.append(sound(app).selectbox(key="innocent").value)
    pairs = evidence.pairs("patchwork-sac")
    hard = set(pairs.loc[(pairs["victim"] == "train(vgg,victim)") & (pairs["kind"] == "hard"), "suspect"])
    assert set(seen) == hard
    assert seen[0] == seen[4]
    assert "hard unrelated" in " ".join(element.value for element in app.markdown)


def test_a_link_holds_the_whole_view(play):
    link = {"by": "Random", "victim": "train(res,victim)", "stolen": "train(res,victim)->finetune", "sent": "100"}
    app = sound(play(**link, innocent="train(mb,attacker)"))
    assert not notices(app)
    for key, value in (link | {"innocent": "train(mb,attacker)"}).items():
        assert str(app.selectbox(key=key).value) == value


def test_wrong_values_in_a_link_fall_back_with_one_notice(play):
    app = sound(play(by="SAC", victim="nobody", stolen="<b>", innocent="7", sent="3"))
    (notice,) = notices(app)
    for part in ("scheme SAC", "victim nobody", "stolen model <b>", "unrelated model 7", "sent first 3"):
        assert part in notice
    assert app.selectbox(key="innocent").value == "train(res,attacker,seed=1)"


@pytest.mark.slow
def test_a_bench_of_ones_own_has_its_own_threshold_and_its_own_budgets(play, shipped):
    pairs = evidence.pairs("patchwork-sac")
    few = pairs[(pairs["victim"] == "train(vgg,victim)") & ~pairs["suspect"].str.contains("jittered")]
    BenchFile("patchwork-sac", frozenset(zip(few["victim"], few["suspect"], strict=True))).write(home_of("mine"))
    app = sound(play(bench="mine", sent="100"))
    assert app.selectbox(key="victim").options == ["train(vgg,victim)"]
    assert "40 unrelated models" in " ".join(element.value for element in app.markdown)
    app = sound(shipped(page="budget", bench="mine", budget="200", panel="distance"))
    assert headline(app).startswith("After 200 queries")
    assert [str(option) for option in app.select_slider(key="budget").options] == ["10", "20", "50", "100", "200", "400"]
    assert len(app.get("plotly_chart")) == 2
