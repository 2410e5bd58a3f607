"""A suspect behind an API that is asked while somebody watches: nothing leaves before somebody agrees, and nothing twice."""

import threading

import pytest

from qurd_core.benchmarks import base, registered
from qurd_core.benchmarks.base import benchmark
from qurd_core.findings.check import verdicts
from qurd_core.jobs.kinds import check_job, own_job
from qurd_core.records import evidence, own_records
from qurd_core.records.runs import Cancelled
from qurd_core.suspects.checking import check
from qurd_core.suspects.verifying import verify
from qurd_core.views.check.checked import Asks, Checked, agree
from tests.qurd_core.jobs.test_live_checks import Watch
from tests.qurd_core.suspects.elsewhere.test_outside import apart_home, home, said, shop, store  # noqa: F401 (fixtures)

ASKED = {"victim": "mine", "scheme": "AKH", "budget": 60, "stop": "peak", "version": ""}
KNOWN = 1 + 20


class InTurn(Watch):
    """A watch for which the API waits, question by question, until it stops."""

    def __init__(self, shop, until):  # noqa: F811
        super().__init__(until)
        self._turn, answer = threading.Semaphore(0), shop.answer
        shop.answer = lambda pixels: self._turn.acquire(timeout=60) and answer(pixels)

    def __call__(self, done, total):
        if done >= KNOWN:
            self._turn.release(1 if done < self.until else 1000)
        super().__call__(done, total)


@pytest.fixture
def ask(apart_home, store, said, tmp_path):  # noqa: F811
    """Has the worker ask, with an agreement to so many requests if one is given; what it has left."""

    def run(watch=None, allowed=None, suspects=("shop",), **how):
        stem = tmp_path / "runs" / "x"
        if allowed is not None:
            agree(stem, [Asks("shop", allowed, "")])
        asked = ASKED | how | {"suspects": list(suspects), "benchmark": str(apart_home)}
        check_job.run(store.folder, stem, watch or Watch(), **asked)
        return Checked.read(stem.with_suffix(".verdict"))

    return run


@pytest.mark.slow
def test_requests_and_price_are_said_before_anything_is_sent_and_the_rest_follows_the_agreement(
    ask,
    apart_home,  # noqa: F811
    store,  # noqa: F811
    shop,  # noqa: F811
    said,  # noqa: F811
    tmp_path,
):
    said(limits={"requests": 400, "price": 0.01, "spend": 4, "currency": "EUR", "per_second": 1000})
    for allowed in (None, 109):  # one less than there are
        found = ask(allowed=allowed)
        assert (found.done, found.sent, shop.requests.total()) == (False, 0, 0)
        ((suspect, requests, told),) = found.asks
        assert (suspect, requests) == ("shop", 110)
        assert told.startswith("up to 110 requests to 127.0.0.1, at most 1.10 EUR, about 0 s;")
        assert len(found.models) == 20 + 1
    with pytest.raises(Cancelled):
        ask(InTurn(shop, KNOWN + 3), allowed=110)
    part = Checked.read(tmp_path / "runs" / "x.verdict")
    before = shop.requests.total()
    assert before >= 3
    assert part.paid.endswith(" of 1.10 EUR") and part.paid != "0.00 of 1.10 EUR"
    assert (part.sent, part.done) == (3, False)
    assert len(part.models.set_index("model").loc["shop", "agrees"]) == 3
    again = ask()  # what was agreed to is used up
    assert (again.asks[0].requests, shop.requests.total()) == (110 - before, before)
    assert again.seal == part.seal
    whole = ask(allowed=again.asks[0].requests)
    (verdict,) = whole.verdicts
    assert (whole.asks, verdict.said) == ((), "closer")
    assert verdict.used == verdict.asked < 60
    assert f"AKH, 60 queries · p 4.8 % · said after {verdict.used} queries" in verdicts.subline(whole).replace("\xa0", " ")
    assert sorted(shop.requests.values()) == [1] * (verdict.used + 40 - 10) + [2] * 10
    assert len(whole.models.set_index("model").loc["shop", "agrees"]) == verdict.used
    assert verify(tmp_path / "runs" / "x.zip").faults == []
    command = check(str(apart_home), suspects=["shop"], budget=60, agree=lambda bill: pytest.fail(bill), store=store)
    assert command.each == whole.verdicts


@pytest.mark.slow
def test_local_suspects_answer_first_and_are_drawn_meanwhile(ask, shop, said):  # noqa: F811
    said(body={"model": "second"})
    found = ask(suspects=("s0", "shop"), stop="none", scheme="Random", budget=20)
    assert found.verdicts[0].said == "refused"  # 20 lineages are too few for two
    assert shop.requests.total() == 0


@pytest.mark.slow
def test_a_benchmark_without_thieves_is_measured_without_its_apis(home, shop, said, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    base.register("mine", str(home))
    about = {"state": registered.state(home), "parts": own_records.parts()}
    own_job.run(tmp_path, tmp_path / "job", lambda done, total: None, benchmark="mine", **about)
    assert shop.requests.total() == 0
    note = own_records.note_of("mine")
    assert (note.suspects, note.remote) == (("s0", "shop"), ("shop",))
    assert "Over a network nobody is asked about every item, so shop can be seen on the page Check only." in note.notes
    assert {*evidence.pairs("mine").query("kind == 'suspect'")["suspect"]} == {"s0"}
    assert evidence.remote("mine") == ("shop",)
    assert benchmark(str(home)).remote.keys() == {"shop"}
