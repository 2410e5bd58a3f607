"""A bench as a token of a link; files are tested where they are read."""

import random

import pytest

from qurd_core.benchmarks.saved_benchmarks import from_token, token

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
