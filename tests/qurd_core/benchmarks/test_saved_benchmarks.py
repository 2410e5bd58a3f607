"""A bench as a token of a link; files are tested where they are read."""

import json
import random

import pytest

from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.saved_benchmarks import BenchFile, from_token, token
from qurd_core.errors import QurdError

PAIRS = [(victim, f"s{number}") for victim in ("v1", "v2", "v3") for number in range(140)]


@pytest.mark.parametrize("number", [0, 1, 60, 419, 420])
def test_a_token_says_what_is_out_whatever_the_order_of_the_pairs(number):
    out = frozenset(random.Random(number).sample(PAIRS, number))
    text = token(PAIRS, out)
    assert from_token(text, reversed(PAIRS)) == out
    assert len(text) <= 75
    assert text.replace("-", "").replace("_", "").isalnum()


def test_a_token_of_other_pairs_is_recognised():
    text = token(PAIRS, PAIRS[:3])
    assert from_token(text, PAIRS[1:]) is None
    assert from_token(text, [*PAIRS[1:], ("v4", "s0")]) is None


@pytest.mark.parametrize("rest", ["!", "A", "é", "A=", " AA", "_" * 71, "_" * 5000, "_" * 70 + "\n", "🤖"])
def test_what_is_no_token_is_none(rest):
    assert from_token(token(PAIRS, ()) + rest, PAIRS) is None


@pytest.mark.parametrize("text", ["", "AAA", "AAAA", "<b>"])
def test_nor_is_a_text_without_the_four_characters(text):
    assert from_token(text, PAIRS) is None


FILE = {"format": 1, "benchmark": "patchwork-sac", "pairs": [["a", "b"]]}
STRANGE = [
    None,
    True,
    10**400,
    float("inf"),
    "\ud800",
    "\0",
    "x" * 5_000,
    [],
    {},
    [["a"]],
    [["a", 1]],
    [["\ud800", "b"]],
    "patchwork-sac(",
]


@pytest.mark.parametrize("key", FILE)
def test_a_file_of_a_bench_that_holds_something_else_is_a_sentence(tmp_path, key):
    path = tmp_path / "a.json"
    for value in STRANGE:
        path.write_text(json.dumps(FILE | {key: value}))
        try:
            benchmark(str(path))
        except QurdError as error:
            str(error).encode()
            assert "\n" not in str(error)
        else:
            raise AssertionError(f"{value!r} was taken")


@pytest.mark.slow
def test_no_file_of_a_bench_and_no_token_of_a_link_ends_the_program(tmp_path):
    """A few hundred of each, changed in some places."""
    dice, path = random.Random(0), tmp_path / "a.json"
    whole, text = BenchFile("patchwork-sac", frozenset(PAIRS[:3])).text, token(PAIRS, PAIRS[::3])
    for _ in range(400):
        data = bytearray(whole.replace("qurd-seal", "sealed").encode() if dice.random() < 0.8 else whole.encode())
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(data))
            data[place : place + dice.randint(0, 2)] = dice.choice(
                [b"", b"9" * 400, b"\xff", b"\\ud800", b"[", b'"', b"1e999"]
            )
        path.write_bytes(data)
        try:
            BenchFile.read(path).check(path, dict.fromkeys(PAIRS, "positive"))
        except QurdError as error:
            str(error).encode()
        place = dice.randrange(len(text))
        found = from_token(text[:place] + chr(dice.randrange(0x11000)) + text[place + dice.randint(0, 3) :], PAIRS)
        assert found is None or found <= {*PAIRS}
