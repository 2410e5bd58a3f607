"""An API that stalls, limits, lies and dies: what was answered is kept and paid for once, and every stop is a sentence."""

import itertools
import json
import os
import signal
import threading
import time
from collections import Counter

import numpy as np
import pytest

from qurd_core.benchmarks.own.sources.api_file import read_api
from qurd_core.benchmarks.own.sources.by_picture import name_of, png
from qurd_core.errors import QurdError
from qurd_core.suspects.elsewhere import network
from qurd_core.suspects.elsewhere.egress import Line
from qurd_core.suspects.elsewhere.journal import Journal, journal_of
from tests.qurd_core.suspects.elsewhere.killed import asking
from tests.qurd_core.suspects.elsewhere.shop import CLASSES, KEY, Shop, api_text, as_json, label_of, serving

PIXELS = np.random.default_rng(0).integers(256, size=(30, 3, 4, 4), dtype=np.uint8)
PICTURES = {name_of(picture): png(picture) for picture in PIXELS}
TRUE = {name_of(picture): label_of(picture) for picture in PIXELS}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The same rules with shorter waits."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    monkeypatch.setattr(network, "FIRST", 0.002)
    monkeypatch.setattr(network, "LONGEST", 0.02)


class Asked:
    """One API in a folder, asked as often as somebody calls `ask`."""

    def __init__(self, home, url, **changes):
        self.path, self.home = home / "shop.yaml", home
        self.path.write_text(api_text(url, **changes))
        self.notes = []

    @property
    def api(self):
        return read_api(self.path, CLASSES)

    @property
    def journal(self):
        return journal_of(self.home, self.api.address)

    def ask(self, pictures=PICTURES):
        asking = self.asking(pictures)
        asking.all()
        self.notes = asking.notes
        return self.labels

    def asking(self, pictures=PICTURES):
        return network.Asking(self.api, pictures, self.journal, Line(self.api), CLASSES)

    @property
    def labels(self):
        found = network.answers(self.api, self.journal, CLASSES)
        return {name: max(range(len(CLASSES) + 1), key=row.__getitem__) for name, row in found.items()}


@pytest.fixture
def shop():
    with serving(Shop()) as made:
        yield made


@pytest.fixture
def asked(shop, tmp_path):
    return lambda **changes: Asked(tmp_path, shop.url, **changes)


def limits(**changes):
    return {"per_second": 1000, "requests": 400, "seconds": 5} | changes


@pytest.mark.parametrize(
    "answer",
    [
        {"gives": "labels", "label": "result.label"},
        {"gives": "labels", "label": "results.*.name", "score": "results.*.p"},
        {"gives": "topk", "label": "results.*.name", "score": "results.*.p", "top": 2},
        {"gives": "probits", "scores": "probs"},
        {"gives": "probits", "scores": "listed"},
    ],
)
def test_every_picture_is_asked_once_and_ten_are_asked_twice(shop, asked, answer):
    one = asked(answer=answer, limits=limits(parallel=4))
    assert one.ask() == TRUE
    assert sorted(shop.requests.values()) == [1] * 20 + [2] * 10
    assert one.ask() == TRUE  # and nothing leaves
    assert shop.requests.total() == one.journal.requests == 40


@pytest.mark.parametrize("parallel", [1, 4])
def test_with_three_faults_in_ten_the_answers_are_those_without(shop, asked, parallel):
    shop.random = 0.3
    one = asked(limits=limits(parallel=parallel, requests=200))
    assert one.ask() == TRUE
    assert shop.requests.total() == one.journal.requests <= 200
    assert max(shop.answered.values()) == 2
    assert len([name for name, times in shop.answered.items() if times == 2]) == 10
    (note,) = one.notes
    assert note.startswith(f"{one.journal.failures.total()} requests to 127.0.0.1 had no answer that can be read: ")


def test_hard_caps_hold_across_restarts_and_failed_attempts_count(shop, asked):
    shop.faults = itertools.cycle(["500", None])
    one = asked(limits=limits(requests=41))
    assert len(one.ask()) == 20  # of 41 requests every second one failed
    assert shop.requests.total() == 41
    assert "The 41 requests that shop.yaml allows were made before every picture was answered." in one.notes
    for _ in range(2):
        one.ask()
    assert shop.requests.total() == 41
    with pytest.raises(QurdError, match=r"0 are left of the 41 that shop\.yaml allows in all: raise 'requests' there"):
        network.bill(one.api, list(PICTURES), one.journal)
    shop.faults = iter(())
    one.path.write_text(api_text(shop.url, limits=limits(requests=100)))
    assert one.ask() == TRUE
    assert shop.requests.total() == 41 + 10 + 10


def test_money_is_a_cap_as_well(shop, asked):
    one = asked(limits=limits(price=0.1, spend=3.0, currency="EUR"))
    with pytest.raises(QurdError, match=r"40 requests to 127\.0\.0\.1\. 30 are left of the 30 .* raise 'spend'"):
        network.bill(one.api, list(PICTURES), one.journal)
    assert len(one.ask()) == 30
    assert shop.requests.total() == 30


