"""Intervals that hold for many numbers at once, for whoever picks one after having seen them all."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from qurd_core.statistics.printed import SLACK, check_share


def simultaneous(draws: Mapping[str, NDArray[np.float64]], level: float = 0.95) -> dict[str, tuple[float, float]]:
    """One interval per number, all of which hold together with probability `level` (max-T, Westfall and Young 1993).

    Each reaches as many of its own standard deviations to either side as the farthest of all numbers does in a draw.

    Args:
        draws: (B+1,) per name: the number itself, then its value in every draw. A draw in which any is NaN counts for none.

    Returns:
        (low, high) per name; NaN where the number itself is NaN. What no draw changes has no width.
    """
    check_share(level, "level")
    nothing = dict.fromkeys(draws, (np.nan, np.nan))
    known = {name: values for name, values in draws.items() if not np.isnan(values[0])}
    if not known:
        return nothing
    table = np.array(list(known.values()))
    table = table[:, ~np.isnan(table).any(axis=0)]
    if table.shape[1] < 2:
        return nothing
    point, drawn = table[:, 0], table[:, 1:]
    spread = drawn.std(axis=1)
    moved = spread > SLACK
    farthest = (abs(drawn - point[:, None])[moved] / spread[moved, None]).max(axis=0, initial=0)
    reach = np.quantile(farthest, level) * spread
    return nothing | {
        name: (float(value - far), float(value + far)) for name, value, far in zip(known, point, reach, strict=True)
    }
