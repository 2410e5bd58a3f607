"""The Queries page as a user sees it, without a browser and without a worker."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from pages.ui import cached, frame, progress
from pages.ui.hosting import visitor
from pages.ui.hosting.visitor import Peer
from pages.ui.queries import asking
from qurd_core.files import ROOT
from qurd_core.jobs.queue import UNWANTED, Job, Jobs, Status, publish
from qurd_core.records import evidence, rate_records
from tests.pages.screen import headline, notices, sound

PGD = "uniform(test)->pgd"
ODD = "<img src=x onerror=alert(1)> *b* 🤖 שלום"


class Idle(Jobs):
    """Jobs that nobody works on: the test says how they end."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.asked: dict[str, Job] = {}
        self.stopped: list[str] = []
        self.warm: list[str] = []

    def submit(self, job: Job, by: str, *, anew: bool = False) -> str:
        self._check(by)
        self.asked[job.key] = job
        self.end(job.key, "running")
        return job.key

    def status(self, key: str) -> Status | None:
        return self._read(key)

    def cancel(self, key: str) -> None:
        self.end(key, "cancelled")

    def warm_up(self, benchmark: str) -> None:
        self.warm.append(benchmark)

    def end(self, key: str, state: str, error: str | None = None) -> None:
        publish(self.runs / f"{key}.json", {"state": state, "pid": 1, "done": 3, "total": 10, "error": error})

    def finish(self) -> None:
        """All jobs leave a result."""
        for key, job in self.asked.items():
            leave(self.result(key, "safetensors"), job.args)
            self.end(key, "done")


def leave(path: Path, args: dict) -> None:
    """What a worker would: pairs of which the victim is moved from class 0 to class 1 and the suspect every second time."""
    if args.get("look"):
        save_file({"attribution": np.ones((len(args["rows"]), 32, 32), np.float32)}, path)
        return
    n = args["budget"]
    pair = 2 if "pgd" in args["sampler"] else 1
    group = np.arange(n) // pair
    moved = (np.arange(n) % pair == pair - 1) & (pair == 2)
    suspect = moved & (group % 2 == 0)
    sure = np.eye(10, dtype=np.float32)
    noise = "noise" in args["sampler"]
    save_file(
        {
            "pixels": np.full((n, 32, 32, 3), 0.5, np.float16),
            "seed_pixels": np.full((n, 32, 32, 3), 120, np.uint8),
            "group": group,
            "seed": group,
            "truth": np.full(n, -1 if noise else 0),
            "places": np.full((n, 5), -1) if noise else np.tile([1, 10, 20, 30, 0], (n, 1)),
            "victim": sure[moved.astype(int)],
            "suspect": sure[suspect.astype(int)],
            "victim_on_seed": np.zeros(n, int),
            "suspect_on_seed": np.zeros(n, int),
        },
        path,
    )


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    idle = Idle(tmp_path / "jobs")
    monkeypatch.setattr(cached, "jobs", lambda: idle)
    return idle


