"""Suspects that are asked about while somebody watches: step by step, every answer kept, and the same verdict as ever."""

import json

import pytest

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.jobs import live
from qurd_core.jobs.kinds import check_job
from qurd_core.records.runs import Cancelled
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects.checking import answered
from qurd_core.suspects.question import question
from qurd_core.suspects.verifying import verify
from qurd_core.views.check.checked import Checked
from tests import toy
from tests.qurd_core.suspects.test_folder import Counted

THIEF, OTHER = "train(vgg,victim)->finetune(seed=1)", toy.STRANGERS[0]
VICTIM, ASKED = toy.VICTIMS[0], {"scheme": "AKH", "budget": 20, "stop": "peak", "version": ""}


class Watch:
    """Notes every step, and stops at one."""

    def __init__(self, until=None):
        self.steps, self.until = [], until

    def __call__(self, done, total):
        self.steps.append((done, total))
        if self.until is not None and done >= self.until:
            raise Cancelled


def ask(folder, watch, suspects=(THIEF,), **how):
    asked = ASKED | how
    check_job.run(folder, folder / "runs" / "x", watch, benchmark="toy", victim=VICTIM, suspects=list(suspects), **asked)
    return Checked.read(folder / "runs" / "x.verdict")


@pytest.mark.parametrize("how", [{}, {"stop": "none"}, {"stop": "bound"}, {"scheme": "FBI:labels", "stop": "none"}])
@pytest.mark.slow
def test_it_says_what_the_command_says(tmp_path, how):
    watch = Watch()
    found = ask(tmp_path, watch, **how)
    asked = ASKED | how
    bench = benchmark("toy")
    about = question(bench, VICTIM, (THIEF,), (asked["scheme"],), budget=20, level=0.05, stop=asked["stop"], fit=100)
    assert found.verdicts == answered(bench, about, Store(tmp_path / "other"), Runtime()).each
    known = 1 + len(about.known)
    assert watch.steps[:2] == [(0, known + 20), (1, known + 20)]
    assert watch.steps[-1] == (known + 20, known + 20)
    sent = [done - known for done, _ in watch.steps if done > known]
    assert sent == [5, 10, 15, 20, 20]


def test_what_it_leaves_is_verified_and_its_number_stands_on_the_page(tmp_path):
    found = ask(tmp_path, Watch(), (THIEF, "train(vgg,victim)->finetune(seed=2)"), budget=10, stop="none", scheme="Random")
    assert (found.seal, found.verdicts[0].said) == (None, "refused")  # 24 unrelated models for two suspects at 5 %
    found = ask(tmp_path, Watch())
    again = verify(tmp_path / "runs" / "x.zip")
    assert again.faults == []
    assert again.number == found.seal
    assert not (tmp_path / "runs" / "x.evidence").exists()


@pytest.mark.parametrize("until", [3, 31, 36, 41])
@pytest.mark.slow
def test_whoever_stops_and_goes_on_asks_the_rest_only(tmp_path, monkeypatch, until):
    with Counted(monkeypatch) as whole:
        expected = ask(tmp_path / "whole", Watch())
    with Counted(monkeypatch) as first, pytest.raises(Cancelled):
        ask(tmp_path / "parts", Watch(until))
    with Counted(monkeypatch) as second:
        found = ask(tmp_path / "parts", Watch())
    assert found.verdicts == expected.verdicts
    assert first.images + second.images == whole.images
    for name in {*first.by_model, *second.by_model}:
        assert first.by_model.get(name, 0) + second.by_model.get(name, 0) == whole.by_model[name]


def test_a_suspect_is_asked_after_the_seal_and_what_is_known_so_far_is_there(tmp_path):
    folder = tmp_path / "runs" / "x.evidence"
    known = 1 + 24 + 1 + 1  # victim, unrelated, hard and the other thief
    with pytest.raises(Cancelled):
        ask(tmp_path, Watch(known))
    assert not (tmp_path / "runs" / "x.verdict").exists() and not folder.exists()
    with pytest.raises(Cancelled):
        ask(tmp_path, Watch(known + 10))
    part = Checked.read(tmp_path / "runs" / "x.verdict")
    assert (part.sent, part.done, part.verdicts) == (10, False, ())
    assert len(json.loads((folder / "seal.json").read_bytes())["pool"]) == part.lineages == 24
    suspect = part.models[part.models["side"] == "suspect"].iloc[0]
    assert len(suspect["agrees"]) == 10
    whole = ask(tmp_path, Watch())
    assert whole.seal == part.seal  # the seal is continued
    assert whole.models.set_index("model").loc[THIEF, "agrees"].startswith(suspect["agrees"])
    assert part.so_far(THIEF).tolist() == whole.so_far(THIEF)[:10].tolist()


def test_a_question_that_cannot_be_asked_is_one_sentence(tmp_path):
    with pytest.raises(QurdError, match="Unknown suspect 'nobody'"):
        ask(tmp_path, Watch(), ("nobody",))
    with pytest.raises(QurdError, match="Expected one scheme that counts agreements"):
        ask(tmp_path, Watch(), scheme="SAC")


def test_the_key_of_a_job_changes_with_the_question_and_the_parts_of_the_scheme():
    asked, others = (
        ("patchwork-sac", VICTIM, (THIEF,), "AKH", 100, "peak", "1"),
        ("patchwork-reuse", "v", (OTHER,), "Random"),
    )
    changed = [(*asked[:place], other, *asked[place + 1 :]) for place, other in enumerate((*others, 50, "none", "2"))]
    assert len({live.check_job(*one).key for one in (asked, *changed)}) == 8
