"""What changes the speed and never the result: device, batch size, worker processes, progress."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from qurd_core.errors import QurdError

Track = Callable[[Iterable[Any], int, str], Iterator[Any]]
Heard = Callable[[int, bool], None]


def silent(items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
    """Progress for nobody: hands the items through."""
    return iter(items)


def unheard(images: int, gradient: bool) -> None:
    """Batches for nobody."""


@dataclass(frozen=True)
class Runtime:
    """How to compute. Never part of a name or a key.

    Attributes:
        device: where models run: `"cpu"`, `"cuda"`, `"cuda:1"`, `"mps"`.
        batch_size: images per forward pass.
        workers: processes for independent units; 1 runs them in this process.
        track: wraps every long loop as `track(items, total, label)`.
        heard: told of every batch before it goes through a model: the number of images, and whether their gradient is
            computed. It may raise, to stop.

    Raises:
        QurdError: no such device here, or a number below 1.

    >>> Runtime(workers=4).device
    'cpu'
    """

    device: str = "cpu"
    batch_size: int = 64
    workers: int = 1
    track: Track = silent
    heard: Heard = unheard

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.workers < 1:
            raise QurdError(
                f"Expected a batch size and a number of workers of at least 1. Got {self.batch_size} and {self.workers}."
            )
        known = available_devices()
        if self.device not in known:
            raise QurdError(f"Expected a device out of {', '.join(known)}. Got '{self.device}'.")


def available_devices() -> list[str]:
    """The devices of this machine, the fastest last."""
    import torch  # whoever reads imported scores needs none

    devices = ["cpu"]
    if torch.backends.mps.is_available():
        devices.append("mps")
    if torch.cuda.is_available():
        devices += [f"cuda:{index}" for index in range(torch.cuda.device_count())] + ["cuda"]
    return devices