@pytest.fixture
def visit(shipped, jobs, monkeypatch):
    """Opens the page with the parameters of a link. It is the home page here: AppTest runs other pages without app.py."""
    monkeypatch.setattr(frame, "HOME", "queries")

    def open_page(theme: str = "light", **link: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.context = {"theme": theme}
        for key, value in ({"bench": "patchwork-sac"} | link).items():
            app.query_params[key] = value
        return app.run()

    return open_page


def html(app):
    return " ".join(element.value for element in app.html if "<style>" not in element.value)


def cards(app):
    return [element.value for element in app.html if element.value.startswith('<div class="card')]


def said(app):
    return " ".join(element.value for element in (*app.markdown, *app.caption, *app.text))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("bench", rate_records.EMBEDDED)
def test_the_page_opens_twice(visit, jobs, bench, theme):
    app = visit(theme, bench=bench)
    for _ in range(2):
        assert "of the victim's 100 mistakes" in headline(app)
        assert len(cards(app)) == 8  # the right side is there at once, the left is being made
        assert "skeleton" in html(app)
        assert [job.kind for job in jobs.asked.values()] == ["queries"]
        app.run()
    jobs.finish()
    app.run()
    assert headline(app).startswith(
        "The stolen model is fooled like the victim on 25 of 50 adversarial images, and repeats "
    )
    assert len(cards(app)) == 16
    assert jobs.warm == [bench]
    assert not notices(app)
    before = dict(jobs.asked)
    app.run()
    assert jobs.asked == before


def test_the_numbers_on_screen_are_those_of_the_bank(visit):
    app = visit()
    bank, victim = evidence.bank("patchwork-sac"), app.selectbox(key="victim").value
    drawn = bank.draws["negative(test)", victim][0][:100]
    same = bank.of(victim)[drawn] == bank.of(app.selectbox(key="suspect").value)[drawn]
    assert f"repeats {same.sum()} of the victim's 100 mistakes" in headline(app)
    assert sum("✓ agrees" in card for card in cards(app)) == same[:8].sum()
    pairs = evidence.pairs("patchwork-sac")
    strangers = pairs.loc[(pairs["victim"] == victim) & (pairs["kind"] == "negative"), "suspect"]
    mean = np.mean([(bank.of(victim)[drawn] == bank.of(model)[drawn]).sum() for model in strangers])
    assert headline(app).endswith(f"; unrelated models repeat {mean:.0f}% on average")
    app.selectbox(key="suspect").select(strangers.iloc[0]).run()
    assert headline(app).startswith("The unrelated model repeats ")
    stolen = set(pairs.loc[(pairs["victim"] == victim) & (pairs["kind"] == "positive"), "suspect"]) - {victim}
    mean = np.mean([(bank.of(victim)[drawn] == bank.of(model)[drawn]).sum() for model in stolen])
    assert headline(app).endswith(f"; stolen models repeat {mean:.0f}% on average")


def test_suspects_come_by_kind_and_by_how_much_they_agree_with_the_victim():
    rows = [
        ("w", "s2", "positive", 0.0),
        ("v", "u1", "negative", 0.1),
        ("v", "s1", "positive", 0.4),
        ("v", "v", "positive", 0),
    ]
    rows += [
        ("v", "h", "hard", 0.05),
        ("v", "s0", "positive", 0.2),
        ("v", "u0", "negative", 0.6),
        ("v", "s1", "positive", 0.4),
    ]
    pairs = pd.DataFrame(rows, columns=["victim", "suspect", "kind", "delta"])
    assert asking.suspects(pairs, "v") == ["s0", "s1", "v", "u1", "u0", "h"]


def test_every_control_changes_the_page(visit, jobs):
    app = visit()
    first = headline(app)
    app.selectbox(key="suspect").select(app.selectbox(key="suspect").options[-1]).run()
    assert headline(app) != first
    assert "hard unrelated" in said(app)
    first = cards(app)
    app.selectbox(key="seed").select(3).run()
    assert cards(sound(app)) != first
    app.selectbox(key="victim").select(app.selectbox(key="victim").options[1]).run()
    assert sound(app).selectbox(key="suspect").value
    app.select_slider(key="budget").set_value(30).run()
    assert "of the victim's 30 mistakes" in headline(app)
    app.selectbox(key="left").select("uniform(test)").run()
    assert len(cards(sound(app))) == 16
    app.get_by_key("only").set_value("disagrees").run()
    assert all("✗ disagrees" in card for card in cards(sound(app)))
    app.get_by_key("page").set_value(2).run()
    assert sound(app).session_state["page"] == 2
    app.get_by_key("view").set_value("telling").run()
    assert "10 most discriminative mistakes" in headline(app)
    app.get_by_key("view").set_value("queries").run()
    app.get_by_key("bench").set_value("patchwork-reuse").run()
    assert "of the victim's 30 mistakes" in headline(app)
    app.toggle(key="stage").set_value(True).run()
    assert 0 < len(cards(sound(app))) <= 6


def test_a_smaller_budget_fades_what_it_does_not_buy(visit, jobs):
    app = visit(left="uniform(test)->pgd", budget="10")
    jobs.finish()
    app.run()
    faded = [("faded" in card, "beyond the budget" in card) for card in cards(sound(app))]
    assert faded == [(False, False)] * 5 + [(True, True)] * 3 + [(False, False)] * 8  # five pairs are ten queries
    app.get_by_key("page").set_value(2).run()
    assert sum("faded" in card for card in cards(sound(app))) == 8 + 6


def test_one_seed_rule_puts_the_same_images_side_by_side(visit, jobs):
    app = visit(left=PGD, right="uniform(test)")
    jobs.finish()
    app.run()
    assert "start from the same uniform test images" in said(app)
    app.selectbox(key="right").select("negative(test)").run()
    assert "start from different seed images" in said(app)


def test_where_the_victim_looked_is_asked_for_and_shown(visit, jobs):
    app = visit(look="saliency")
    assert any(job.args.get("look") == "saliency" for job in jobs.asked.values())
    assert not any("looked at" in card for card in cards(sound(app)))
    for _ in range(2):  # the left side can be asked about only when it is there
        jobs.finish()
        app.run()
    assert all("looked at" in card for card in cards(sound(app)))
    rows = [job.args["rows"] for job in jobs.asked.values() if job.args.get("look")]
    assert sorted(rows) == [list(range(8)), list(range(1, 16, 2))]


def test_a_link_holds_the_whole_view(visit, jobs):
    bank = evidence.bank("patchwork-reuse")
    pairs = evidence.pairs("patchwork-reuse")
    victim = bank.victims[2]
    suspect = pairs[(pairs["victim"] == victim) & (pairs["kind"] == "negative")]["suspect"].iloc[0]
    link = {"victim": victim, "suspect": suspect, "seed": "2", "left": "uniform(test)", "right": "negative(test)"}
    app = sound(visit(bench="patchwork-reuse", only="disagrees", page="2", budget="200", **link))
    assert not notices(app)
    assert app.selectbox(key="seed").value == 2
    assert app.session_state["page"] == 2
    for key in ("victim", "suspect", "left", "right"):
        assert app.selectbox(key=key).value == link[key]
    assert not jobs.asked


def test_wrong_values_in_a_link_fall_back_with_one_notice(visit):
    link = {"victim": "v", "suspect": "<b>s</b>", "seed": "77", "left": "l", "right": "r", "only": "o", "look": "k"}
    app = sound(visit(view="w", page="zero", **link))
    (notice,) = notices(app)
    for part in (
        "victim v",
        "suspect <b>s</b>",
        "seed 77",
        "left sampler l",
        "right sampler r",
        "filter o",
        "look k",
        "view w",
        "page",
    ):
        assert part in notice
    assert app.selectbox(key="left").value == PGD
    assert notices(app.run()) == [notice]
    assert not notices(app.button(key="notice_close").click().run())


def test_the_page_of_a_link_is_kept_until_its_cards_are_made(visit, jobs):
    app = visit(left="noise->pgd", right="noise", page="3")
    assert app.session_state["page"] == 3
    for _ in range(2):
        jobs.finish()
        app.run()
    assert sound(app).session_state["page"] == 3
    assert not notices(app)
    assert cards(app)


def test_noise_has_neither_truth_nor_place(visit, jobs):
    app = visit(left="noise", right="noise->pgd")
    jobs.finish()
    app.run()
    assert cards(sound(app))
    assert "truth" not in html(app)
    assert "photo" not in html(app)


def test_a_job_that_fails_says_why_and_can_be_tried_again(visit, jobs):
    app = visit()
    (key,) = jobs.asked
    jobs.end(key, "failed", "The *craft* <i>broke</i>.")
    app.run()
    assert r"The \*craft\* \<i\>broke\<\/i\>\." in said(sound(app))
    assert "mistakes" in headline(app)  # the other side stays
    app.button(key="again-left").click().run()
    assert jobs.status(key).state == "running"
    assert "skeleton" in html(sound(app))


def test_a_job_can_be_cancelled_and_tried_again(visit, jobs):
    app = visit()
    app.button(key="cancel-left").click().run()
    assert "Stopped" in said(sound(app))
    app.button(key="again-left").click().run()
    assert "skeleton" in html(sound(app))


@pytest.mark.parametrize(
    ("peer", "shared", "state"),
    [
        (Peer("192.168.1.20", {"host": "talk.example"}), True, "running"),
        (Peer("192.168.1.20", {"host": "talk.example"}), False, "cancelled"),
        (Peer(None, {"host": "localhost"}), True, "cancelled"),
    ],
)
def test_a_visitor_stops_no_job_that_another_tab_wants(visit, jobs, monkeypatch, peer, shared, state):
    monkeypatch.setattr(visitor, "peer", lambda: peer)
    monkeypatch.setattr(jobs, "is_shared", lambda key, by: shared)
    app = visit()
    (key,) = jobs.asked
    app.button(key="cancel-left").click().run()
    assert jobs.status(key).state == state
    assert notices(sound(app)) == ([progress.SHARED] if state == "running" else [])


def test_a_damaged_or_lost_result_is_made_anew(visit, jobs):
    app = visit()
    (key,) = jobs.asked
    jobs.finish()
    jobs.result(key, "safetensors").write_bytes(b"rubbish")
    app.run()
    assert "Try again to make them anew" in said(sound(app))
    app.button(key="again-left").click().run()
    jobs.finish()
    jobs.result(key, "safetensors").unlink()
    app.run()
    assert "skeleton" in html(sound(app))
    assert jobs.status(key).state == "running"


def test_a_click_shows_a_query_large_with_both_models_bars(visit, jobs):
    app = visit()
    jobs.finish()
    app.run()
    app.button(key="open-left-1").click().run()
    assert "query 4 in the order of sending" in said(sound(app))
    table = next(element.value for element in app.html if "bars" in element.value and "<table" in element.value)
    assert table.index("astronaut") < table.index("rocket")
    assert "100%" in table


def test_what_is_not_shown_any_more_is_not_wanted_any_more(visit, jobs, monkeypatch):
    left = []
    monkeypatch.setattr(jobs, "leave", lambda key, by: left.append(key))
    app = visit(left="uniform(test)->pgd", right="uniform(test)->pgd")
    (first,) = jobs.asked
    app.get_by_key("left").select("uniform(train)->pgd").run()
    assert left == []  # the other side shows it
    app.get_by_key("right").select("uniform(train)->pgd").run()
    assert left == [first]


def test_what_nobody_wanted_for_a_while_is_asked_for_again_by_whoever_comes(visit, jobs):
    visit()
    (key,) = jobs.asked
    jobs.end(key, "cancelled", UNWANTED)
    assert "skeleton" in html(sound(visit()))
    assert jobs.status(key).state == "running"


def test_a_session_that_has_enough_runs_is_told_so_and_can_try_again(visit, jobs, monkeypatch):
    monkeypatch.setattr("qurd_core.jobs.queue.OF_ONE", 0)
    app = visit()
    assert "at most 0 runs at a time from one browser tab" in said(sound(app))
    app.button(key="again-left").click().run()
    assert notices(sound(app))[0].startswith("Expected at most 0 runs at a time from one browser tab.")


def test_a_suspect_that_reveals_labels_has_no_bars_and_the_dialog_says_why(visit, jobs):
    app = visit(reveal="labels")
    jobs.finish()
    app.run()
    app.button(key="open-left-1").click().run()
    table = next(element.value for element in sound(app).html if "bars" in element.value and "<table" in element.value)
    assert "<th>victim</th></tr>" in table and "suspect" not in table
    assert "A bar of the suspect needs probits; the suspect reveals labels." in said(app)


def test_every_side_names_the_schemes_that_send_it_and_what_they_need(visit, jobs):
    app = visit(left="uniform(test)", right="negative(test)", reveal="labels")
    assert "Sent by Random and FBI:labels · FBI needs top-k labels; the suspect reveals labels" in html(sound(app))
    assert "Sent by AKH" in html(app)
    app.get_by_key("reveal").set_value("topk").run()
    assert "Sent by Random, FBI and FBI:labels" in html(sound(app))
    assert any(one.proto.popover.label == "Suspect reveals **top-k labels**" for one in app.get("popover"))


def test_a_natural_query_asks_the_worker_for_its_bars(visit, jobs):
    app = visit(left="uniform(test)", right="negative(test)")
    assert not jobs.asked
    app.button(key="open-right-0").click().run()
    assert ["Asking both models" in bar.proto.text for bar in sound(app).get("progress")] == [True]
    assert [job.args["sampler"] for job in jobs.asked.values()] == ["negative(test)"]
    jobs.finish()
    app.run()  # as the line that waits does when the job ends
    assert any("bars" in element.value and "<table" in element.value for element in sound(app).html)
    assert not app.get("progress"), "nothing runs, so nothing may look again and again whether it does"


def test_a_job_that_failed_is_not_waited_for_while_its_query_is_looked_at(visit, jobs):
    app = visit(left="uniform(test)", right="negative(test)")
    app.button(key="open-right-0").click().run()
    for key in jobs.asked:
        jobs.end(key, "failed", "The disk is full.")
    app.run()
    assert "The disk is full" in said(sound(app))
    assert not app.get("progress")
    app.button(key="again-closer").click().run()
    assert len(sound(app).get("progress")) == 1


def test_a_victim_without_mistakes_offers_another_sampler(visit, jobs, monkeypatch):
    bank = evidence.bank("patchwork-sac")
    nothing = {cell: np.full_like(drawn, -1) if "negative" in cell[0] else drawn for cell, drawn in bank.draws.items()}
    monkeypatch.setattr(cached, "bank", lambda _: replace(bank, draws=nothing))
    st.cache_resource.clear()
    app = visit(left="uniform(test)")
    assert "makes no mistake" in said(sound(app))
    app.button(key="instead-right").click().run()
    assert sound(app).selectbox(key="right").value == "uniform(test)"
    assert len(cards(app)) == 16
    st.cache_resource.clear()


def test_names_are_shown_as_text(visit, jobs, monkeypatch):
    bank = evidence.bank("patchwork-sac")
    monkeypatch.setattr(cached, "bank", lambda _: replace(bank, classes=(ODD,) * 10))
    st.cache_resource.clear()
    for view in ("queries", "telling"):
        app = sound(visit(left="uniform(test)", view=view))
        assert "<img src=x" not in html(app)
        assert "&lt;img src=x" in html(app)
    st.cache_resource.clear()


def test_telling_images_show_both_halves(visit, jobs):
    app = sound(visit(view="telling"))
    assert "most discriminative mistakes" in headline(app)
    assert html(app).count('class="bar stolen"') == html(app).count('class="bar unrelated"') == 10
    assert html(app).count("selection half: ") == 20
    assert "Selection half" in said(app)
    assert not jobs.asked
    assert "telling.telling(" in app.code[0].value


def test_the_export_computes_the_view_again(visit, jobs):
    app = sound(visit(left="uniform(test)", budget="50"))
    assert 'query_job.facts("patchwork-sac"' in app.code[0].value
    assert "budget=50" in app.code[0].value
    assert "No command gives these rows" in said(app)
