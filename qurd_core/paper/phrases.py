"""How a claim's sentences put numbers into words. Every finding in them goes through these."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from string import Formatter

from qurd_core.paper.facts import Difference


def percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.0f} %"


def size(value: float) -> str:
    """`2.7 points`, `10 points`, `1 point`: how large a difference of two rates is."""
    number = f"{100 * abs(value):.1f}".removesuffix(".0")
    return f"{number} point{'s' * (number != '1')}"


def points(value: float) -> str:
    """The same with its sign."""
    if math.isnan(value):
        return "–"
    sign = "" if size(value).startswith("0 ") else "+" if value > 0 else "\N{MINUS SIGN}"
    return f"{sign}{size(value)}"


def thousands(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(items: Iterable[str], join: str = ", ") -> str:
    return join.join(items) or "none"


def per(values: Mapping[str, object], said: Callable = str) -> str:
    """What is said of every key: `AKH 91 %, FBI 74 %`."""
    return listed(f"{name} {said(value)}" for name, value in values.items())


def places(values: Mapping[str, object], said: Callable = str) -> str:
    """What is said of every benchmark, where it may be a list."""
    return listed((f"{name} {said(value)}" for name, value in values.items()), "; ")


def token(task: str) -> str:
    """A task among words. Where the app shows a sentence, it says the task in words, too."""
    return f"`{task}`"


def per_task(values: Mapping[str, object], said: Callable = str) -> str:
    return per({token(task): value for task, value in values.items()}, said)


def stands(gap: float, other: str) -> str:
    """`lies 2.7 points below IPGuard`."""
    if size(gap).startswith("0 "):
        return f"is level with {other}"
    return f"lies {size(gap)} {'above' if gap > 0 else 'below'} {other}"


def victims(found: Difference) -> str:
    """How many victims there are, and of how many networks where they are not independent."""
    kin = "" if found.networks == found.victims else f" of {counted(found.networks, 'independent network')}"
    return f"{counted(found.victims, 'victim')}{kin}"


def with_error(found: Difference) -> str:
    error = "" if math.isnan(found.error) else f" ± {100 * found.error:.1f} (one standard error)"
    return f"{points(found.mean)}{error} over {victims(found)}"


_OF_EACH: dict[str, Callable] = {said.__name__: said for said in (per, per_task, places)}
_OF_EACH["arrow"] = lambda values, said: " → ".join(map(said, values))
_OF_EACH["against"] = lambda values, said: " against ".join(map(said, values))
_PHRASES: dict[str, Callable] = {
    **{said.__name__: said for said in (percent, size, points, thousands, token, listed)},
    "and": lambda items: listed(items, " and "),
    "of": lambda counts: "{} of {}".format(*counts),
}


def phrase(name: str) -> Callable[[object], str]:
    """What `{value:name}` in a sentence says: one of the phrases here, `per`, `per_task`, `places`, `arrow` or `against`
    with what is said of each, `counted` with its noun, `stands` with what it is compared with, or else a number's format.
    """
    first, _, rest = name.partition(" ")
    if first in _OF_EACH:
        return partial(_OF_EACH[first], said=phrase(rest))
    if first in ("counted", "stands"):
        return lambda value: (counted if first == "counted" else stands)(value, rest)
    return _PHRASES.get(name, lambda value: format(value, name))


class _Sentences(Formatter):
    """Templates whose values are said by `phrase`."""

    def format_field(self, value: object, format_spec: str) -> str:
        return phrase(format_spec)(value)


sentence: Callable[..., str] = _Sentences().format
