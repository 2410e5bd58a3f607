"""Suspects that are asked by hand: pictures go out, a table comes back, and the verdict is that of the model itself."""

import csv
import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects.checking import check
from qurd_core.suspects.elsewhere.outside import write_queries
from tests.qurd_core.suspects.test_checking import COPY, table
from tests.qurd_core.suspects.test_folder import CLASSES, folder_of_suspects

ASKED = ["--victim", "mine", "--budget", "20", "--fit", "15"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return folder_of_suspects(tmp_path_factory.mktemp("by hand") / "bench", suspects=1)


def answered(home, folder, model="s0", name="shop", keep=lambda item: True):
    """What somebody's model answers to the picture files: logits by item."""
    oracle = benchmark(str(home)).oracle(model, Runtime())
    rows = list(csv.DictReader((folder / "queries.csv").open()))
    found = []
    for row in (row for row in rows if keep(row["item"])):
        pixels = np.asarray(Image.open(folder / row["file"])).transpose(2, 0, 1)
        logits = oracle.logits(torch.from_numpy(pixels.copy())[None].float() / 255)[0]
        found.append({"item": row["item"], "model": name} | dict(zip(CLASSES, logits.tolist(), strict=True)))
    return pd.DataFrame(found)


def labels(found):
    return found[["item", "model"]].assign(label=found[CLASSES].idxmax(axis=1))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def sent(home, store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sent") / "queries"
    write_queries(benchmark(str(home)), "mine", ("AKH",), 20, 15, store, Runtime(), folder)
    return folder


@pytest.mark.slow
def test_pictures_go_out_each_with_its_digest_and_in_an_order_that_says_nothing(home, sent, tmp_path, qurd):
    rows = list(csv.DictReader((sent / "queries.csv").open()))
    assert len(rows) == 35
    assert {path.name for path in sent.iterdir()} == {"queries.csv", *(row["file"] for row in rows)}
    assert all(hashlib.sha256((sent / row["file"]).read_bytes()).hexdigest() == row["sha256"] for row in rows)
    code, out, _ = qurd("queries", str(home), *ASKED, "--out", str(tmp_path / "again"))
    assert (code, out.strip()) == (0, str(tmp_path / "again" / "queries.csv"))
    again = list(csv.DictReader((tmp_path / "again" / "queries.csv").open()))
    assert again != rows
    assert sorted(map(str, again)) == sorted(map(str, rows))
    code, _, error = qurd("queries", str(home), *ASKED, "--out", str(tmp_path / "again"))
    assert code == 2
    assert "Expected a new folder for the pictures" in error


@pytest.mark.slow
def test_what_comes_back_gives_the_verdict_of_the_model_itself(home, sent, tmp_path, qurd):
    labels(answered(home, sent)).to_csv(tmp_path / "back.csv", index=False)
    code, out, error = qurd("check", str(home), *ASKED, "--level", "0.2", "--answers", str(tmp_path / "back.csv"), "--json")
    assert code == 0, error
    own, shop = json.loads(out)
    assert (own["suspect"], shop["suspect"]) == ("s0", "shop")
    same = ("said", "verdict", "score", "p", "p_adjusted", "fit", "missing", "asked")
    assert {name: own.get(name) for name in same} == {name: shop.get(name) for name in same}
    assert 0 <= shop["score"] < 0.5 < max(1, shop["fit"]["right"])


@pytest.mark.slow
def test_probits_and_classes_in_order_come_back_as_well(home, sent, store, tmp_path):
    found = answered(home, sent)
    probits = np.exp(found[CLASSES]).div(np.exp(found[CLASSES]).sum(axis=1), axis=0).round(6)
    full = labels(found).assign(**{f"p_{name}": probits[name] for name in reversed(CLASSES)})
    full.to_csv(tmp_path / "p.csv", index=False)
    how = {"victim": "mine", "budget": 20, "fit": 15, "level": 0.2, "store": store}
    own, shop = check(str(home), answers=str(tmp_path / "p.csv"), scheme="negative(test) | probits | l1", **how).each
    assert own.score == pytest.approx(shop.score, abs=1e-5)
    order = np.argsort(-found[CLASSES].to_numpy(), axis=1)
    tops = labels(found).assign(top_2=np.array(CLASSES)[order[:, 1]])
    tops.to_csv(tmp_path / "t.csv", index=False)
    scheme = "negative(test) | rank(k=2) | mutual_information"
    own, shop = check(str(home), answers=str(tmp_path / "t.csv"), scheme=scheme, **how).each
    assert own.score == pytest.approx(shop.score)
    with pytest.raises(QurdError, match="needs probits, and 'shop' reveals top-k labels only"):
        check(str(home), answers=str(tmp_path / "t.csv"), scheme="negative(test) | probits | l1", **how)


@pytest.mark.slow
def test_what_did_not_come_back_counts_as_disagreement_and_much_of_it_is_refused(home, sent, store, tmp_path):
    whole = labels(answered(home, sent))
    how = {"victim": "mine", "budget": 20, "fit": 15, "level": 0.2, "store": store, "suspects": ["shop"]}
    whole.iloc[2:].to_csv(tmp_path / "some.csv", index=False)
    some = check(str(home), answers=str(tmp_path / "some.csv"), **how).each[0]
    assert some.missing + 15 - some.fit.asked == 2
    whole.iloc[:12].to_csv(tmp_path / "few.csv", index=False)
    few = check(str(home), answers=str(tmp_path / "few.csv"), **how).each[0]
    assert few.said == "refused"
    assert "Ask the rest, or take it out." in few.reason


def back(change):
    return lambda whole: change(whole.astype(object).copy())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (back(lambda t: t.drop(columns="label")), "Expected the columns item, model, label"),
        (back(lambda t: t.assign(colour=1)), "Got also 'colour'"),
        (back(lambda t: t.assign(truth="cat")), "Got also 'truth'"),
        (back(lambda t: t.iloc[:0]), "It has a header only"),
        (back(lambda t: t.assign(model="mine")), "'mine' is in"),
        (back(lambda t: t.iloc[:1].assign(item="f" * 16)), "is none of them"),
        (back(lambda t: pd.concat([t, t.iloc[[3]]])), "twice"),
        (back(lambda t: t.assign(p_cat=1)), "Expected a column p_<class> for each of the 3 classes, or for none"),
        (back(lambda t: t.assign(p_cat=0.1, p_dog=0.1, p_owl=0.1)), "sum to one"),
        (back(lambda t: t.assign(label="", model="shop")), "'label' is empty in line 2 of back.csv"),
        (back(lambda t: t.assign(top_3="cat")), "without a gap"),
    ],
)
@pytest.mark.slow
def test_a_table_that_cannot_be_what_came_back_is_a_sentence(home, sent, store, tmp_path, change, says):
    change(labels(answered(home, sent))).to_csv(tmp_path / "back.csv", index=False)
    with pytest.raises(QurdError) as told:
        check(str(home), answers=str(tmp_path / "back.csv"), victim="mine", budget=20, fit=15, level=0.2, store=store)
    assert says in str(told.value)


def test_another_question_than_the_one_that_was_sent_is_named(home, sent, store, tmp_path):
    labels(answered(home, sent)).to_csv(tmp_path / "back.csv", index=False)
    with pytest.raises(QurdError, match="give the same --victim, --scheme, --budget and --fit as to 'queries'"):
        check(str(home), answers=str(tmp_path / "back.csv"), victim="mine", budget=10, fit=15, level=0.2, store=store)


def test_a_table_of_answers_sends_no_pictures(tmp_path, qurd):
    table({"shop": COPY}).to_csv(tmp_path / "t.csv", index=False)
    code, _, error = qurd("queries", str(tmp_path / "t.csv"), "--out", str(tmp_path / "out"))
    assert code == 2
    assert "Expected items with pixels" in error
    pd.DataFrame({"item": ["1"], "model": ["x"], "label": ["1"]}).to_csv(tmp_path / "back.csv", index=False)
    code, _, error = qurd("check", str(tmp_path / "t.csv"), "--answers", str(tmp_path / "back.csv"))
    assert code == 2
    assert "write the new ones into it as rows of their own" in " ".join(error.split())
