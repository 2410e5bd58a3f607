"""The file that says how an API is asked: where, what is sent along, where its answer stands, and what it may cost.

It holds no secret: `${NAME}` stands for a variable of the environment, which only `qurd_core.suspects.egress` reads, when a
request is built.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from qurd_core.access import Access
from qurd_core.benchmarks.own.foreign import yaml_values
from qurd_core.errors import QurdError, is_filled, misplaced, unknown, visible
from qurd_core.files import json_values, opened

BYTES = 256_000  # of the file
KEYS = {"format", "url", "image", "body", "headers", "answer", "names", "limits"}
GIVES = {"labels": Access.LABELS, "topk": Access.TOPK, "probits": Access.PROBITS}
LIMITS = {  # of what a number may be, and what it is where it is not said
    "per_second": (0.001, 1000.0, 1.0),
    "parallel": (1, 16, 1),
    "requests": (1, 1_000_000, None),
    "price": (0.0, 1000.0, 0.0),
    "spend": (0.0, 1_000_000.0, 0.0),
    "seconds": (1.0, 120.0, 30.0),
}
WHOLE = ("parallel", "requests")
MOST = 25  # classes of an answer whose order is told
FLOOR = 1e-12  # the smallest probit of which a logarithm is taken
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,60})\}")
OURS = {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding", "expect", "te"}
_SECRET = re.compile(r"authorization|cookie|key|token|secret|password", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z-]{0,12}[ :=]{0,2}")  # what may stand beside a variable: Bearer, Basic, Token
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")


@dataclass(frozen=True)
class Limits:
    """What may be asked of an API, and how fast.

    Attributes:
        per_second: requests.
        parallel: requests under way together.
        requests: in all, those of other days included.
        price: of a request, in `currency`; each that is sent counts, answered or not.
        spend: in all.
        seconds: for a request from the first byte to the last.
    """

    per_second: float
    parallel: int
    requests: int
    price: float
    spend: float
    seconds: float
    currency: str

    @property
    def most(self) -> int:
        """Requests that both caps allow, those of other days included."""
        return min(self.requests, math.floor(self.spend / self.price + 1e-9)) if self.price else self.requests

    def cost(self, requests: int) -> str:
        """What so many requests cost, in words."""
        return f"{requests * self.price:.2f} {self.currency}".strip()


@dataclass(frozen=True)
class Api:
    """How an API is asked.

    Attributes:
        path: of its file.
        url, body, headers: as they are written there.
        image: how a picture is put into a request (`"json"` as base64, or `"multipart"`), and the name of its field.
        answer: what an answer holds, and where.
        names: its classes to ours; None for one that is no class of ours.
    """

    path: Path
    url: str
    image: tuple[str, str]
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    answer: Mapping[str, Any]
    names: Mapping[str, str | None]
    limits: Limits

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def access(self) -> Access:
        """The most that it ever reveals."""
        return GIVES[self.answer["gives"]]

    @property
    def top(self) -> int | None:
        """Classes of an answer whose order is told; None where it is that of all."""
        return self.answer["top"] if self.access is Access.TOPK else 1 if self.access is Access.LABELS else None

    @cached_property
    def address(self) -> str:
        """SHA-256 of what is asked, as it is written: where its answers are kept, whatever its classes are called."""
        return hashlib.sha256(json.dumps([self.url, self.body], sort_keys=True).encode()).hexdigest()

    @cached_property
    def digest(self) -> str:
        """The same of everything that decides what an answer means."""
        about = [self.address, self.image, self.answer, self.names]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    @property
    def variables(self) -> list[str]:
        """Names of the variables that a request takes from the environment."""
        return list(dict.fromkeys(VARIABLE.findall(json.dumps([self.url, self.body, self.headers]))))

    def row(self, text: str, classes: Sequence[str]) -> list[float]:
        """What an answer says of each of C classes and of none of them: C+1 numbers, of which the largest is its class.

        Args:
            classes: names, in the order of its probits if these are a list.

        Raises:
            ValueError: it says something else than `answer` describes.
        """
        value, number = json_values(text), len(classes)
        place = {name: position for position, name in enumerate(classes)}

        def of(name: Any) -> int:
            if not isinstance(name, str | int | float):
                raise ValueError(f"it names a class by a {type(name).__name__}")
            own = self.names.get(str(name), str(name))
            return number if own is None else place.get(own, number)

        row = [0.0] * (number + 1)
        if self.access is Access.PROBITS:
            return _probits(_at(value, self.answer["scores"]), classes, of)
        found = _listed(_at(value, self.answer["label"]))
        if "score" in self.answer:
            scores = _listed(_at(value, self.answer["score"]))
            if len(scores) != len(found) or not all(type(one) in (int, float) for one in scores):
                raise ValueError(f"it has {len(found)} classes and {len(scores)} scores, or some that are no numbers")
            found = [name for _, name in sorted(zip(scores, found, strict=True), key=lambda one: -one[0])]
        named = list(dict.fromkeys(map(of, found)))
        wanted = self.answer.get("top", 1)
        if len(named) < min(wanted, number):
            raise ValueError(f"it names {len(named)} classes, not {wanted}")
        for rank, position in enumerate(named[:wanted]):
            row[position] = math.exp(-rank)
        return [math.log(max(one, FLOOR)) for one in row]


def _at(value: Any, path: str) -> Any:
    """What stands at a path: keys and numbers joined by dots, one `*` for a list.

    >>> _at({"results": [{"name": "cat"}, {"name": "dog"}]}, "results.*.name")
    ['cat', 'dog']
    """
    parts = path.split(".")
    for number, part in enumerate(parts):
        if part == "*":
            if not isinstance(value, list):
                raise ValueError(f"it has no list at '{'.'.join(parts[:number])}'")
            return [_at(one, ".".join(parts[number + 1 :])) for one in value] if number + 1 < len(parts) else value
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            raise ValueError(f"it has no '{'.'.join(parts[: number + 1])}'")
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _probits(value: Any, classes: Sequence[str], of: Any) -> list[float]:
    """Logarithms of probits that are a list in the order of the classes, or names to numbers."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(zip(classes, value, strict=False)) * isinstance(value, list)
    )
    named = [(of(name) if isinstance(value, dict) else position, one) for position, (name, one) in enumerate(pairs)]
    numbers = [one for _, one in named]
    if isinstance(value, list) and len(value) != len(classes):
        raise ValueError(f"it has {len(value)} scores for {len(classes)} classes")
    if lacking := {*range(len(classes))} - {position for position, _ in named}:
        raise ValueError(f"it has no score of '{classes[min(lacking)]}'")
    if not all(type(one) in (int, float) and one >= 0 for one in numbers) or not _sum_to_one(numbers):
        raise ValueError("its scores are no probits, which are 0 or more and sum to one")
    row = [0.0] * (len(classes) + 1)
    for position, one in named:
        row[position] = max(row[position], float(one))
    return [math.log(max(one, FLOOR)) for one in row]


