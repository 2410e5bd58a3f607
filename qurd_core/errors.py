"""The one error of the core: a sentence that says what was expected, what came, and what to do."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

SHOWN = 60  # known names in a sentence


class QurdError(ValueError):
    """Something the caller can mend. Its text is one sentence that can be shown as it is."""


def unknown(kind: str, name: str, known: Iterable[str]) -> QurdError:
    """The error for a name that nobody registered, with the nearest known one.

    Args:
        kind: what the name should have been, in words: `"craft"`, `"benchmark"`.
        name: what came.
        known: every name that would have been right.
    """
    known = sorted(known)
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    rest = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return QurdError(f"Unknown {kind} '{name}'.{hint} Known: {', '.join(known[:SHOWN]) or 'none'}{rest}.")


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Add the surrounding step to any `QurdError` that leaves the block.

    Args:
        what: continues "while ...", for example `"sampling negative(test) for train(vgg,victim)"`.
    """
    try:
        yield
    except QurdError as error:
        raise QurdError(f"{error} (While {what}.)") from error
