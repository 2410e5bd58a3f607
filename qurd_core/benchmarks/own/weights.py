"""Weights out of files that somebody else wrote: safetensors only, and nothing is believed before it is checked.

Files of models that torch has pruned hold the weights before pruning and a mask in place of each pruned tensor
(`weight_orig`, `weight_mask` for `weight`); the network gets their product, which is what the pruned one answers with.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from qurd_core.errors import QurdError, is_filled, lies_at, misplaced
from qurd_core.files import json_values, opened

HEADER = 16_000_000  # bytes
TENSORS = 20_000
DIMENSIONS = 16  # of a tensor
SIZES = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "F16": 2, "BF16": 2, "F32": 4, "F64": 8}

ORIGINAL, MASK = "_orig", "_mask"  # what torch.nn.utils.prune adds to the name of a tensor that it prunes

Shapes = dict[str, tuple[int, ...]]
T = TypeVar("T")


def shapes(path: Path) -> Shapes:
    """Names and shapes of the tensors in a file, from its header alone.

    Raises:
        QurdError: no safetensors file, or one whose header claims what the file does not hold.
    """
    if not is_filled(path):
        raise misplaced("a .safetensors file", path)
    if path.suffix != ".safetensors":
        raise QurdError(
            f"Expected a .safetensors file. Got {path.name}, {lies_at(path)}: other formats may run code when they are"
            " opened."
        )
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, HEADER):
                raise _UnsoundError(f"its header claims {length:,} of {size:,} bytes")
            header = json_values(file.read(length), _once)
        return _sound(header, size - 8 - length)
    except OSError as error:
        raise QurdError(f"Expected a .safetensors file at {path}: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        why = str(error) if isinstance(error, _UnsoundError) else "its header is no header"
        raise QurdError(f"{path} is no sound safetensors file: {why}. Save or fetch it again.") from None


def tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file, after `shapes` has looked at it."""
    shapes(path)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a method of safetensors)
    except (SafetensorError, OSError, ValueError) as error:
        raise QurdError(f"{path} is no sound safetensors file: {error}. Save or fetch it again.") from None


def load_into(network: nn.Module, path: Path, what: str, renamed: Callable[[str], str] = str) -> nn.Module:
    """The network with the weights of a file, whose names and shapes must be its own.

    Args:
        what: the architecture, said in errors.
        renamed: what a tensor of the file is called in the network.
    """
    wanted = network.state_dict()
    pruned = check_fit(network, path, what, renamed)
    held = _joined(_called(tensors(path), renamed, path), pruned, partial(_product, path))
    state = {name: tensor.to(wanted[name].dtype) for name, tensor in held.items()}
    for name, tensor in state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise QurdError(f"Expected finite weights in {path}. '{name}' holds NaN or infinity.")
    network.load_state_dict(state, strict=True, assign=True)
    return network


def check_fit(network: nn.Module, path: Path, what: str, renamed: Callable[[str], str] = str) -> list[str]:
    """Compare the header of a file with a network, which may be one without memory.

    Args:
        what: the architecture, said in errors.
        renamed: what a tensor of the file is called in the network.

    Returns:
        names of the tensors that the file holds in two parts, since they were pruned.

    Raises:
        QurdError: the names or shapes of the tensors are other ones.
    """
    wanted = network.state_dict()
    whole = _called(shapes(path), renamed, path)
    pruned = [name for name in wanted if name not in whole and {name + ORIGINAL, name + MASK} <= whole.keys()]
    found = _joined(whole, pruned, lambda original, mask: original if original == mask else (original, mask))
    if missing := [name for name in wanted if name not in found]:
        other = next((name for name in found if name not in wanted), "none that it has not")
        raise QurdError(f"Expected the tensors of {what} in {path}. '{missing[0]}' is missing; there is '{other[:200]}'.")
    if strange := [name for name in found if name not in wanted]:
        raise QurdError(
            f"Expected the tensors of {what} in {path}. It also holds '{strange[0][:200]}': is it another network?"
        )
    for name, tensor in wanted.items():
        if found[name] != tuple(tensor.shape):
            raise QurdError(
                f"Expected '{name}' of {what} as {tuple(tensor.shape)} in {path}. Got {found[name]}: other classes, or"
                " another network?"
            )
    return pruned


def _called(held: Mapping[str, T], renamed: Callable[[str], str], path: Path) -> dict[str, T]:
    """What a file holds, by the names of the network.

    Raises:
        QurdError: two names become one.
    """
    found: dict[str, T] = {}
    for name, one in held.items():
        if (ours := renamed(name)) in found:
            raise QurdError(
                f"Expected names of their own for all tensors of {path}. 'rename' makes two of them '{ours[:200]}'."
            )
        found[ours] = one
    return found


def _joined(held: Mapping[str, T], pruned: Sequence[str], join: Callable[[T, T], T]) -> dict[str, T]:
    """What a file holds of every tensor, with one entry for the two parts of each pruned one."""
    parts = {name + part for name in pruned for part in (ORIGINAL, MASK)}
    whole = {name: join(held[name + ORIGINAL], held[name + MASK]) for name in pruned}
    return {name: one for name, one in held.items() if name not in parts} | whole


def _product(path: Path, original: Tensor, mask: Tensor) -> Tensor:
    """The weights that pruning left, as `torch.nn.utils.prune` computes them."""
    mask = mask.to(original.dtype)
    if not bool(((mask == 0) | (mask == 1)).all()):
        raise QurdError(f"Expected masks of 0 and 1 in {path}. Got from {mask.min():g} to {mask.max():g}: is it pruned?")
    return mask * original


class _UnsoundError(ValueError):
    """Why a file cannot be trusted."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _UnsoundError("a name comes twice in its header")
    return found


def _sound(header: dict[str, Any], size: int) -> Shapes:
    """The shapes, if the tensors fill the file exactly."""
    entries = {name: about for name, about in header.items() if name != "__metadata__"}
    if len(entries) > TENSORS:
        raise _UnsoundError(f"it claims {len(entries):,} tensors, more than {TENSORS:,}")
    total, found = 0, {}
    for name, about in entries.items():
        kind, shape, (start, end) = about["dtype"], about["shape"], about["data_offsets"]
        if kind not in SIZES:
            raise _UnsoundError(f"'{name[:60]}' has the type {str(kind)[:20]}")
        if len(shape) > DIMENSIONS or not all(type(side) is int and side >= 0 for side in (*shape, start, end)):
            raise _UnsoundError(f"'{name[:60]}' has no proper shape")
        if math.prod(shape) * SIZES[kind] != end - start or end > size:
            raise _UnsoundError(f"'{name[:60]}' claims {math.prod(shape):,} numbers, which are not there")
        total += end - start
        found[name] = tuple(shape)
    if total != size:
        raise _UnsoundError(f"its tensors fill {total:,} of {size:,} bytes")
    return found
