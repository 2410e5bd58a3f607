"""ONNX models: read, looked at and run in a process of their own, so that no foreign graph runs in this one."""

import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor, nn

from qurd_core.benchmarks.own.sources.onnx_child import MEMORY, size_of
from qurd_core.benchmarks.serving import FLOOR
from qurd_core.errors import QurdError

LEAST = (1, 24, 1)  # of onnxruntime: releases before it read files that a model names
SECONDS = 60  # for a batch, and to read a model
LAYOUTS, RANGES, GIVES = ("NCHW", "NHWC"), ("unit", "bytes"), ("logits", "probits")
PROCESS = 150_000_000  # bytes of the process beside its model
WIDEST = 4 * 100_000  # bytes of the answer to an image
_BLOCK, _LINE = 1 << 20, 1 << 16


class OnnxNetwork(nn.Module):
    """An ONNX model as a network: prepared images in, logits out (of probits their logarithms).

    Args:
        path: of the model; tensors that it keeps in other files must lie beside it.
        input, output: as the manifest describes them.

    Attributes:
        about: what it takes and gives, as `onnx_child.described` says.
        held: bytes that its process may hold of it.

    Raises:
        QurdError: the runtime is not installed, the model is refused, or it takes more time or memory than it may.
    """

    def __init__(self, path: Path, input: dict[str, Any], output: dict[str, Any]):
        super().__init__()
        if not (find_spec("onnxruntime") and find_spec("onnx")) or _release("onnxruntime") < LEAST:
            least = ".".join(map(str, LEAST))
            raise QurdError(
                f"Expected onnxruntime from {least} on, and onnx, to ask {path.name}. Install them: pip install"
                f" 'onnxruntime>={least}' onnx."
            )
        self.path, self.output = path, output
        self.held = size_of(path) + PROCESS
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qurd_core.benchmarks.own.sources.onnx_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._end = weakref.finalize(self, _end, self._process)
        self._blocks: queue.Queue[bytes] = queue.Queue(64)
        threading.Thread(target=_pump, args=(self._process.stdout, self._blocks), daemon=True).start()
        self.about = self._ask(json.dumps({"path": str(path), "input": input, "output": output}).encode() + b"\n", 0)[0]

    def forward(self, x: Tensor) -> Tensor:
        images = x.detach().cpu().contiguous().numpy().astype(np.float32, copy=False)
        asked = json.dumps({"shape": images.shape}).encode() + b"\n" + images.tobytes()
        said, data = self._ask(asked, len(images) * WIDEST)
        if 4 * int(np.prod(said["shape"])) != len(data) or said["shape"][0] != len(images):
            raise self._ended()
        answers = torch.from_numpy(np.frombuffer(data, np.float32).reshape(said["shape"]).copy()).to(x.device)
        return answers.clamp_min(FLOOR).log() if self.output["gives"] == "probits" else answers

    def close(self) -> None:
        """End the process; whoever reads from it closes that end."""
        self._end()

    def _ask(self, data: bytes, most: int) -> tuple[dict[str, Any], bytes]:
        """Send a message and read the one that answers it, of at most so many bytes."""
        until = time.monotonic() + SECONDS
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise self._ended() from None
        held = b""
        while b"\n" not in held:
            held += self._read(until)
            if len(held) > _LINE + most:
                raise self._ended()
        line, _, rest = held.partition(b"\n")
        try:
            said = json.loads(line)
        except ValueError:
            raise self._ended() from None
        if not 0 <= said["bytes_that_follow"] <= most:
            raise self._ended()
        parts, length = [rest], len(rest)
        while length < said["bytes_that_follow"]:
            parts.append(self._read(until))
            length += len(parts[-1])
        if "refused" in said:
            raise QurdError(f"{said['refused']} (In {self.path}.)")
        if "more" in said:
            raise self._ended()
        return said, b"".join(parts)

    def _read(self, until: float) -> bytes:
        try:
            found = self._blocks.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            self.close()
            raise QurdError(
                f"Expected an answer of {self.path} within {SECONDS} seconds. It takes longer: ask it less at once."
            ) from None
        if not found:
            raise self._ended()
        return found

    def _ended(self) -> QurdError:
        self.close()
        return QurdError(
            f"Expected to run {self.path} with {MEMORY / 1e9:g} GB of memory beside its own size. It takes more, or ended"
            " the process that ran it: is it what it says it is?"
        )


def _release(name: str) -> tuple[int, ...]:
    """The release of a package as numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", version(name))[:3])


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    with suppress(OSError):  # of a process that took no more
        process.stdin.close()


def _pump(out: BinaryIO, blocks: "queue.Queue[bytes]") -> None:
    """Bring what a process writes, block by block, and nothing when it has ended."""
    with out:  # closed here and nowhere else: another process may be given its number at once
        while block := os.read(out.fileno(), _BLOCK):
            blocks.put(block)
    blocks.put(b"")
