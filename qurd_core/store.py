"""The store: what was computed, on disk, found by what it was computed from.

Every result is a mapping of names to tensors in one safetensors file, named by its key and published whole: written
aside, flushed to the disk, renamed. A killed run leaves nothing half-written at a final name. A file that cannot be read is
moved aside and made again.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from qurd_core.errors import QurdError
from qurd_core.files import alone, checked, is_sealed, json_values, make_folder, publish, remove_abandoned, sealed_json

FORMAT = 1
FORM = "FORMAT.json"
ROWS = "rows"  # the tensor that tells which rows of a result that grows are there
_UNSOUND = (SafetensorError, ValueError, KeyError, TypeError)


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

    >>> from tempfile import mkdtemp
    >>> from torch import zeros
    >>> store, key = Store(Path(mkdtemp())), Key("answers", {"model": "a"})
    >>> store.get(key, lambda: {"logits": zeros(5, 3)})["logits"].shape, store.has(key)
    (torch.Size([5, 3]), True)
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._aside = folder / "tmp"
        with _disk(self.folder):
            make_folder(self._aside)
            form = folder / FORM
            if form.exists() and is_damaged(form) and any(map(is_sound, results(folder))):
                self._quarantine(form)
            if not form.exists():
                self._publish(form, sealed_json({"format": FORMAT}))
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
        """The stored tensors, or those that `make` returns, published first.

        Of several processes that want the same, one makes it and the others wait for it.
        """
        found = self.known(key)
        if found is not None:
            return found
        with self._alone(key):
            found = self.known(key)  # somebody may have made it meanwhile
            return self._keep(key, make()) if found is None else found

    def rows(self, key: Key, wanted: Tensor, make: Callable[[Tensor], Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """Some rows of a result that grows as they are asked for: those that are stored are read, the others made and kept.

        Of several processes that want rows of one result, one makes what it lacks and the others wait for it.

        Args:
            wanted: (k,) numbers of rows, in any order; one may come twice.
            make: from the (m,) numbers that are lacking, in rising order, to tensors with a row for each.

        >>> from tempfile import mkdtemp
        >>> from torch import tensor
        >>> store, key = Store(Path(mkdtemp())), Key("answers", {"model": "a"})
        >>> def ask(rows):
        ...     print("asked about", rows.tolist())
        ...     return {"labels": 10 * rows}
        >>> store.rows(key, tensor([7, 2]), ask)["labels"].tolist()
        asked about [2, 7]
        [70, 20]
        >>> store.rows(key, tensor([2, 5]), ask)["labels"].tolist()
        asked about [5]
        [20, 50]
        """
        known = self.known(key) or {}
        if len(_lacking(known, wanted)):
            with self._alone(key):
                known = self.known(key) or {}  # to which somebody may have added meanwhile
                if len(lacking := _lacking(known, wanted)):
                    known = self._keep(key, _merged(known, {ROWS: lacking, **make(lacking)}))
        places = torch.searchsorted(known[ROWS], wanted)
        return {name: tensor[places] for name, tensor in known.items() if name != ROWS}

    def known(self, key: Key) -> dict[str, Tensor] | None:
        """What is stored; None where nothing is, or what was there had to be moved aside."""
        path = self.path(key)
        if path.exists():
            try:
                return _read(path, key)
            except (OSError, *_UNSOUND):
                self._quarantine(path)
        return None

    @contextmanager
    def _alone(self, key: Key) -> Iterator[None]:
        """While no other process makes the result of a key."""
        with ExitStack() as stack:
            with _disk(self.folder):
                stack.enter_context(alone(self._aside / f"{key.digest}.claim"))
            yield

    def _keep(self, key: Key, made: Mapping[str, Tensor]) -> dict[str, Tensor]:
        whole = {name: tensor.contiguous() for name, tensor in made.items()}
        self._publish(self.path(key), save(whole, _about(key.text, whole)))
        return whole

    def _publish(self, path: Path, data: bytes) -> None:
        with _disk(self.folder):
            publish(path, data, self._aside)

    def _quarantine(self, path: Path) -> None:
        with _disk(self.folder), suppress(FileNotFoundError):  # another process may have moved it first
            (self._aside / "quarantine").mkdir(exist_ok=True)
            path.replace(self._aside / "quarantine" / path.name)

    def _sweep(self) -> None:
        """Remove what killed runs left aside."""
        for path in self._aside.iterdir():
            if path.is_file():
                remove_abandoned(path)


def _lacking(known: Mapping[str, Tensor], wanted: Tensor) -> Tensor:
    """The numbers of rows that are wanted and not known, in rising order."""
    wanted = wanted.unique()
    return wanted[~torch.isin(wanted, known[ROWS])] if known else wanted


def _merged(some: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rows of a result, and others of it."""
    if not some:
        return dict(others)
    every = {name: torch.cat([some[name], tensor]) for name, tensor in others.items()}
    order = every[ROWS].argsort()
    return {name: tensor[order] for name, tensor in every.items()}


def results(folder: Path) -> Iterator[Path]:
    """The files of results in a folder, sound or not."""
    return (path for path in sorted(folder.glob("*/??/*.safetensors")) if path.parts[-3] != "tmp")


def is_sound(path: Path) -> bool:
    """Whether a file of results lies where its key says and holds the tensors that were stored.

    Raises:
        OSError: it cannot be read.
    """
    try:
        about, tensors = _opened(path)
        text = json.loads(about["about"])["key"]
    except _UNSOUND:
        return False
    return about == _about(text, tensors) and hashlib.sha256(text.encode()).hexdigest() == path.stem


def is_damaged(form: Path) -> bool:
    """Whether the file that tells the format of a store was altered. Where results lie beside it, it is written again.

    Another format without a seal is damage too: before formats were sealed there was but this one.
    """
    try:
        return _format(form) != FORMAT and not is_sealed(form.read_bytes())
    except QurdError:
        return True


def _format(path: Path) -> int:
    try:
        return int(json_values(checked(path))["format"])
    except (ValueError, KeyError, TypeError):
        raise QurdError(
            f"Expected the format of a store in {path}. Got something else, and no result lies beside it: is this folder a"
            " store? Name another one, or remove that file if it is."
        ) from None


def _read(path: Path, key: Key) -> dict[str, Tensor]:
    about, tensors = _opened(path)
    if about != _about(key.text, tensors):
        raise ValueError("not what was stored")
    return tensors


def _opened(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():  # nobody waits for a pipe
        raise ValueError("no file")
    with safe_open(path, framework="pt") as file:
        return file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a method of safetensors)


def _about(key: str, tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """The header of a file. One entry: the format writes several in an order of its own, different every time.

    Args:
        key: its canonical JSON.
    """
    return {"about": json.dumps({"key": key, "sha256": digest(tensors)})}


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