def test_the_bill_says_what_is_still_to_be_asked(shop, asked):
    one = asked(limits=limits(price=0.0015, spend=1.0, currency="EUR", per_second=2))
    assert str(network.bill(one.api, [str(n) for n in range(150)], one.journal)) == (
        "160 requests to 127.0.0.1, 0.24 EUR, about 80 s; attempts that fail come on top, up to 400 requests or 0.60 EUR in"
        " all."
    )
    one.path.write_text(api_text(shop.url))
    one.ask()
    assert network.bill(one.api, list(PICTURES), one.journal).requests == 0


@pytest.mark.parametrize("fault", ["429 wait", "429 date"])
def test_whoever_asks_us_to_wait_is_waited_for(shop, asked, fault):
    shop.faults = iter([None, fault])
    assert asked().ask(dict(list(PICTURES.items())[:2])) == dict(list(TRUE.items())[:2])
    assert 1.9 <= shop.times[2] - shop.times[1] < 6


def test_requests_leave_at_the_pace_that_the_file_says(shop, asked):
    asked(limits=limits(per_second=50, parallel=8)).ask(dict(list(PICTURES.items())[:10]))
    gaps = np.diff(sorted(shop.times))
    assert shop.times[-1] - shop.times[0] >= 0.9 * 19 / 50
    assert np.median(gaps) > 0.01


STOPS = {
    "401": ("The API refuses the key in SHOP_KEY (401). Nothing more was asked.", 1),
    "403": ("The API refuses the key in SHOP_KEY (403). Nothing more was asked.", 1),
    "302": ("127.0.0.1 sends us on to other.example. Put the final address into shop.yaml.", 1),
    "307": ("127.0.0.1 sends us on to 169.254.169.254. Put the final address into shop.yaml.", 1),
    "429 tomorrow": ("127.0.0.1 asks to wait for 1,440 minutes. Every answer is kept: run it again then.", 1),
    "429": ("20 requests in a row to 127.0.0.1 had no answer that can be read, the last one: 429 (Too Many Requests).", 20),
    "503": (
        "20 requests in a row to 127.0.0.1 had no answer that can be read, the last one: 503 (Service Unavailable).",
        20,
    ),
    "html": (
        "20 requests in a row to 127.0.0.1 had no answer that can be read, the last one: an answer that is no JSON.",
        20,
    ),
    "hang up": ("20 requests in a row to 127.0.0.1 had no answer that can be read, the last one: the connection failed", 20),
    "nan": ("the last one: an answer that is no JSON", 20),
    "400": ("127.0.0.1 answers 400 (Bad Request): bad picture for *** Correct the file", 3),
    "shape": ("The answers of 127.0.0.1 are not what shop.yaml says: it has no 'result'. One begins with", 3),
}


@pytest.mark.parametrize("fault", STOPS)
def test_what_goes_on_for_ever_stops_the_run_with_a_sentence(shop, asked, fault):
    says, requests = STOPS[fault]
    shop.faults = itertools.repeat(fault)
    one = asked()
    with pytest.raises(QurdError) as told:
        one.ask()
    assert says in str(told.value)
    assert shop.requests.total() == one.journal.requests == requests
    assert one.labels == {}


def test_a_run_that_was_stopped_goes_on_with_the_rest(shop, asked):
    shop.faults = itertools.chain([None] * 12, itertools.repeat("503"))
    one = asked()
    with pytest.raises(QurdError, match="12 of 30 pictures are answered and kept: run it again, and only the others"):
        one.ask()
    shop.faults = iter(())
    assert one.ask() == TRUE
    assert max(shop.answered.values()) == 2
    assert shop.answered.total() == 40


def test_an_answer_of_another_shape_is_kept_and_read_once_the_file_is_right(shop, asked):
    one = asked(answer={"gives": "labels", "label": "result.name"})
    with pytest.raises(QurdError, match=r"it has no 'result\.name'"):
        one.ask()
    assert shop.requests.total() == 3
    one.path.write_text(api_text(shop.url, names={"cat": "dog", "dog": "cat"}))
    swapped = one.ask()
    assert swapped == {name: {0: 1, 1: 0, 2: 2}[label] for name, label in TRUE.items()}
    assert shop.requests.total() == 40


def test_a_stray_answer_of_another_shape_is_missing_and_stops_nothing(shop, asked):
    shop.faults = iter([None, "shape", "other class", "400", "shape"])
    one = asked()
    found = one.ask()
    names = list(PICTURES)
    assert found[names[2]] == len(CLASSES)  # no class of ours
    assert {*names} - {*found} == {names[1], names[3], names[4]}
    assert one.notes == ["1 requests to 127.0.0.1 had no answer that can be read: 1 x 400 (Bad Request)."]


