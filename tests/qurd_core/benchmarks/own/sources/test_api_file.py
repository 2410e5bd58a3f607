"""The file of an API: what it may say, what an answer is read as, and that it holds no secret."""

import json
import math
import re

import pytest

from qurd_core.access import Access
from qurd_core.benchmarks.own.sources.api_file import read_api
from qurd_core.errors import QurdError
from qurd_core.files import ROOT

CLASSES = ("cat", "dog", "owl")
GOOD = {
    "format": 1,
    "url": "https://api.example.com/v1/${SHOP_MODEL}/classify",
    "image": {"as": "json", "field": "image"},
    "body": {"model": "v2", "top": 5},
    "headers": {"Authorization": "Bearer ${SHOP_KEY}"},
    "answer": {"gives": "topk", "label": "results.*.name", "score": "results.*.p", "top": 2},
    "names": {"tabby": "cat", "other": None},
    "limits": {"per_second": 2, "requests": 400, "price": 0.0015, "spend": 1.0, "currency": "EUR"},
}


@pytest.fixture
def api(tmp_path):
    def make(classes=CLASSES, text=None, **changes):
        path = tmp_path / "shop.yaml"
        said = {name: value for name, value in (GOOD | changes).items() if value != "left out"}
        path.write_text(json.dumps(said) if text is None else text)
        return read_api(path, classes)

    return make


def label(api, answer, row):
    found = api.row(json.dumps(answer), CLASSES)
    assert len(found) == len(CLASSES) + 1
    assert all(map(math.isfinite, found))
    return [*CLASSES, None][max(range(4), key=found.__getitem__)] == row or found


def test_what_the_file_says_is_what_is_asked(api):
    made = api()
    assert (made.host, made.access, made.top, made.variables) == (
        "api.example.com",
        Access.TOPK,
        2,
        ["SHOP_MODEL", "SHOP_KEY"],
    )
    assert (made.limits.parallel, made.limits.seconds, made.limits.most) == (1, 30, 400)
    assert made.limits.cost(160) == "0.24 EUR"
    assert api(limits={"requests": 400, "price": 0.01, "spend": 1.0}).limits.most == 100
    assert api(limits={"requests": 400, "price": 0.1, "spend": 0.3}).limits.most == 3  # which is 2.99... in floats


def test_the_documented_file_is_one(api):
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "assets/docs/apis.md").read_text("utf-8"), re.DOTALL)
    made = api(text=text)
    assert (made.host, made.access, made.top, made.limits.currency) == ("api.example.com", Access.TOPK, 5, "EUR")


def test_answers_are_kept_under_address_and_body_and_mean_what_names_say(api):
    made, renamed, other = api(), api(names={}), api(body={"model": "v3"})
    assert made.address == renamed.address != other.address
    assert len({made.digest, renamed.digest, other.digest}) == 3
    assert api(limits={"requests": 7}).digest == made.digest


def test_a_label_is_a_class_by_its_own_or_by_our_name(api):
    made = api(answer={"gives": "labels", "label": "result.label"})
    for theirs, ours in (("dog", "dog"), ("tabby", "cat"), ("other", None), ("zebra", None)):
        assert label(made, {"result": {"label": theirs}}, ours) is True
    numbered = api(("0", "1"), answer={"gives": "labels", "label": "0"}, names={})
    assert numbered.row("[1]", ("0", "1"))[1] == 0


def test_the_best_class_comes_first_whatever_the_order_of_the_list(api):
    best = {"results": [{"name": "dog", "p": 0.2}, {"name": "owl", "p": 0.7}, {"name": "tabby", "p": 0.1}]}
    row = api().row(json.dumps(best), CLASSES)
    assert sorted(range(4), key=lambda place: -row[place])[:2] == [2, 1]
    assert row[0] == row[3]  # of which nothing is told
    plain = api(answer={"gives": "topk", "label": "results.*.name", "top": 2}).row(json.dumps(best), CLASSES)
    assert sorted(range(4), key=lambda place: -plain[place])[:2] == [1, 2]


