"""The store: what was computed, on disk, found by what it was computed from.

Every result is a mapping of names to tensors in one safetensors file, named by its key and published whole: written
aside, flushed to the disk, renamed. A killed run leaves nothing half-written at a final name. A file that cannot be read is
moved aside and made again.
"""

import hashlib
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from qurd_core.errors import QurdError

FORMAT = 1
ABANDONED = 24 * 3600  # seconds after which a file in `tmp/` belongs to nobody


@dataclass(frozen=True)
class Key:
    """What identifies a result.

    Attributes:
        kind: `"answers"`, `"queries"`, `"scores"`: also the folder.
        spec: everything that changes the result, as JSON values.
    """

    kind: str
    spec: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Canonical JSON."""
        return json.dumps({"kind": self.kind, **self.spec}, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON: the address."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes: the content address of tensors, and of a model's state."""
    sha = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        sha.update(tensor.contiguous().numpy().tobytes())
    return sha.hexdigest()


class Store:
    """A folder of results.

    Args:
        folder: made if it is missing.

    Raises:
        QurdError: the folder cannot be written, or was written by a newer version.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._aside = folder / "tmp"
        with _disk(self.folder):
            self._aside.mkdir(parents=True, exist_ok=True)
            form = folder / "FORMAT.json"
            if not form.exists():
                self._publish(form, json.dumps({"format": FORMAT}).encode())
            found = _format(form)
        if found > FORMAT:
            raise QurdError(
                f"Expected a store of format {FORMAT} in {folder}. Got {found}: update the program or name another folder."
            )
        with _disk(self.folder):
            self._sweep()

    def path(self, key: Key) -> Path:
        """Where the result of a key lies or would lie."""
        return self.folder / key.kind / key.digest[:2] / f"{key.digest}.safetensors"

    def has(self, key: Key) -> bool:
        return self.path(key).exists()

    def get(self, key: Key, make: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """The stored tensors, or those that `make` returns, published first. The only door."""
        path = self.path(key)
        if path.exists():
            try:
                return _read(path, key)
            except (OSError, SafetensorError, ValueError, KeyError):
                self._quarantine(path)
        made = {name: tensor.contiguous() for name, tensor in make().items()}
        self._publish(path, save(made, _about(key, made)))
        return made

    def _publish(self, path: Path, data: bytes) -> None:
        with _disk(self.folder):
            aside = self._aside / f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
            try:
                with aside.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                path.parent.mkdir(parents=True, exist_ok=True)
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)
            _sync_folder(path.parent)

    def _quarantine(self, path: Path) -> None:
        with _disk(self.folder), suppress(FileNotFoundError):  # another process may have moved it first
            (self._aside / "quarantine").mkdir(exist_ok=True)
            path.replace(self._aside / "quarantine" / path.name)

    def _sweep(self) -> None:
        """Remove what killed runs left aside."""
        for path in self._aside.iterdir():
            with suppress(FileNotFoundError):  # its writer may be publishing it just now
                if path.is_file() and time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()


def _format(path: Path) -> int:
    try:
        return int(json.loads(path.read_text())["format"])
    except (ValueError, KeyError, TypeError):
        raise QurdError(f"Expected the format of a store in {path}. Got something else: is this folder a store?") from None


def _read(path: Path, key: Key) -> dict[str, Tensor]:
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a method of safetensors)
    if about != _about(key, tensors):
        raise ValueError("not what was stored")
    return tensors


def _about(key: Key, tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """The header of a file. One entry: the format writes several in an order of its own, different every time."""
    return {"about": json.dumps({"key": key.text, "sha256": digest(tensors)})}


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into one sentence."""
    try:
        yield
    except OSError as error:
        raise QurdError(
            f"Expected to write in the store {folder}. The disk refused: {error.strerror}. Nothing stored is lost: free"
            " space or rights, or name another folder with --store, and run it again."
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
