"""Obfuscations as people read them: `JPEG, quality 60` for `jpeg`."""

import qurd_core.schemes  # noqa: F401 (fills the registries)
from qurd_core.errors import QurdError
from qurd_core.grammar import Call, parse_chain
from qurd_core.registry import obfuscations


def of_call(call: Call) -> str:
    """One obfuscation with its parameters; one without words stays as it is written."""
    if call.name not in obfuscations:
        return str(call)
    component = obfuscations[call.name]
    return component.declares.said.format(**component.bind(call)) or str(call)


def said(chain: str) -> str:
    """Obfuscations one after the other; a text that is none stays.

    >>> said("jpeg(quality=30)->argmax")
    'JPEG, quality 30, then label only'
    """
    try:
        return ", then ".join(map(of_call, parse_chain(chain).calls))
    except (QurdError, ValueError):
        return chain


def aside(chain: str) -> str:
    """The same within a sentence: `JPEG (quality 60)`."""
    name, _, details = said(chain).partition(", ")
    return f"{name} ({details})" if details else name