def _sum_to_one(numbers: Sequence[float]) -> bool:
    """Whether these may be probits that were rounded."""
    digits = max(len(repr(float(one)).partition(".")[2]) if "e" not in repr(float(one)) else 6 for one in numbers)
    half = 10.0 ** -min(max(digits, 2), 6) / 2
    return sum(max(one - half, 0) for one in numbers) <= 1.001 and sum(one + half for one in numbers) >= 0.999


def read_api(path: Path, classes: Sequence[str]) -> Api:
    """
    Raises:
        QurdError: no such file, or the first thing that is wrong with it.
    """
    said = _said(path)
    for fault in _faults(said, classes):
        raise QurdError(f"{fault} (In {path}.)")
    limits = said["limits"]
    numbers = {name: limits.get(name, usual) for name, (_, _, usual) in LIMITS.items()}
    image, answer = said["image"], said["answer"]
    return Api(
        path,
        said["url"],
        (image["as"], image["field"]),
        said.get("body") or {},
        said.get("headers") or {},
        answer,
        {str(theirs): None if ours is None else str(ours) for theirs, ours in (said.get("names") or {}).items()},
        Limits(**numbers, currency=str(limits.get("currency", ""))),
    )


def _said(path: Path) -> dict[str, Any]:
    if not is_filled(path):
        raise misplaced("the file of an API", path)
    with opened(path) as file:
        data = file.read(BYTES + 1)
    if len(data) > BYTES:
        raise QurdError(f"Expected the file of an API of at most {BYTES:,} bytes. {path} has more.")
    try:
        found = yaml_values(data.decode("utf-8"))
    except ValueError as error:
        raise QurdError(f"Cannot read {path}: {' '.join(str(error).split())}.") from None
    if not isinstance(found, dict):
        raise QurdError(f"Expected names with values in {path}: url, image, answer, limits. Got a {type(found).__name__}.")
    return found


