"""Where the dots of a strip go, so that none covers another: no chance in it, the same numbers give the same picture."""

from collections.abc import Sequence

import numpy as np


def swarm(heights: Sequence[float], sizes: Sequence[float], room: float) -> list[float]:
    """How far to the side each dot moves, as little as possible; those that come first stay nearest to the middle.

    Args:
        heights: where the dots lie along the strip.
        sizes: their diameters, in the same unit.
        room: how far a dot may go to either side. A row that is wider is pressed together, and then dots overlap.
    """
    at, radii = np.asarray(heights, float), np.asarray(sizes, float) / 2
    aside = np.zeros(len(at))
    for dot in range(1, len(at)):
        rise, reach = at[:dot] - at[dot], radii[:dot] + radii[dot]
        near = np.abs(rise) < reach
        if near.any():
            aside[dot] = _nearest_free(aside[:dot][near], np.sqrt(reach[near] ** 2 - rise[near] ** 2))
    return _pressed(aside, at, 2 * radii.max(initial=0), room).round(3).tolist()


def _nearest_free(middles: np.ndarray, spans: np.ndarray) -> float:
    """The place nearest to 0 that lies in none of the intervals middle plus and minus span; to the right if in doubt."""
    left, right = middles - spans, middles + spans
    places = np.concatenate([[0.0], right, left])
    slack = 1e-9 * (1 + np.abs(places[:, None]))  # an interval's own end is free
    free = ((places[:, None] <= left + slack) | (places[:, None] >= right - slack)).all(axis=1)
    return float(min(places[free], key=abs))


def _pressed(aside: np.ndarray, at: np.ndarray, size: float, room: float) -> np.ndarray:
    """Rows that reach beyond the room, scaled to fit it."""
    if not len(at) or np.abs(aside).max() <= room:
        return aside
    row = np.round(at / size).astype(int)
    widest = np.zeros(row.max() - row.min() + 1)
    np.maximum.at(widest, row - row.min(), np.abs(aside))
    return aside * (room / np.maximum(widest, room))[row - row.min()]
