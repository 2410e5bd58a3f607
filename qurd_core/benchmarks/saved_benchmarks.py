"""A benchmark of one's own: some pairs of an embedded one, in a small JSON file that every command accepts, or in a link."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qurd_core.errors import QurdError, is_filled, misplaced
from qurd_core.files import checked, default_folder, json_values, publish, sealed_json

FORMAT = 1
ENDING = ".json"
LARGEST = 4_000_000  # bytes of a file that is read
SAVE_AGAIN = "Save it again on the Benchmark page. If it was you who changed it, take out its line 'qurd-seal'."
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TOKEN = re.compile(r"([\w-]{4})([\w-]*)", re.ASCII)


@dataclass(frozen=True)
class BenchFile:
    """What the file says.

    Attributes:
        benchmark: name of the benchmark whose pairs these are.
        pairs: the (victim, suspect) that are kept.
    """

    benchmark: str
    pairs: frozenset[tuple[str, str]]

    @classmethod
    def read(cls, path: Path) -> "BenchFile":
        """
        Raises:
            QurdError: there is no such file, it is no bench, or it is not what was saved.
        """
        absent = misplaced("a benchmark file", path, "Save one on the Benchmark page.")
        if not is_filled(path):
            raise absent
        try:
            if path.stat().st_size > LARGEST:
                raise QurdError(
                    f"Expected a benchmark file of at most {LARGEST:,} bytes. {path} has {path.stat().st_size:,}."
                )
            found = json_values(checked(path, SAVE_AGAIN))
            if "models" in found:
                raise QurdError(
                    f"Expected a benchmark file in {path}. Got the manifest of a folder of models: name the folder."
                )
            if found["format"] != FORMAT:
                raise QurdError(f"Expected a benchmark file of format {FORMAT} in {path}. Got {found['format']!r}.")
            return cls(str(found["benchmark"]), frozenset(map(_pair, found["pairs"])))
        except OSError:
            raise absent from None
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, QurdError):
                raise
            raise QurdError(
                f"Expected a benchmark file, as the Benchmark page saves it, in {path}. Got something else."
            ) from None

    def check(self, path: Path, kinds: Mapping[tuple[str, str], str]) -> None:
        """Refuse pairs of which no rates follow, wherever they come from: somebody may have written the file by hand.

        Args:
            path: said in errors.
            kinds: of every pair of the whole benchmark, by (victim, suspect).

        Raises:
            QurdError: a pair is none of the benchmark, or a victim has no stolen model.
        """
        if lost := self.pairs - kinds.keys():
            raise QurdError(f"Expected pairs of {self.benchmark} in {path}. It has none of {' and '.join(min(lost))}.")
        stolen = {pair[0] for pair in self.pairs if kinds[pair] == "positive"}
        if not stolen or {victim for victim, _ in self.pairs} - stolen:
            raise QurdError(
                f"Expected at least one stolen model of every victim in {path}. Add some or leave the victim out."
            )

    @property
    def text(self) -> str:
        """What stands in the file."""
        return sealed_json(self._said, indent=0).decode()

    @property
    def identity(self) -> str:
        """What it says, however its file is written."""
        return json.dumps(self._said, indent=0)

    @property
    def _said(self) -> dict[str, object]:
        return {"format": FORMAT, "benchmark": self.benchmark, "pairs": sorted(self.pairs)}

    def write(self, path: Path) -> None:
        """Publish the file whole."""
        try:
            publish(path, self.text.encode())
        except OSError as error:
            raise QurdError(f"Expected to write {path}. The disk refused: {error.strerror}. Nothing was saved.") from None


def _pair(found: object) -> tuple[str, str]:
    """
    Raises:
        ValueError: two letters of a word, or whatever else is no list of two names.
    """
    if not isinstance(found, list) or len(found) != 2 or not all(isinstance(name, str) for name in found):
        raise ValueError("no pair of names")
    return found[0], found[1]


def home_of(name: str) -> Path:
    """Where the app keeps a bench of that name.

    Raises:
        QurdError: the name holds more than small letters, digits and hyphens.
    """
    return default_folder() / "benches" / f"{called(name)}{ENDING}"


def called(name: str) -> str:
    """The name of a benchmark that is not shipped, if it can have that one.

    Raises:
        QurdError: it holds more than small letters, digits and hyphens.
    """
    if not _NAME.fullmatch(name):
        raise QurdError(f"Expected a name of up to 40 small letters, digits and hyphens. Got '{name[:60]}'.")
    return name


def saved_names() -> list[str]:
    """The benches that the app has saved, by name."""
    try:
        found = [path.stem for path in (default_folder() / "benches").glob(f"*{ENDING}")]
    except (PermissionError, QurdError):  # whoever needs the store says so
        return []
    return sorted(name for name in found if _NAME.fullmatch(name))


def remove(name: str) -> None:
    """Delete a bench that the app keeps; one that is gone already is no error."""
    home_of(name).unlink(missing_ok=True)


def token(pairs: Iterable[tuple[str, str]], out: Iterable[tuple[str, str]]) -> str:
    """Which pairs of a benchmark are out, short enough for a link.

    Four characters stand for all the pairs, so that a token of other pairs is recognised; then comes a bit per pair, in the
    order of their names.
    """
    every, gone = sorted(pairs), set(out)
    bits = sum(1 << place for place, pair in enumerate(every) if pair in gone)
    return _version(every) + _text(bits.to_bytes((bits.bit_length() + 7) // 8, "big"))


def from_token(text: str, pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]] | None:
    """The pairs that a token says are out; None where it is none, or one of other pairs."""
    every, found = sorted(pairs), _TOKEN.fullmatch(text)
    if not found or found[1] != _version(every) or len(found[2]) % 4 == 1 or len(found[2]) > len(every):
        return None
    bits = int.from_bytes(base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4)), "big")
    if bits >> len(every):
        return None
    return frozenset(pair for place, pair in enumerate(every) if bits >> place & 1)


def _version(every: list[tuple[str, str]]) -> str:
    return _text(hashlib.sha256(json.dumps(every).encode()).digest()[:3])


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
