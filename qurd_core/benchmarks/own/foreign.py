"""What somebody else wrote: files that must lie where they are said to lie, manifests of plain values, names that can be
told apart.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qurd_core.errors import visible
from qurd_core.files import finite, utf8, whole

if TYPE_CHECKING:  # importing it takes time that only those who read a table need to spend
    import pyarrow as pa

DIGITS = 40  # characters of a number
NAMES = 200  # characters of a name
WIDTH = 20  # bytes of a number as a text
_TAG = "tag:yaml.org,2002:"
_PLAIN = {f"{_TAG}{name}" for name in ("null", "bool", "int", "float")}  # what a bare word may be besides a text


def lies_within(path: Path, folder: Path) -> bool:
    """Whether a path leads, over whatever links, to a place inside a folder."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a circle of links, or a character that no name holds
        return False


def yaml_values(text: str) -> Any:
    """What a YAML text says in plain values: texts, numbers, true and false, lists, and names with values.

    Dates are texts. References are refused, nine levels of which unfold to a billion values, and so are tags, which call
    constructors.

    Raises:
        ValueError: it is no such text, or holds a number that `whole` or `finite` refuses.
    """
    import yaml

    class Plain(yaml.SafeLoader):
        yaml_implicit_resolvers = {  # noqa: RUF012 (a name of yaml's)
            first: [(tag, pattern) for tag, pattern in known if tag in _PLAIN]
            for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()
            if isinstance(event, yaml.AliasEvent):
                raise ValueError("references (*name) are not allowed in a manifest")
            if getattr(event, "tag", None) is not None:
                raise ValueError(f"tags ({event.tag[:60]}) are not allowed in a manifest")
            return super().compose_node(parent, index)

        def construct_scalar(self, node: Any) -> str:
            if node.tag in (f"{_TAG}int", f"{_TAG}float") and len(node.value) > DIGITS:
                raise ValueError(f"it holds a number of {len(node.value):,} characters")
            return utf8(super().construct_scalar(node))

        def construct_yaml_int(self, node: Any) -> int:
            return whole(str(super().construct_yaml_int(node)))

        def construct_yaml_float(self, node: Any) -> float:
            return finite(str(super().construct_yaml_float(node)))

    Plain.add_constructor(f"{_TAG}int", Plain.construct_yaml_int)
    Plain.add_constructor(f"{_TAG}float", Plain.construct_yaml_float)
    try:
        return yaml.load(text, Plain)
    except yaml.YAMLError as error:
        raise ValueError(error) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def unpacked_bytes(table: "pa.Table", numbers: str | None = None) -> int:
    """The bytes of a table once every row holds its own texts: millions of rows may point to a few long ones.

    Args:
        table: as it was read, with texts that stand in dictionaries.
        numbers: how the names of columns begin that stay numbers, if any do; those of the others become texts.
    """
    return sum(_unpacked(table[name], bool(numbers) and name.startswith(numbers)) for name in table.column_names)


def _unpacked(column: "pa.ChunkedArray", number: bool) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return len(column) * (4 if number else WIDTH)
    if not pa.types.is_dictionary(column.type):
        return column.nbytes
    lengths = (pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
    return 8 * len(column) + sum(pc.sum(some).as_py() or 0 for some in lengths)


def name_faults(names: Iterable[object], of: str) -> Iterator[str]:
    """What keeps values from being names, a sentence each.

    Args:
        of: what is named, in words: `"class"`.
    """
    for name in names:
        if not isinstance(name, str | int | float):
            yield f"Expected a text as the name of a {of}. Got {str(name)[:60]!r}."
        elif len(str(name)) > NAMES:
            yield f"Expected the name of a {of} in at most {NAMES} characters. '{visible(str(name)[:60])}…' has more."
        elif any(unicodedata.category(sign) == "Cc" for sign in str(name)):
            yield f"The name '{visible(str(name))}' of a {of} holds a control character. Write it without."


def look_alikes(names: Iterable[str], of: str) -> Iterator[str]:
    """A sentence about every two names that nobody can tell apart.

    Args:
        of: what is named, in words, several of them: `"classes"`.
    """
    seen: dict[str, str] = {}
    for name in dict.fromkeys(names):
        other = seen.setdefault(_seen(name), name)
        if other != name:
            differ = ", ".join(f"U+{ord(sign):04X}" for sign in sorted({*other} ^ {*name}))
            yield (
                f"Two {of} look alike: '{visible(other)}' and '{visible(name)}' differ by what nobody sees"
                f" ({differ or 'an order of characters'}). Write them in the same way if they are one, else rename one."
            )


def _seen(name: str) -> str:
    """What somebody sees of a name: compatible forms of a letter are one, and so is all white space."""
    signs = (
        sign for sign in unicodedata.normalize("NFKC", name) if sign not in _UNSEEN and unicodedata.category(sign) != "Cf"
    )
    return " ".join("".join(signs).split())


_UNSEEN = frozenset(  # characters without ink that count as letters or marks
    map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)))
)
