"""A model's life as text: `train(vgg,victim)->label_extraction(res,seed=1)`.

A model made from several names the others in quotes: `merge("train(vgg,mine)","train(res,theirs)")->finetune`, or
`train(vgg,mine)->merge("train(res,theirs)")`. It is kin of all of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from qurd_core.errors import QurdError
from qurd_core.grammar import Call, Chain, Value, parse_chain

MERGE = "merge"  # the step whose words are models, too
TRAININGS = ("train", "pretrain")  # the steps whose words are architectures and data
AND = " & "  # between the roots of a model that has several
_EXACT = 2**53  # whole floats up to here are whole numbers
_ROOT = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^"&])+')  # texts in quotes may hold the sign between roots


@dataclass(frozen=True, eq=False)
class Lineage:
    """How a model came to be, from its first training to its last change.

    Lineages are equal if they mean the same: keywords in another order, 1.0 for 1, a word in quotes.

    Attributes:
        chain: the steps as they were written.
    """

    chain: Chain

    @classmethod
    def parse(cls, text: str) -> "Lineage":
        """
        Raises:
            QurdError: the text is no lineage, or merges what is none.
        """
        found = cls(parse_chain(text))
        _ = found.canonical  # reads the parents, which may be no lineages
        return found

    def __str__(self) -> str:
        return str(self.chain)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lineage) and self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.canonical)

    @cached_property
    def canonical(self) -> str:
        """The one text of all lineages that are equal to this one."""
        _check_merges(self.chain)
        return str(self._canonical_chain)

    @cached_property
    def _canonical_chain(self) -> Chain:
        return _changed(self.chain, _plain_number, lambda parent: parent.canonical, sort=True)

    @property
    def root(self) -> "Lineage":
        """The first training, in canonical spelling. Models with one root are one lineage for statistics.

        Raises:
            QurdError: the model was made from several: see `roots`.
        """
        if len(self.roots) > 1:
            raise QurdError(f"Expected a model with one first training. '{self}' has {len(self.roots)}.")
        return self.roots[0]

    @cached_property
    def roots(self) -> "tuple[Lineage, ...]":
        """The first trainings of everything that the model was made from, in the order of their canonical texts."""
        if not self.parents:
            return (Lineage(self._canonical_chain),)
        return tuple(sorted({root for parent in self.parents for root in parent.roots}, key=str))

    @cached_property
    def parents(self) -> "tuple[Lineage, ...]":
        """The models that the last step started from: none for a first training, several for a merge."""
        named = tuple(_named(self.last))
        return (self.parent, *named) if self.parent else named

    @property
    def parent(self) -> "Lineage | None":
        """The model before its last step, or None if there is one step only."""
        calls = self.chain.calls[:-1]
        return Lineage(Chain(calls)) if calls else None

    @property
    def last(self) -> Call:
        """The last step."""
        return self.chain.calls[-1]

    @property
    def origin_is_known(self) -> bool:
        """Whether every first training says something of itself: a bare word such as `suspect-x` is a name and no more."""
        return all(root.last.args or root.last.options for root in self.roots)

    @cached_property
    def _line(self) -> frozenset[str]:
        """The canonical texts of this model and of all its ancestors."""
        return frozenset({self.canonical}).union(*(parent._line for parent in self.parents))

    def descends_from(self, other: "Lineage") -> bool:
        """Whether `other` is this model or one of its ancestors."""
        return other.canonical in self._line

    def resolved(self, find: "Callable[[str], Lineage]") -> "Lineage":
        """The same with lineages in place of the bare words that are merged.

        Args:
            find: the lineage of the model of that name.
        """

        def of(parent: Lineage) -> str:
            return str(find(parent.last.name) if parent.is_word else parent.resolved(find))

        return Lineage(_changed(self.chain, lambda value: value, of))

    @property
    def is_word(self) -> bool:
        """Whether this is one step without arguments."""
        return len(self.chain.calls) == 1 and not (self.last.args or self.last.options)


def text_of_roots(roots: Iterable[Lineage]) -> str:
    """The first trainings of a model as one text."""
    return AND.join(map(str, roots))


def roots_in(text: str) -> tuple[str, ...]:
    """The texts that `text_of_roots` joined."""
    return tuple(part.strip() for part in _ROOT.findall(text))


def independent(roots: Sequence[str]) -> list[int]:
    """The independent lineage that each of some models counts in, numbered from 0 in order of appearance.

    A lineage is a first training with everything that was made from it: however many models share a pre-trained network,
    they are one. A model that was merged from several makes one of theirs. Every promise of a false-alarm rate and every
    test over victims counts these.

    Args:
        roots: `text_of_roots` of each model.
    """
    leader: dict[str, str] = {}

    def find(root: str) -> str:
        while leader.setdefault(root, root) != root:
            root = leader[root]
        return root

    firsts = []
    for text in roots:
        first, *others = roots_in(text) if AND in text else (text,)
        firsts.append(first)
        for other in others:
            leader[find(other)] = find(first)
    numbers: dict[str, int] = {}
    return [numbers.setdefault(find(first), len(numbers)) for first in firsts]


def apart(roots: Sequence[str], others: Sequence[str]) -> list[bool]:
    """Whether each of some other models counts in no lineage of the first ones.

    Args:
        roots, others: `text_of_roots` of each model.

    >>> apart(["train(vgg,mine)"], ["train(vgg,mine)", "train(res,theirs)"])
    [False, True]
    """
    numbers = independent([*roots, *others])
    own = {*numbers[: len(roots)]}
    return [number not in own for number in numbers[len(roots) :]]


def count_independent(roots: Iterable[str]) -> int:
    """Number of independent lineages among some models."""
    return len({*independent(list(roots))})


def joined(roots: Sequence[str]) -> list[str]:
    """One text for all models of an independent lineage: the roots of the first of them."""
    numbers = independent(roots)
    first = dict(reversed(list(zip(numbers, roots, strict=True))))
    return [first[number] for number in numbers]


def _check_merges(chain: Chain) -> None:
    for number, call in enumerate(chain.calls):
        if call.name == MERGE and (number > 0) + len(list(_named(call))) < 2:
            raise QurdError(
                f"Expected the models that '{call}' merges in '{chain}': lineages in quotes, or names of models, as in"
                ' train(vgg,mine)->merge("train(res,theirs)").'
            )


def _named(call: Call) -> Iterator[Lineage]:
    """The models that the arguments of a step stand for."""
    values = [(value, call.name == MERGE) for value in call.args] + [(value, False) for _, value in call.options]
    for value, merged in values:
        if parent := _model_in(call, value, merged=merged):
            yield parent


def _changed(
    chain: Chain, of_value: Callable[[Value], Value], of_model: Callable[[Lineage], str], *, sort: bool = False
) -> Chain:
    """A chain with other arguments, and with keywords in the order of their names if wanted."""

    def change(call: Call, value: Value, *, merged: bool) -> Value:
        model = _model_in(call, value, merged=merged)
        return of_model(model) if model else of_value(value)

    calls = []
    for call in chain.calls:
        args = tuple(change(call, value, merged=call.name == MERGE) for value in call.args)
        options = tuple((key, change(call, value, merged=False)) for key, value in call.options)
        calls.append(Call(call.name, args, tuple(sorted(options)) if sort else options))
    return Chain(tuple(calls))


def _model_in(call: Call, value: Value, *, merged: bool) -> Lineage | None:
    """The model that an argument stands for: what a merge names, or a lineage in quotes; None for all else.

    The data of a training may be called "CIFAR-10 (clean)", which reads as a step. It is no model.
    """
    if not isinstance(value, str):
        return None
    try:
        found = Lineage(parse_chain(value))
    except QurdError:
        if merged:
            raise QurdError(
                f"Expected models in '{call}': lineages in quotes, or names of models. '{value}' is neither."
            ) from None
        return None
    if merged:
        return found
    one, first = len(found.chain.calls) == 1, found.chain.calls[0].name
    if found.is_word or (call.name in TRAININGS and one and first not in (*TRAININGS, MERGE)):
        return None
    return found


def _plain_number(value: Value) -> Value:
    whole = isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT
    return int(value) if whole else value