def _faults(said: dict[str, Any], classes: Sequence[str]) -> Iterator[str]:
    """What is wrong with the file of an API, a sentence each; later ones rely on earlier ones."""
    if strange := sorted(map(str, said.keys() - KEYS)):
        yield f"Expected {', '.join(sorted(KEYS))}. Got also '{visible(strange[0][:60])}'."
    if said.get("format", 1) != 1:
        yield f"Expected an API of format 1. Got {str(said['format'])[:20]!r}."
    url = said.get("url")
    if not isinstance(url, str) or len(url) > 2_000 or not re.match(r"https?://[^/]", url):
        yield "Expected 'url' as an address that begins with https:// (or http:// for this machine)."
        return
    if "$" in re.split(r"[/?#]", url)[2]:
        yield "Expected the host of 'url' as it is: variables may stand behind it only."
    image = said.get("image")
    if not isinstance(image, dict) or {*image} != {"as", "field"} or image["as"] not in ("json", "multipart"):
        yield "Expected 'image' as {as: json, field: NAME} or {as: multipart, field: NAME}."
        return
    if not isinstance(image["field"], str) or not re.fullmatch(r"[\w.-]{1,60}", image["field"]):
        yield "Expected 'field' of 'image' as a short name."
    for name in ("body", "headers", "names"):
        if not isinstance(said.get(name) or {}, dict):
            yield f"Expected '{name}' as names with values."
            return
    body, headers = said.get("body") or {}, said.get("headers") or {}
    if image["field"] in body:
        yield f"'{image['field']}' is the field of the picture: 'body' must not have it, too."
    if image["as"] == "multipart" and any(isinstance(value, dict | list) for value in body.values()):
        yield "Expected texts and numbers in 'body', which is sent as a form."
    for name, value in headers.items():
        if not _HEADER.fullmatch(str(name)) or str(name).lower() in OURS:
            yield f"Expected other 'headers' than those that every request has. Got '{visible(str(name)[:60])}'."
        elif not isinstance(value, str) or not value.isascii() or not value.isprintable():
            yield f"Expected a plain text as the header '{name}'."
    yield from _secrets(url, body, headers)
    yield from _answer_faults(said.get("answer"))
    for theirs, ours in (said.get("names") or {}).items():
        if ours is not None and str(ours) not in classes:
            yield f"{unknown('class', str(ours), classes)} ('names' says that '{visible(str(theirs)[:60])}' is it.)"
    yield from _limit_faults(said.get("limits"))


def _secrets(url: str, body: Mapping[str, Any], headers: Mapping[str, Any]) -> Iterator[str]:
    """Whatever is called a secret and is not taken from the environment."""
    if "@" in re.split(r"[/?#]", url)[2]:
        yield "Expected 'url' without a name and password. Write a header: Authorization: \"Basic ${NAME}\"."
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    for name, value in (*query, *_leaves(body), *headers.items()):
        bare, variables = VARIABLE.sub("", str(value)), VARIABLE.findall(str(value))
        if _SECRET.search(str(name)) and (not variables or not _WORD.fullmatch(bare)):
            yield (
                f"'{visible(str(name)[:60])}' holds a secret in clear. Write ${{NAME}} and set the variable NAME of the"
                " environment."
            )


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, str(key))
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, name)
    else:
        yield name, value


def _answer_faults(answer: Any) -> Iterator[str]:
    if not isinstance(answer, dict) or answer.get("gives") not in list(GIVES):
        yield f"Expected 'answer' with gives: {', '.join(GIVES)}, and where that stands."
        return
    gives = answer["gives"]
    needed = {"labels": {"label"}, "topk": {"label", "top"}, "probits": {"scores"}}[gives]
    allowed = needed | {"gives"} | ({"score"} if gives != "probits" else set())
    if not needed <= {*answer} <= allowed:
        more = "" if gives == "probits" else ", and score if the order follows from it"
        yield f"Expected 'answer' that gives {gives} with {', '.join(sorted(needed))}{more}."
        return
    for name in {"label", "score", "scores"} & {*answer}:
        path = answer[name]
        sound = isinstance(path, str) and all(path.split(".")) and path.split(".").count("*") <= 1 and len(path) <= 200
        if not sound:
            yield f"Expected '{name}' as keys and numbers joined by dots, with one * for a list, as in results.*.name."
    if gives == "topk" and (type(answer["top"]) is not int or not 2 <= answer["top"] <= MOST):
        yield f"Expected 'top' from 2 to {MOST}."


def _limit_faults(limits: Any) -> Iterator[str]:
    if not isinstance(limits, dict) or not {"requests"} <= {*limits} <= {*LIMITS, "currency"}:
        yield f"Expected 'limits' with requests, and if needed {', '.join([*LIMITS, 'currency'])}."
        return
    for name, (low, high, usual) in LIMITS.items():
        value = limits.get(name, usual)
        if type(value) not in ((int,) if name in WHOLE else (int, float)) or not low <= value <= high:
            yield f"Expected '{name}' of 'limits' from {low:g} to {high:,g}. Got {str(value)[:20]!r}."
            return
    if limits.get("price") and not limits.get("spend"):
        yield "Expected 'spend' beside 'price' in 'limits': the most that may be paid in all."
    if not re.fullmatch(r"\w{0,8}", str(limits.get("currency", ""))):
        yield "Expected 'currency' in at most 8 letters."