def test_an_api_that_does_not_repeat_itself_is_told(shop, asked):
    seen = Counter()

    def moody(pixels):
        seen[name_of(pixels)] += 1
        return {"result": {"label": CLASSES[(label_of(pixels) + seen[name_of(pixels)]) % 3]}}

    one = asked()
    one.ask()
    assert network.repeated(one.api, one.journal, list(PICTURES), CLASSES) is None
    shop.answer = moody
    other = Asked(one.home, shop.url, body={"model": "moody"})
    other.ask()
    said = network.repeated(other.api, other.journal, list(PICTURES), CLASSES)
    assert said.startswith("127.0.0.1 was asked about 10 pictures twice and gave 0 of them the same class again")
    assert "Nothing was asked a third time." in said
    assert max(shop.requests.values()) == 4


def test_two_who_ask_at_once_pay_once(shop, asked):
    shop.pause = 0.005
    one, found = asked(), []
    threads = [threading.Thread(target=lambda: found.append(one.ask())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [TRUE] * 3
    assert shop.requests.total() == 40


def test_ctrl_c_keeps_the_answers(shop, asked):
    def interrupt(items, total, label):
        for number, item in enumerate(items):
            if number == 4:
                raise KeyboardInterrupt
            yield item

    one = asked(limits=limits(per_second=100))
    with pytest.raises(QurdError, match=r"Stopped after \d+ of 30 pictures\. The answers are kept: going on asks only the"):
        one.asking().all(interrupt)
    kept = len(one.journal.answered)
    assert 4 <= kept < 30
    assert one.ask() == TRUE
    assert shop.requests.total() <= 41


def test_no_key_is_in_any_file(shop, asked, tmp_path):
    shop.answer = lambda pixels: as_json(pixels) | {"you are": f"Bearer {KEY}"}
    shop.faults = iter(["403", "400", "500"])
    one = asked()
    with pytest.raises(QurdError):
        one.ask()
    shop.faults = iter(["400"])
    one.ask()
    held = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert sum("***" in text for text in held) == 1  # the journal
    assert not [text for text in held if KEY in text]


def test_half_a_line_is_taken_away_and_a_damaged_one_counts_as_a_request(shop, asked):
    one = asked()
    one.ask()
    path = one.journal.path
    lines = path.read_bytes().splitlines(keepends=True)
    for cut in (1, 20, len(lines[-1]) - 1):
        path.write_bytes(b"".join(lines[:-1]) + lines[-1][:cut])
        again = Journal(path)
        with again.open():
            assert again.requests == 40
        assert path.read_bytes() == b"".join(lines[:-1])
    place = [number for number, line in enumerate(lines) if b'"answered"' in line][20]  # which was asked about once
    flipped = lines[place].replace(b"cat", b"dog").replace(b"owl", b"dog").replace(b"result", b"Result")
    path.write_bytes(b"".join([*lines[:place], flipped, *lines[place + 1 :]]))
    damaged = Journal(path)
    assert (damaged.requests, len(damaged.answered)) == (41, 29)


def test_every_flipped_byte_of_a_journal_changes_no_answer(shop, asked):
    one = asked()
    one.ask(dict(list(PICTURES.items())[:3]))
    path, good = one.journal.path, Journal(one.journal.path)
    data = path.read_bytes()
    for place in range(0, len(data), 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        found = Journal(path)
        assert all(good.answered[name] == text for name, text in found.answered.items())


def test_a_disk_that_takes_no_intent_lets_no_request_leave(shop, asked, monkeypatch):
    one, real, left = asked(), os.fsync, [9]

    def full(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        one.ask()
    monkeypatch.undo()
    monkeypatch.setenv("SHOP_KEY", KEY)
    assert shop.requests.total() <= 5
    assert one.ask() == TRUE


@pytest.mark.slow
@pytest.mark.parametrize("parallel", [1, 3])
def test_whoever_is_killed_at_any_moment_pays_for_no_answer_twice(shop, asked, tmp_path, parallel):
    """A real process ends by SIGKILL as soon as the server has seen some more requests; the server counts."""
    shop.pause = 0.01
    one = asked(limits=limits(parallel=parallel))
    np.savez(tmp_path / "pictures.npz", pixels=PIXELS)
    rng, kills = np.random.default_rng(0), 0
    while len(one.journal.answered) < len(PICTURES):
        process, until = asking(tmp_path), shop.requests.total() + int(rng.integers(1, 9))
        while shop.requests.total() < until and process.poll() is None:
            time.sleep(0.001)
        time.sleep(float(rng.uniform(0, 0.01)))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
    process = asking(tmp_path)
    assert json.loads(process.communicate()[0]) == TRUE
    assert kills >= 3
    assert shop.requests.total() <= 40 + parallel * kills  # ten are asked twice in any case
    assert one.journal.requests >= shop.requests.total()  # each was on disk before it left
    assert max(shop.requests.values()) <= 2 + parallel * kills
