"""A suspect behind an API, asked by 'check' from end to end: a folder of models, a real server, the verdict of the model."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation.checks import check as check_benchmark
from qurd_core.evaluation.workbench import workbench
from qurd_core.files import ROOT
from qurd_core.records.sealed import canonical, sha
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from qurd_core.suspects.checking import check
from qurd_core.suspects.elsewhere import outside
from qurd_core.suspects.verifying import verify
from tests.qurd_core.suspects.elsewhere.shop import KEY, Shop, api_text, as_json, serving
from tests.qurd_core.suspects.test_folder import CLASSES, folder_of_suspects

ASKED = {"budget": 20, "fit": 15, "level": 0.2, "stop": "none"}
EARLY = {"suspects": ["shop"], "budget": 60, "stop": "peak"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store in which everybody has answered who is here."""
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A victim, unrelated models, and as suspects a copy (s0) and an API behind which the same copy answers."""
    folder = folder_of_suspects(tmp_path_factory.mktemp("api") / "bench", suspects=1)
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text())
    manifest["models"].append({"model": "shop", "role": "suspect", "source": "api", "api": "shop.yaml"})
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    (folder / "shop.yaml").write_text(api_text("http://127.0.0.1:9/"))
    return folder


@pytest.fixture(scope="module")
def apart_home(home, tmp_path_factory):
    """The same with unrelated models that answer here this and there that: the mean of their logits is taken away."""
    folder = tmp_path_factory.mktemp("apart")
    for path in home.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    bench = benchmark(str(folder))
    x = bench.images("test").pixels.float() / 255
    for name in (model for model in bench.models if model != "mine"):
        mean, held = bench.oracle(name, Runtime()).logits(x).mean(0), load_file(folder / f"{name}.safetensors")
        centred = {key: values - mean if values.shape == mean.shape else values for key, values in held.items()}
        save_file(centred, folder / f"{name}.safetensors")
    return folder


@pytest.fixture
def shop(home, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", KEY)
    oracle = benchmark(str(home)).oracle("s0", Runtime())

    def answer(pixels):
        logits = oracle.logits(torch.from_numpy(pixels.copy())[None].float() / 255)[0]
        order = logits.argsort(descending=True).tolist()
        probs = logits.softmax(0).tolist()
        return {
            "result": {"label": CLASSES[order[0]]},
            "results": [{"name": CLASSES[place], "p": probs[place]} for place in order],
            "probs": dict(zip(CLASSES, probs, strict=True)),
        }

    with serving(Shop(answer)) as made:
        yield made


@pytest.fixture
def said(home, apart_home, shop):
    """Write what the file of the API says."""

    def write(**changes):
        for folder in (home, apart_home):
            (folder / "shop.yaml").write_text(api_text(shop.url, **changes))

    write()
    return write


def ask(home, store, *, agree=lambda bill: True, **how):
    return check(str(home), agree=agree, store=store, **(ASKED | how))


def alike(found):
    own, shop = found.each
    assert (own.suspect, shop.suspect) == ("s0", "shop")
    for name in ("said", "p", "p_adjusted", "fit", "missing", "asked"):
        assert getattr(own, name) == getattr(shop, name), name
    assert own.score == pytest.approx(shop.score, abs=1e-5)
    return shop


@pytest.mark.slow
def test_an_api_gets_the_verdict_of_the_model_behind_it_and_is_asked_once(home, store, shop, said):
    bills = []
    found = ask(home, store, agree=lambda bill: bills.append(bill) or True)
    alike(found)
    assert bills == ["45 requests to 127.0.0.1, about 0 s; attempts that fail come on top, up to 400 requests in all."]
    assert sorted(shop.requests.values()) == [1] * 25 + [2] * 10
    again = ask(home, store, agree=lambda bill: pytest.fail("nothing is left to ask"))
    assert again.each == found.each
    ask(home, store, suspects=["shop"], budget=30)
    assert shop.requests.total() == 45 + 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "scheme"),
    [
        ({"gives": "probits", "scores": "probs"}, "negative(test) | probits | l1"),
        (
            {"gives": "topk", "label": "results.*.name", "score": "results.*.p", "top": 2},
            "uniform(test) | rank(k=2) | hamming",
        ),
        ({"gives": "labels", "label": "result.label"}, "negative(test)->pgd | labels | hamming"),
        ({"gives": "probits", "scores": "probs"}, "negative(test)->boundary(steps=20) | probits | l1"),
    ],
)
def test_what_an_api_reveals_serves_the_schemes_that_need_no_more(home, store, shop, said, answer, scheme):
    said(answer=answer)
    found = ask(home, store, scheme=scheme, budget=12)
    alike(found)
    crafted = "->" in scheme
    assert any("Queries are sent as pictures of 8 bits: " in note for note in found.notes) == crafted
    more = scheme.replace("=2", "=3") if answer["gives"] == "topk" else "negative(test) | logits | cosine"
    with pytest.raises(QurdError, match=r"and 'shop' reveals|and 'shop' names 2"):
        ask(home, store, scheme=more)


@pytest.mark.slow
def test_the_victim_is_asked_about_what_is_left_of_8_bits_only_where_somebody_is_asked_elsewhere(home, store, shop, said):
    scheme = "negative(test)->pgd | labels | hamming"
    bench = benchmark(str(home))
    plain, rounded = (workbench(bench, store, Runtime(), rounded=eight) for eight in (False, True))
    x, y = (next(iter(desk.queries("mine", Scheme.parse(scheme), 0, 12))).x for desk in (plain, rounded))
    assert not torch.equal(x, y)
    assert torch.equal(y, (y * 255).round() / 255)
    assert float((x - y).abs().max()) <= 0.5 / 255 + 1e-6


@pytest.mark.slow
def test_queries_that_do_not_survive_rounding_are_refused_before_anything_is_sent(home, store, shop, said, monkeypatch):
    monkeypatch.setattr(outside, "changed_by_rounding", lambda *asked: 0.4)
    with pytest.raises(QurdError, match=r"Expected queries that survive 8 bits, as pictures have them. 40 % of the answers"):
        ask(home, store, scheme="negative(test)->pgd | labels | hamming", budget=12)
    assert shop.requests.total() == 0


@pytest.mark.slow
def test_nothing_is_sent_without_agreement(home, store, shop, said):
    with pytest.raises(QurdError, match=r"Nothing was sent to 127\.0\.0\.1\."):
        ask(home, store, agree=lambda bill: False)
    with pytest.raises(QurdError, match=r"Expected agreement to 45 requests to 127\.0\.0\.1"):
        ask(home, store, agree=None)
    assert shop.requests.total() == 0


@pytest.mark.slow
def test_the_command_asks_for_agreement_and_hides_the_key(home, store, shop, said, qurd, tmp_path):
    said(limits={"requests": 400, "price": 0.0015, "spend": 1, "currency": "EUR", "per_second": 1000})
    how = ["check", str(home), "--budget", "20", "--fit", "15", "--level", "0.2", "--stop", "none"]
    code, _, error = qurd(*how)
    assert (code, shop.requests.total()) == (2, 0)
    assert "Expected agreement to 45 requests to 127.0.0.1, 0.07 EUR, about 0 s" in " ".join(error.split())
    assert "Add --yes to send them." in " ".join(error.split())
    shop.faults = iter(["403"])
    code, out, error = qurd(*how, "--yes")
    assert code == 2
    assert "The API refuses the key in SHOP_KEY (403)." in error
    code, out, error = qurd(*how, "--yes", "--json")
    own, elsewhere = json.loads(out)
    assert (code, elsewhere["verdict"], elsewhere["score"]) == (0, own["verdict"], own["score"])
    every = [path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert not any(KEY.encode() in data for data in (*every, out.encode(), error.encode()))


@pytest.mark.slow
def test_a_sealed_question_is_asked_in_its_order_and_verified_without_the_api(home, store, shop, said, tmp_path, qurd):
    evidence = tmp_path / "case.zip"
    how = ["check", str(home), "--budget", "20", "--fit", "15", "--level", "0.2", "--stop", "none"]
    how += ["--evidence", str(evidence)]
    code, _, error = qurd(*how, "--seal-only")
    assert (code, shop.requests.total()) == (0, 0), error
    names = list(json.loads((tmp_path / "case" / "seal.json").read_text())["suspects"])
    assert [one["name"] for one in names] == ["s0", "shop"]
    code, _, error = qurd(*how, "--yes")
    assert code == 0, error
    assert shop.requests.total() == 45
    assert verify(evidence).faults == []


@pytest.mark.slow
@pytest.mark.parametrize("stop", ["peak", "bound"])
def test_nothing_is_sent_once_a_verdict_stands(apart_home, store, shop, said, stop):
    bills, how = [], EARLY | {"stop": stop, "level": 0.3}
    (local,) = ask(apart_home, store, **how | {"suspects": ["s0"]}).each
    assert local.used < local.asked == 60
    (found,) = ask(apart_home, store, agree=lambda bill: bills.append(bill) or True, **how).each
    assert (found.said, found.p, found.used, found.asked) == (local.said, local.p, local.used, local.used)
    assert bills[0].startswith("up to 85 requests to 127.0.0.1, about 0 s;")
    sent = local.used + 15  # and every image of the fit
    assert sorted(shop.requests.values()) == [1] * (sent - 10) + [2] * 10
    again = ask(apart_home, store, agree=lambda bill: pytest.fail("nothing is left to ask"), **how)
    assert again.each == (found,)
    (whole,) = ask(apart_home, store, **how | {"stop": "none"}).each  # of which no answer is paid for twice
    assert (whole.asked, whole.missing, shop.requests.total()) == (60, 0, 60 + 15 + 10)


@pytest.mark.slow
def test_whoever_does_not_turn_out_closer_is_asked_everything(apart_home, store, shop, said):
    said(body={"model": "other"})
    shop.answer = as_json
    (found,) = ask(apart_home, store, **EARLY | {"fit": 0}).each
    assert (found.said, found.asked, found.used) == ("not_distinguished", 60, 60)
    assert sorted(shop.requests.values()) == [1] * 50 + [2] * 10


@pytest.mark.slow
def test_over_a_network_peaks_are_usual_and_elsewhere_all_queries(apart_home, store, shop, said):
    said(body={"model": "usual"})
    found = check(str(apart_home), suspects=["shop"], budget=60, fit=15, agree=lambda bill: True, store=store)
    assert found.each[0].used == found.each[0].asked < 60
    assert check(str(apart_home), suspects=["s0"], budget=60, fit=15, store=store).each[0].used == 60
    assert check(
        str(apart_home), suspects=["shop"], scheme="FBI:labels", budget=20, agree=lambda bill: True, store=store
    ).each


@pytest.mark.slow
def test_evidence_of_an_early_verdict_is_verified_and_one_that_ends_elsewhere_is_named(
    apart_home, store, shop, said, tmp_path, qurd
):
    how = ["--suspect", "shop", "--budget", "60", "--fit", "15", "--store", str(store.folder), "--yes"]
    code, out, error = qurd("check", str(apart_home), *how, "--evidence", str(tmp_path / "case"))
    assert code == 0, error
    assert "shop is closer to mine" in out
    assert verify(tmp_path / "case").faults == []
    lines = (tmp_path / "case" / "answers.jsonl").read_bytes().splitlines()
    drawn = [json.loads(line)["query"] for line in lines]
    queries = [query for query in drawn if query.startswith("0:")]
    assert queries == [f"0:{place}" for place in range(len(queries))]
    assert 1 < len(queries) < 60
    assert sum(query.startswith("fit:") for query in drawn) == 15
    for left_out, says in (
        (queries[-1], f"answers.jsonl ends after {len(queries) - 1} queries to 'shop', after which no verdict stood"),
        (queries[0], "answers.jsonl lacks the answer of 'shop' to query '0:0', and not only the last ones."),
        ("fit:3", "answers.jsonl lacks the answer of 'shop' to query 'fit:3', and not only the last ones."),
    ):
        _rewrite(tmp_path / "case", lines, left_out)
        (fault,) = verify(tmp_path / "case").faults
        assert fault.startswith(says)


def _rewrite(folder, lines, left_out):
    """Leave one answer out and repair the chain and the list of files, as whoever does so on purpose would."""
    before, written = sha((folder / "seal.json").read_bytes()), []
    for said in map(json.loads, lines):
        if said["query"] != left_out:
            written.append(canonical(said | {"before": before}))
            before = sha(written[-1])
    (folder / "answers.jsonl").write_bytes(b"".join(line + b"\n" for line in written))
    held = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "files.json"}
    listed = [{"name": name, "bytes": len(data), "sha256": sha(data)} for name, data in held.items()]
    (folder / "files.json").write_bytes(canonical(listed))


@pytest.mark.slow
def test_nobody_else_asks_an_api(home, store, shop, said):
    bench = benchmark(str(home))
    with pytest.raises(QurdError, match="'shop' is asked over a network"):
        bench.oracle("shop", Runtime())
    workbench.cache_clear()
    workbench(bench, store, Runtime())
    report = check_benchmark(str(home), store)
    assert report.problems == []
    assert shop.requests.total() == 0


@pytest.mark.slow
def test_a_triage_takes_what_was_answered_before_and_asks_nothing(home, store, shop, said, qurd, tmp_path):
    code, _, error = qurd("triage", str(home), "--budget", "20", "--fit", "15", "--out", str(tmp_path / "r.csv"))
    assert code == 0, error
    assert "shop" in (tmp_path / "r.csv").read_text()
    assert shop.requests.total() == 0


@pytest.mark.slow
def test_one_answer_to_everything_is_no_answer(home, store, shop, said):
    said(body={"model": "constant"})
    shop.answer = lambda pixels: {"result": {"label": "cat"}}
    found = ask(home, store, suspects=["shop"])
    assert found.each[0].said == "refused"
    assert found.each[0].reason.startswith("it gives one class to everything")


@pytest.mark.slow
def test_what_an_api_leaves_out_counts_as_disagreement_and_much_of_it_is_refused(home, store, shop, said):
    said(body={"model": "lazy"}, limits={"requests": 60, "per_second": 1000})
    shop.faults = iter([None, None, *["400", None] * 12])
    found = ask(home, store, suspects=["shop"])
    assert found.each[0].said == "refused"
    assert "Ask the rest, or take it out." in found.each[0].reason
    assert any("12 x 400 (Bad Request)" in note for note in found.notes)


def again(home, there, change):
    """The same folder with another manifest."""
    manifest = yaml.safe_load((home / "manifest.yaml").read_text())
    change(manifest)
    for path in home.iterdir():
        if path.suffix in (".safetensors", ".yaml") and path.name != "manifest.yaml":
            (there / path.name).hardlink_to(path)
    (there / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    return there


@pytest.mark.slow
def test_whoever_agrees_to_one_api_and_not_to_the_other_pays_for_none(home, store, shop, said, tmp_path):
    said(body={"model": "first"})
    (home / "other.yaml").write_text(api_text(shop.url, body={"model": "second"}))
    more = {"model": "app", "role": "suspect", "source": "api", "api": "other.yaml"}
    folder, bills = again(home, tmp_path, lambda manifest: manifest["models"].append(more)), []
    with pytest.raises(QurdError, match="Nothing was sent to"):
        ask(folder, store, level=0.3, agree=lambda bill: bills.append(bill) or len(bills) < 2)
    assert (len(bills), shop.requests.total()) == (2, 0)


BAD = [
    (
        {"role": "unrelated", "lineage": "train(x,y)"},
        "Expected role: suspect of model 23: an API is asked about few pictures",
    ),
    ({"api": "nowhere.yaml"}, "There is nothing"),
    ({"api": "../shop.yaml"}, "Expected the file of the API of model 23 inside"),
    ({"weights": "x.safetensors"}, "Got also 'weights'"),
    ({"normalisation": {"mean": [0, 0, 0], "std": [1, 1, 1]}}, "Got also 'normalisation'"),
    ({"source": "ftp"}, "Unknown source 'ftp'"),
]


@pytest.mark.parametrize(("changes", "says"), BAD, ids=[says[:30] for _, says in BAD])
def test_a_manifest_that_names_an_api_otherwise_is_a_sentence(home, tmp_path, changes, says):
    folder = again(home, tmp_path, lambda manifest: manifest["models"][-1].update(changes))
    with pytest.raises(QurdError) as told:
        benchmark(str(folder))
    assert says in str(told.value)


@pytest.mark.slow
def test_a_check_that_is_killed_goes_on_and_pays_for_no_answer_twice(home, store, shop, said):
    """The command itself in a process of its own, ended by SIGKILL while the API is asked."""
    said(body={"model": "killed"})
    shop.pause = 0.05
    called = [sys.executable, "-m", "qurd_core", "check", str(home), "--budget", "20", "--fit", "15", "--level", "0.2"]
    called += ["--suspect", "shop", "--stop", "none", "--yes", "--json", "--workers", "1", "--store", str(store.folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def start():
        return subprocess.Popen(called, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    process = start()
    while shop.requests.total() < 7 and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    out, error = start().communicate()
    (row,) = json.loads(out)
    assert row["missing"] == 0, error
    assert 45 <= shop.requests.total() <= 46
