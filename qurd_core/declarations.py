"""What components declare, kind by kind: everything that others need to know of one stands at its registration.

A word that is none of these is refused when a component is registered, so no other module has to name a component.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from qurd_core.access import Access
from qurd_core.errors import QurdError, unknown

FEATURES = {  # what one stage may give and a later one need, in words
    "photo": "photographs",
    "truth": "the true class of every query",
    "pairs": "pairs of images",
    "triplets": "triplets of images",
    "path points": "images on the way to a photograph",
    "masks": "superpixel masks",
    "scarce": "a seed set that runs out",
    "aim": "the class that the victim gives every query",
    "victim labels": "the victim's labels of the seed images",
    "victim probits": "the victim's probabilities on the seed images",
    "pool labels": "labels of auxiliary models on the seed images",
    "symbols": "labels or ranks",
    "sequence": "one label or rank per query",
    "vectors": "vectors of numbers",
    "two-valued": "numbers of two values",
    "distributions": "one probability distribution per query",
    "weights": "LIME weights",
    "correctness": "right or wrong per query",
}

# How queries are shown and spoken of.
Story = Literal["images", "mistakes", "adversarial", "blended", "masked", "noise", "hinge"]
OUTPUTS = "of"  # the parameter that chooses the outputs that are looked at, and with them the level of access
Features = frozenset[str]
NOTHING: Features = frozenset()


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What every component may declare.

    Attributes:
        vary: parameters whose choices the enumeration of schemes goes through.
        swept: records hold all its combinations; else only those with the other parts of its own named schemes, and others
            run when they are asked for.
    """

    vary: tuple[str, ...] = ()
    swept: bool = True

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that are named in it."""
        return self.vary

    def lacks(self, parameters: Collection[str]) -> str | None:
        """What a component with these parameters must declare besides, in words."""
        return None


@dataclass(frozen=True, kw_only=True)
class SeedRule(Declaration):
    """What a seed rule declares.

    Attributes:
        provides: features of its seed images.
        needs: `victim labels`, `victim probits`, `pool labels`: those answers that it looks at.
        nested: a small draw is a prefix of a large one.
        pool: the seed set that it draws from, where no parameter `split` chooses one.
        deterministic: it draws the same images whatever its generator.
        story: how its images are shown and spoken of when they are sent as they are.
    """

    provides: Features = NOTHING
    needs: Features = NOTHING
    nested: bool = True
    pool: str | None = None
    deterministic: bool = False
    story: Story = "images"


@dataclass(frozen=True, kw_only=True)
class Craft(Declaration):
    """What a craft declares.

    Attributes:
        provides, drops: features that its queries have beyond those of the seeds, and no longer have.
        needs: features that the seeds must have.
        needs_when: parameter to the feature that the seeds must have if it is true.
        group: queries of one group, which are bought together, or the parameter that holds that number.
        nested: the queries at a small budget are a prefix of those at a large one.
        natural: its queries are the seed images as they are: it asks no model and is not written in texts. One craft is.
        plain: what a combination falls back on where another craft no longer fits.
        tops_up: the parameter that has the seeds themselves sent first, and the craft start again when they have run out.
        deterministic: with its defaults it makes the same queries whatever its generator.
        story: how its queries are shown and spoken of; that of the seed rule for the natural craft.
    """

    provides: Features = NOTHING
    drops: Features = NOTHING
    needs: Features = NOTHING
    needs_when: Mapping[str, str] = field(default_factory=dict)
    group: int | str = 1
    nested: bool = True
    natural: bool = False
    plain: bool = False
    tops_up: str | None = None
    deterministic: bool = False
    story: Story = "images"

    @property
    def parameters(self) -> tuple[str, ...]:
        named = (self.group, self.tops_up)
        return (*self.vary, *self.needs_when, *(name for name in named if isinstance(name, str)))


@dataclass(frozen=True, kw_only=True)
class Representation(Declaration):
    """What a representation declares.

    Attributes:
        provides: features of what it makes of the answers.
        needs: features that the queries must have.
        access: what the suspect must reveal, where no parameter `of` chooses the outputs and with them the level.
        rows: queries to the number of rows (n,) of each group, where a query is no row.
        square: it is a matrix, rows by rows.
        whole: it is compared as one vector, and not row by row.
        counts_classes: the parameter that may not exceed the number of classes.
        counts_missing: a missing answer, which is a class of its own, is as far as can be from any other.
        plain: what a combination falls back on where another representation no longer fits.
    """

    provides: Features = NOTHING
    needs: Features = NOTHING
    access: Access | None = None
    rows: Callable[..., Any] | None = None
    square: bool = False
    whole: bool = False
    counts_classes: str | None = None
    counts_missing: bool = False
    plain: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        return (*self.vary, *((self.counts_classes,) if self.counts_classes else ()))

    def lacks(self, parameters: Collection[str]) -> str | None:
        told = self.access is not None or OUTPUTS in parameters
        return None if told else f"the 'access' that it needs (or a parameter '{OUTPUTS}' that chooses the outputs)"


@dataclass(frozen=True, kw_only=True)
class Detector(Declaration):
    """What a detector declares.

    Attributes:
        needs: features that the representation must have.
        redundant: feature of a representation to the detector that ranks all models alike on it.
        counts_missing: a missing answer is as far as can be from any other.
        end_at_one: no distance is larger than 1.
        least_rows: rows from which on a model is at distance 0 from itself.
        control: it is no fingerprint: it does not look at the victim.
        plain: what a combination falls back on where another detector no longer fits.
    """

    needs: Features = NOTHING
    redundant: Mapping[str, str] = field(default_factory=dict)
    counts_missing: bool = False
    end_at_one: bool = False
    least_rows: int = 1
    control: bool = False
    plain: bool = False


@dataclass(frozen=True, kw_only=True)
class Origin(Declaration):
    """What a first training declares: nothing more."""


@dataclass(frozen=True, kw_only=True)
class Theft(Declaration):
    """What a theft declares.

    Attributes:
        reads: what of the victim it copies: its answers, through an oracle, or its weights.
        access: what the victim must reveal to one that reads answers.
        derived: it follows from the victim alone, so its model is made again and not stored.
    """

    reads: Literal["answers", "weights"]
    access: Access | None = None
    derived: bool = False

    def lacks(self, parameters: Collection[str]) -> str | None:
        return "the 'access' that it needs" if self.reads == "answers" and self.access is None else None


@dataclass(frozen=True, kw_only=True)
class Obfuscation(Declaration):
    """What an obfuscation declares.

    Attributes:
        changes: the `images` before the model sees them, its `answers` on their way out, or how the `model` is asked.
        access: the most that is revealed behind it.
        source: who published it.
        keeps_label: the most probable class of every answer stays.
        sums_to_one: its answers do; others are read divided by their sum.
        counts_classes: the parameter that holds the number of classes whose probits are sent.
        null: parameters by the value at which nothing is changed. One that counts classes changes nothing at all of them.
        recalls: it is told besides, as `seen`, what the model answered to a seed set before.
        reconstruction: what had to be chosen here because the source does not give it, a sentence.
        said: what it is called on screen, with its parameters in braces: `JPEG, quality {quality}`; its call if empty.
    """

    changes: Literal["images", "answers", "model"]
    access: Access
    source: str
    keeps_label: bool = False
    sums_to_one: bool = True
    counts_classes: str | None = None
    null: Mapping[str, float] = field(default_factory=dict)
    recalls: bool = False
    reconstruction: str | None = None
    said: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        return (*self.vary, *self.null, *((self.counts_classes,) if self.counts_classes else ()))


@dataclass(frozen=True, kw_only=True)
class Offer(Declaration):
    """What a benchmark declares.

    Attributes:
        fetch: brings it over a network: `fetch(track, **values)`.
        made_of: the parameter that names the benchmark that it is made of, whose files may change.
    """

    fetch: Callable[..., Any] | None = None
    made_of: str | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        return (*self.vary, *((self.made_of,) if self.made_of else ()))


D = TypeVar("D", bound=Declaration)
_FEATURED = ("provides", "drops", "needs")


def _nothing(_: Any) -> Iterable[str]:
    return ()


_HOLDS: dict[str, Callable[[Any], Iterable[str]]] = {  # declaration -> the features in it
    **dict.fromkeys((*_FEATURED, "redundant"), iter),
    "needs_when": lambda found: found.values(),
}


def declaration(kind: type[D], given: Mapping[str, Any], parameters: Collection[str], also: Iterable[str] = ()) -> D:
    """What a component with these parameters declares, checked.

    Args:
        given: as it stands at its registration; features may come in any collection.
        also: keywords of a registration that declare nothing.

    Raises:
        QurdError: an unknown word, with the nearest known one; a value that is none for it; or something is missing.
    """
    hints = get_type_hints(kind)
    for name in given:
        if name not in hints:
            raise unknown("declaration", name, {*hints, *also})
    for one in fields(kind):
        if one.default is MISSING and one.default_factory is MISSING and one.name not in given:
            raise QurdError(f"Expected '{one.name}' to be declared: {_words(hints[one.name])}.")
    found = kind(**{name: _checked(name, value, hints[name]) for name, value in given.items()})
    for name in found.parameters:
        if name not in parameters:
            raise unknown("parameter", name, parameters)
    if missing := found.lacks(parameters):
        raise QurdError(f"Expected {missing} to be declared.")
    return found


def _checked(name: str, value: Any, hint: Any) -> Any:
    if name in _FEATURED and isinstance(value, Iterable) and not isinstance(value, str):
        value = frozenset(value)
    if get_origin(hint) is Literal and isinstance(value, str) and value not in get_args(hint):
        raise unknown(f"'{name}'", value, get_args(hint))
    if not _fits(value, hint):
        raise QurdError(f"Expected '{name}' to be {_words(hint)}. Got {value!r}.")
    for word in _HOLDS.get(name, _nothing)(value):
        if word not in FEATURES:
            raise unknown("feature", str(word), FEATURES)
    return value


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type, or one of the words, that a declaration takes."""
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin is UnionType:
        return any(_fits(value, one) for one in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    return isinstance(value, origin or hint) and (hint is bool or not isinstance(value, bool))


def _words(hint: Any) -> str:
    """What a declaration takes, in words."""
    origin = get_origin(hint)
    if origin is UnionType:
        return " or ".join(_words(one) for one in get_args(hint) if one is not type(None))
    if origin is Literal:
        return " or ".join(map(repr, get_args(hint)))
    return _WORDS.get(origin or hint, str(hint))


_WORDS = {
    bool: "true or false",
    int: "a whole number",
    str: "a name",
    Access: "an access level",
    frozenset: "a set of features",
    tuple: "a tuple of names",
    get_origin(Mapping[str, str]): "names or numbers by name",
    get_origin(Callable[..., Any]): "a function",
}