def test_probits_are_a_list_in_the_order_of_the_classes_or_names_with_numbers(api):
    made = api(answer={"gives": "probits", "scores": "probs"})
    listed = made.row('{"probs": [0.1, 0.2, 0.7]}', CLASSES)
    named = made.row('{"probs": {"owl": 0.7, "tabby": 0.1, "dog": 0.2}}', CLASSES)
    assert listed == named == [pytest.approx(math.log(p)) for p in (0.1, 0.2, 0.7)] + [pytest.approx(math.log(1e-12))]
    foreign = made.row('{"probs": {"owl": 0.2, "cat": 0.1, "dog": 0.1, "zebra": 0.6}}', CLASSES)
    assert max(range(4), key=foreign.__getitem__) == 3
    assert made.row('{"probs": [0.33, 0.33, 0.33]}', CLASSES)


NO_ANSWERS = [
    ({"gives": "labels", "label": "result.label"}, {"message": "hello"}, "it has no 'result'"),
    ({"gives": "labels", "label": "result.label"}, {"result": []}, "it has no 'result.label'"),
    ({"gives": "labels", "label": "result.label"}, {"result": {"label": None}}, "by a NoneType"),
    ({"gives": "labels", "label": "r.*.name"}, {"r": {"name": 1}}, "no list at 'r'"),
    ({"gives": "labels", "label": "r.*.name"}, {"r": []}, "names 0 classes"),
    ({"gives": "topk", "label": "r.*.n", "top": 2}, {"r": [{"n": "cat"}]}, "it names 1 classes, not 2"),
    ({"gives": "topk", "label": "r.*.n", "top": 2}, {"r": [{"n": "zebra"}, {"n": "gnu"}]}, "it names 1 classes, not 2"),
    ({"gives": "topk", "label": "r.*.n", "score": "r.*.p", "top": 2}, {"r": [{"n": "cat", "p": "x"}]}, "no numbers"),
    ({"gives": "probits", "scores": "p"}, {"p": [0.5, 0.5]}, "2 scores for 3 classes"),
    ({"gives": "probits", "scores": "p"}, {"p": {"cat": 0.5, "dog": 0.5}}, "no score of 'owl'"),
    ({"gives": "probits", "scores": "p"}, {"p": [3.1, 2.0, -1.0]}, "no probits"),
    ({"gives": "probits", "scores": "p"}, {"p": [0.5, 0.1, 0.1]}, "sum to one"),
    ({"gives": "probits", "scores": "p"}, {"p": [True, False, False]}, "no probits"),
    ({"gives": "probits", "scores": "p"}, {"p": "cat"}, "no score of 'cat'"),
    ({"gives": "probits", "scores": "p"}, {"p": []}, "0 scores for 3 classes"),
]


@pytest.mark.parametrize(("answer", "said", "why"), NO_ANSWERS)
def test_what_is_no_such_answer_says_why_and_nothing_is_filled_in(api, answer, said, why):
    with pytest.raises(ValueError, match=why):
        api(answer=answer).row(json.dumps(said), CLASSES)


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"p": Infinity}', "[" * 100_000, "1e999"])
def test_what_is_no_json_is_no_answer(api, text):
    with pytest.raises(ValueError):
        api().row(text, CLASSES)


