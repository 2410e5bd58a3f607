"""The one grammar: `name(arg,key=value)->name(...)`, with `|` between Q, R and D. `chain@50 + chain@50` mixes samplers.

A text is parsed once into a value. The same text names a model (its lineage), a sampler and a whole scheme; it is plot
label, widget value, link parameter, store key and test id.
"""

import json
import re
import sys
from dataclasses import dataclass

from qurd_core.errors import QurdError
from qurd_core.files import utf8

Value = int | float | bool | str

LONGEST = 2_000  # characters; a link or a file may hold anything
LARGEST = sys.float_info.max  # a number, whole or not, that a parameter can take

_NAME = r"[A-Za-z_](?:[\w./:+]|-(?!>))*"
_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<arrow>->) | (?P<mark>[(),=|@])
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w./:+]))
      | (?P<name>{_NAME})
      | (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<plus>\+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Call:
    """`name(arg,key=value)`: a component or a step of a lineage with its arguments."""

    name: str
    args: tuple[Value, ...] = ()
    options: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        inside = [format_value(value) for value in self.args]
        inside += [f"{key}={format_value(value)}" for key, value in self.options]
        return f"{self.name}({','.join(inside)})" if inside else self.name


@dataclass(frozen=True)
class Chain:
    """`call->call->...`: what happens one after another."""

    calls: tuple[Call, ...]

    def __str__(self) -> str:
        return "->".join(map(str, self.calls))


@dataclass(frozen=True)
class Mixture:
    """`chain@number + chain@number`: samplers whose queries are sent together, in these proportions."""

    chains: tuple[Chain, ...]
    shares: tuple[Value, ...]

    def __str__(self) -> str:
        return " + ".join(f"{chain}@{format_value(share)}" for chain, share in zip(self.chains, self.shares, strict=True))


@dataclass(frozen=True)
class Expression:
    """`chain | chain | chain`: the parts of a scheme."""

    parts: tuple[Chain | Mixture, ...]

    def __str__(self) -> str:
        return " | ".join(map(str, self.parts))


def parse(text: str) -> Expression:
    """Read a text into its value; `str(parse(str(x))) == str(x)`.

    Raises:
        QurdError: the text is no expression; the message quotes what could not be read.
    """
    if len(text) > LONGEST:
        raise QurdError(f"Expected an expression of at most {LONGEST} characters. Got {len(text)}. Shorten it.")
    return _Reader(_writable(text, text)).expression()


def parse_chain(text: str) -> Chain:
    """Read a text without `|`: a sampler or a lineage."""
    expression = parse(text)
    if len(expression.parts) != 1 or isinstance(expression.parts[0], Mixture):
        raise QurdError(f"Expected one chain without '|' and '@'. Got '{text}'.")
    return expression.parts[0]


def format_value(value: Value) -> str:
    """The canonical text of one argument."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    plain = re.fullmatch(_NAME, value) and value not in ("true", "false")
    return value if plain else json.dumps(value, ensure_ascii=False)


def _writable(part: str, text: str) -> str:
    """A text, or what stands in quotes in it, if it can be written into a file and be part of a name."""
    try:
        return utf8(part)
    except ValueError as error:
        raise QurdError(f"Cannot read '{text}': {error}. Write it out.") from None


class _Reader:
    """One pass over the tokens of a text."""

    def __init__(self, text: str):
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if not match:
                raise QurdError(f"Cannot read {text[position:].strip()[:40]!r} in '{text}'. {_SHAPE}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        self.next = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.next] if self.next < len(self.tokens) else ("end", "the end")

    def take(self, *wanted: str) -> str | None:
        """The next token if it is one of `wanted` (a kind, or the token itself), else None."""
        kind, token = self.peek()
        if kind in wanted or token in wanted:
            self.next += 1
            return token
        return None

    def expect(self, *wanted: str) -> str:
        token = self.take(*wanted)
        if token is None:
            raise QurdError(f"Expected {' or '.join(wanted)}, got {self.peek()[1]!r} in '{self.text}'. {_SHAPE}")
        return token

    def expression(self) -> Expression:
        parts = [self.part()]
        while self.take("|"):
            parts.append(self.part())
        self.expect("end")
        return Expression(tuple(parts))

    def part(self) -> Chain | Mixture:
        chain = self.chain()
        if not self.take("@"):
            return chain
        chains, shares = [chain], [self.value()]
        while self.take("plus"):
            chains.append(self.chain())
            self.expect("@")
            shares.append(self.value())
        return Mixture(tuple(chains), tuple(shares))

    def chain(self) -> Chain:
        calls = [self.call()]
        while self.take("arrow"):
            calls.append(self.call())
        return Chain(tuple(calls))

    def call(self) -> Call:
        name = self.expect("name")
        args: list[Value] = []
        options: dict[str, Value] = {}
        if self.take("(") and not self.take(")"):
            while True:
                if self.peek()[0] == "name" and self.tokens[self.next + 1 : self.next + 2] == [("mark", "=")]:
                    key = self.expect("name")
                    self.expect("=")
                    if key in options:
                        raise QurdError(f"'{key}' is given twice in '{self.text}'. Keep one.")
                    options[key] = self.value()
                elif options:
                    raise QurdError(f"A value without a name follows a named one in '{self.text}'. Put it first.")
                else:
                    args.append(self.value())
                if self.expect(",", ")") == ")":
                    break
        return Call(name, tuple(args), tuple(options.items()))

    def value(self) -> Value:
        kind, _ = self.peek()
        token = self.expect("number", "name", "text")
        if kind == "text":
            try:
                return _writable(json.loads(token), self.text)
            except json.JSONDecodeError as error:
                raise QurdError(f"Cannot read the quoted text {token} in '{self.text}': {error.msg}.") from None
        if kind == "name":
            return {"true": True, "false": False}.get(token, token)
        number = float(token) if re.search(r"[.eE]", token) else int(token)
        if not abs(number) <= LARGEST:
            shown = token if len(token) <= 20 else f"{token[:20]}… ({len(token)} characters)"
            raise QurdError(f"Expected a number of at most {LARGEST:.1e}. Got {shown}.")
        return number


_SHAPE = "Expected the shape name(arg,key=value)->name(...), with ' | ' between sampler, representation and detector."
