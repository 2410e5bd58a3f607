"""Randomness derived from identity, never from order."""

import hashlib
import json

import torch


def stream(query_seed: int, *names: str | int | tuple[int, int]) -> torch.Generator:
    """A generator for one draw, fixed by what is drawn: the same (seed, names) gives the same numbers anywhere.

    Two schemes that share a sampler share its draw; who runs first does not matter. The generator is seeded with 63 bits
    of the SHA-256 of the canonical JSON of the arguments.
    """
    digest = hashlib.sha256(json.dumps([query_seed, *names]).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