BAD = [
    ({"colour": 1}, "Got also 'colour'"),
    ({"format": 2}, "Expected an API of format 1"),
    ({"url": "left out"}, "Expected 'url' as an address"),
    ({"url": "https:x"}, "Expected 'url' as an address"),
    ({"url": 7}, "Expected 'url' as an address"),
    ({"url": "https://${HOST}/x"}, "Expected the host of 'url' as it is"),
    ({"url": "https://me:pass@api.example.com/"}, "without a name and password"),
    ({"url": "https://api.example.com/?api_key=abc"}, "'api_key' holds a secret in clear"),
    ({"image": {"as": "form", "field": "x"}}, "Expected 'image' as"),
    ({"image": {"as": ["json"], "field": "x"}}, "Expected 'image' as"),
    ({"image": {"as": "json", "field": "a b"}}, "Expected 'field' of 'image'"),
    ({"image": {"as": "json", "field": "model"}}, "'body' must not have it, too"),
    ({"image": {"as": "multipart", "field": "x"}, "body": {"a": [1]}}, "which is sent as a form"),
    ({"body": [1]}, "Expected 'body' as names with values"),
    ({"body": {"nested": {"token": "abc"}}}, "'token' holds a secret in clear"),
    ({"headers": {"Authorization": "Bearer sk-12345678901234567890"}}, "'Authorization' holds a secret in clear"),
    ({"headers": {"Authorization": "sk-12345678901234567890 ${SHOP_KEY}"}}, "holds a secret in clear"),
    ({"headers": {"X-Api-Key": "abc"}}, "'X-Api-Key' holds a secret in clear. Write ${NAME}"),
    ({"headers": {"Cookie": "a=b"}}, "'Cookie' holds a secret"),
    ({"headers": {"Host": "other"}}, "Expected other 'headers'"),
    ({"headers": {"X\nY": "a"}}, "Expected other 'headers'"),
    ({"headers": {"X": "a\nb"}}, "Expected a plain text as the header 'X'"),
    ({"answer": {"gives": ["labels"]}}, "Expected 'answer' with gives"),
    ({"answer": {"gives": "labels"}}, "Expected 'answer' that gives labels with label"),
    ({"answer": {"gives": "labels", "label": "a..b"}}, "Expected 'label' as keys and numbers"),
    ({"answer": {"gives": "labels", "label": "a.*.*"}}, "Expected 'label' as keys and numbers"),
    ({"answer": {"gives": "topk", "label": "a", "top": 1}}, "Expected 'top' from 2 to 25"),
    ({"answer": {"gives": "logits", "scores": "a"}}, "gives: labels, topk, probits"),
    ({"names": {"tabby": "katze"}}, "Unknown class 'katze'"),
    ({"limits": {}}, "Expected 'limits' with requests"),
    ({"limits": {"requests": 0}}, "Expected 'requests' of 'limits' from 1"),
    ({"limits": {"requests": True}}, "Expected 'requests' of 'limits' from 1"),
    ({"limits": {"requests": 10, "price": 1}}, "Expected 'spend' beside 'price'"),
    ({"limits": {"requests": 10, "per_second": 0}}, "Expected 'per_second'"),
    ({"limits": {"requests": 10, "parallel": 99}}, "Expected 'parallel' of 'limits' from 1 to 16"),
    ({"limits": {"requests": 10, "currency": "€€€€€€€€€"}}, "Expected 'currency'"),
]


@pytest.mark.parametrize(("changes", "says"), BAD, ids=[f"{n} {says[:24]}" for n, (_, says) in enumerate(BAD)])
def test_a_file_that_says_something_else_is_one_sentence(api, changes, says):
    with pytest.raises(QurdError) as told:
        api(**changes)
    assert says in str(told.value)
    assert "sk-1" not in str(told.value)


@pytest.mark.parametrize(
    "text",
    ["[]", "", "a: &x 1\nb: *x", "!!python/object/apply:os.system [ls]", "{" * 3000, "url: 1e999", "x" * 300_000, "\x00"],
)
def test_a_file_that_is_none_is_one_sentence(api, text):
    with pytest.raises(QurdError):
        api(text=text)


def test_changed_values_end_in_a_file_or_in_a_sentence(api):
    """Every value of a good file in turn as something else."""

    def places(value, path=()):
        yield path
        for name in value if isinstance(value, dict) else ():
            yield from places(value[name], (*path, name))

    for path in list(places(GOOD))[1:]:
        for other in (None, 0, -1, 1.5, True, "", "x", [], {}, [1], {"a": 1}, ["labels"], {"*": "*"}, "https://", "${X}"):
            said = json.loads(json.dumps(GOOD))
            inner = said
            for name in path[:-1]:
                inner = inner[name]
            inner[path[-1]] = other
            try:
                api(text=json.dumps(said))
            except QurdError:
                continue
