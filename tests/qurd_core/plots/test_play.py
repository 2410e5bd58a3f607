"""The figure of Play, from the table to the frames."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from qurd_core import findings, plots
from qurd_core.plots.drawing.theme import STOLEN, UNRELATED, Style

ROWS = pd.DataFrame(
    {
        "query": [1, 2, 3],
        "image": [7, 8, 9],
        "truth": ["cat", "<b>cat", "cat"],
        "victim": ["coffee", "coffee", "flower"],
        "stolen": ["coffee", "cat", "flower"],
        "innocent": ["cat", "cat", "flower"],
        "distance_stolen": [0, 1 / 2, 1 / 3],
        "distance_innocent": [1, 1, 2 / 3],
        "threshold": [1, 1, 1 / 2],
    }
)
PICTURES = [plots.play.tile(np.full((32, 32, 3), shade, np.uint8)) for shade in (0, 100, 200)]


def frames(**options):
    return json.loads(plots.play.figure(ROWS, PICTURES, **options).to_json())["frames"]


def test_there_is_a_frame_for_every_query_and_lines_grow():
    found = frames()
    assert [frame["name"] for frame in found] == ["1", "2", "3"]
    assert [len(trace["y"]) for trace in found[1]["data"][:3]] == [2, 2, 2]
    assert found[1]["data"][2]["y"] == [0, 0.5]
    assert found[2]["layout"]["annotations"][0]["text"] == findings.play.verdict(ROWS)


def test_tiles_of_a_frame_stay_bars_and_say_who_agrees():
    style = Style("dark")
    bars, answers = frames(style=style)[0]["data"][-2:]
    assert bars["type"] == "bar"
    assert bars["base"] == [0.05, 1.05, 2.05, 3.05]
    assert answers["text"] == ["✗ cat", "✓ coffee", "coffee", "cat"]
    assert bars["marker"]["color"][:2] == [style.colour(UNRELATED), style.colour(STOLEN)]
    assert frames()[1]["data"][-1]["text"][-1] == "&lt;b&gt;cat"


def test_what_is_not_sent_yet_is_behind_the_curtain():
    chart = plots.play.figure(ROWS, PICTURES, sent=2)
    assert (chart.layout.shapes[0].x0, chart.layout.shapes[0].x1) == (2.5, chart.layout.xaxis2.maxallowed)
    assert chart.layout.annotations[0].text == (
        "Query 2 of 3. Same answer as the victim: stolen model 1 of 2, unrelated model 0 of 2."
    )
    assert [image.x for image in chart.layout.images] == [1, 2, 3]


def test_play_goes_on_from_what_was_sent_and_restart_begins_anew():
    play_button, pause, restart = plots.play.figure(ROWS, PICTURES, sent=2).layout.updatemenus[0].buttons
    assert list(play_button.args[0]) == ["3"]
    assert list(pause.args[0]) == [None]
    assert list(restart.args[0]) == ["1", "2", "3"]
    assert 100 * plots.play.PACE < 30_000


def test_nothing_of_a_frame_moves_after_it_was_drawn_when_the_chart_may_be_gone():
    moved = [part for frame in frames() for name, part in frame["layout"].items() if "axis" in name]
    assert moved and not any("range" in axis for axis in moved)
    player = plots.play.figure(ROWS, PICTURES).layout
    moves = [*player.updatemenus[0].buttons, *player.sliders[0].steps]
    assert {move.args[1]["transition"]["duration"] for move in moves} == {0}


@pytest.mark.parametrize(("sent", "style"), [(1, Style()), (3, Style("dark", True)), (100, Style())])
def test_any_number_sent_is_drawn(sent, style):
    chart = plots.play.figure(ROWS, PICTURES, sent=sent, style=style)
    assert len(chart.data[0].y) == min(sent, 3)


def test_the_verdict_names_mistakes_and_what_is_not_known():
    assert findings.play.verdict(ROWS) == (
        "Of 3 queries the stolen model disagrees on 33%: caught; the unrelated one on 67%: cleared. Threshold: 50%."
    )
    longest = findings.play.verdict(pd.concat([ROWS] * 2).assign(query=400, distance_stolen=1.0, threshold=0.7))
    assert "missed; the unrelated one on 67%: a false alarm." in longest
    assert len(longest) <= 120, "more letters are cut on a stage of 1920 pixels"
    unknown = ROWS.assign(threshold=math.nan)
    assert "too few unrelated models for a threshold" in findings.play.verdict(unknown)
    assert "nan" not in plots.play.figure(unknown, PICTURES).to_json().lower()


def test_a_tile_keeps_its_pixels_sharp_and_asks_nobody():
    assert PICTURES[0].startswith("data:image/svg+xml,")
    assert "pixelated" in PICTURES[0]
    assert "http://www.w3.org/2000/svg" in PICTURES[0]
