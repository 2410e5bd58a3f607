"""Where the labels beside a chart go, so that none covers another and none is cut off."""

from collections.abc import Sequence

import numpy as np


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Centres as near as possible to the wanted ones (least squares) at which labels of these sizes do not overlap.

    Args:
        wanted: where each centre would like to be.
        sizes: how much room each label takes.
        low, high: the room; labels that do not fit in it are moved together evenly.
    """
    if not len(wanted):
        return []
    order = np.argsort(wanted, kind="stable")
    heights = np.asarray(sizes, float)[order]
    heights *= min(1.0, (high - low) / heights.sum())
    # With the room below each centre taken off, "no overlap" reads "not decreasing", and the bounds are the same for all.
    below = heights.cumsum() - heights / 2
    free = _not_decreasing(np.asarray(wanted, float)[order] - below)
    centres = np.empty(len(order))
    centres[order] = free.clip(low, high - heights.sum()) + below
    return centres.tolist()


def _not_decreasing(values: np.ndarray) -> np.ndarray:
    """The nearest sequence that never falls: neighbours that do are replaced by their mean."""
    means: list[float] = []
    counts: list[int] = []
    for value in values:
        means.append(float(value))
        counts.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            mean, count = means.pop(), counts.pop()
            total = counts[-1] + count
            means[-1] = (means[-1] * counts[-1] + mean * count) / total
            counts[-1] = total
    return np.repeat(means, counts)
