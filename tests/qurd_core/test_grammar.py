import random
import string

import pytest

from qurd_core.benchmarks.base import component
from qurd_core.errors import QurdError
from qurd_core.grammar import LONGEST, Call, Chain, Expression, format_value, parse, parse_chain
from qurd_core.lineage import Lineage
from qurd_core.schemes import NAMED, Scheme

CANONICAL = [
    "negative(test)->pgd(eps=0.05) | labels | hamming",
    "uniform(train)->superpixels(masks=50) | lime(of=logits) | l2",
    "train(resnet18,CIFAR10)->prune(0.2)",
    "patchwork-sac",
    "train(vgg,victim)->label_extraction(res,seed=1)",
    "a(-1,1e-05,true,false,word,b=-2.5)",
    'a("two words","true","","3","quote \\" and \\\\","ä→b")',
    "a-b.c/d:e+f",
]

SPELLINGS = {
    "a ( 1 , b = 2 )|c->d": "a(1,b=2) | c->d",
    "  a()\n| b ": "a | b",
    "a->b()": "a->b",
    'a("word")': "a(word)",
    "a(1e-3)": "a(0.001)",
    "a(+1,.5,2.)": "a(1,0.5,2.0)",
    "a--b->c": "a--b->c",
}

BAD = [
    "",
    "|",
    "a |",
    "a->",
    "->a",
    "a b",
    "a(",
    "a)",
    "a(1",
    "a(1,)",
    "a(,1)",
    "a(b=)",
    "a(b=1,2)",
    "a(b=1,b=2)",
    "a(1+1)",
    "a(2*3)",
    "a(b(c))",
    "a('x')",
    'a("x)',
    'a("\\x")',
    "a(1e999)",
    "a(1x)",
    "1a",
    "a;b",
    "a\x00",
    "a(" + "9" * 320 + ")",
    "a(" + "9" * 1_900 + ")",
    "a(b=-" + "9" * 320 + ")",
    "a(\ud800)",
    'a("\ud800")',
    'a("\\ud800")',
    'a(b="x\\udfff")',
    "__import__('os')",
    "a" * (LONGEST + 1),
]


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical_texts_print_as_they_were_read(text):
    assert str(parse(text)) == text


@pytest.mark.parametrize(("text", "canonical"), SPELLINGS.items())
def test_other_spellings_have_one_canonical_text(text, canonical):
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize("text", BAD, ids=lambda text: ascii(text[:20]))
def test_anything_else_is_refused_in_words_that_can_be_printed(text):
    with pytest.raises(QurdError) as told:
        parse(text)
    str(told.value).encode()


def test_values_keep_their_type():
    call = parse('a(1,1.0,true,"true",word,"1")').parts[0].calls[0]
    assert [(type(value), value) for value in call.args] == [
        (int, 1),
        (float, 1.0),
        (bool, True),
        (str, "true"),
        (str, "word"),
        (str, "1"),
    ]


def random_value(dice: random.Random):
    signs = string.printable + "äß→\u2028\U0001f600"
    return dice.choice(
        [
            dice.randint(-(10**12), 10**12),
            dice.uniform(-1, 1) * 10.0 ** dice.randint(-300, 300),
            dice.random() < 0.5,
            "".join(dice.choices(signs, k=dice.randint(0, 12))),
            dice.choice(["true", "false", "e5", "-", "a->b", "a-", "1e5", "nan", "->", "|"]),
        ]
    )


def random_call(dice: random.Random) -> Call:
    name = dice.choice(string.ascii_letters + "_") + "".join(dice.choices(string.ascii_letters + "0123_-./:+", k=5))
    options = {f"k{index}": random_value(dice) for index in range(dice.randint(0, 3))}
    return Call(name, tuple(random_value(dice) for _ in range(dice.randint(0, 3))), tuple(options.items()))


@pytest.mark.parametrize("seed", range(300))
def test_every_value_comes_back_from_its_text(seed):
    dice = random.Random(seed)
    chains = [Chain(tuple(random_call(dice) for _ in range(dice.randint(1, 3)))) for _ in range(dice.randint(1, 3))]
    expression = Expression(tuple(chains))
    assert parse(str(expression)) == expression
    assert str(parse(str(expression))) == str(expression)


def test_a_chain_has_no_bars():
    assert parse_chain("a->b(1)") == Chain((Call("a"), Call("b", (1,))))
    with pytest.raises(QurdError, match="without '\\|'"):
        parse_chain("a | b")


def test_words_are_written_without_quotes_unless_they_would_be_read_otherwise():
    assert [format_value(value) for value in ("word", "true", "a b", True, 0.5, 3)] == [
        "word",
        '"true"',
        '"a b"',
        "true",
        "0.5",
        "3",
    ]


PIECES = [
    *(
        "9" * 320,
        "1e400",
        "-0",
        "5e-324",
        "\ud800",
        "\0",
        "\u200b",
        "\n",
        "|",
        "->",
        "@1 + ",
        "@",
        "(",
        ")",
        ",",
        "=",
        '"',
        "\\",
    ),
    *(
        '"\\ud800"',
        '"\\u0000"',
        "true",
        "nan",
        "x" * 300,
        "٣",
        "²",
        "merge(",
        "train(a,b)",
        "eps=",
        "k=0",
        "AKH",
        ".",
        "a\u0301",
    ),
]


def mutated(text: str, dice: random.Random) -> str:
    """A text with some characters doubled, left out, or replaced by what may hurt."""
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(text) + 1)
        text = text[:place] + dice.choice([*PIECES, text[place : place + 1]]) + text[place + dice.randint(0, 2) :]
    return text


@pytest.mark.slow
@pytest.mark.parametrize("read", [Scheme.parse, Scheme.read, Lineage.parse, component], ids=lambda read: read.__qualname__)
def test_no_text_ends_the_program(read):
    """A few hundred schemes, lineages and names of benchmarks, each changed in some places."""
    dice = random.Random(0)
    sound = [
        *CANONICAL,
        *(named.scheme for named in NAMED.values()),
        "negative(test)@50 + noise@50 | labels | hamming",
        'merge("train(vgg,mine)","train(res,theirs)")->finetune',
        "patchwork-reuse(negatives=lineage)",
    ]
    for number in range(600):
        text = mutated(dice.choice(sound), dice)
        try:
            found = read(text)
            str(found).encode()
            if isinstance(found, Scheme):
                repr((found.reason, found.access, found.group_size, found.needed(10**6), found.identity(0))).encode()
            if isinstance(found, Lineage):
                repr((found.canonical, found.roots, found.origin_is_known)).encode()
        except QurdError as error:
            str(error).encode()
            assert "\n" not in str(error), number
