"""The pictures behind the test items of embedded benchmarks, and what their regions are called. Nothing here needs torch."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from qurd_core.benchmarks import photographs
from qurd_core.benchmarks.fashion import names, seeds
from qurd_core.files import ASSETS

FASHION = ASSETS / "fashion"
_REGIONS = {"patchwork": photographs.REGIONS, "fashion": names.REGIONS}  # by the first word of a benchmark's name


def pictures(items: NDArray[np.integer], places: NDArray[np.integer] | None) -> NDArray[np.uint8]:
    """(k,32,32,3) of some test items.

    Args:
        items: (k,) positions in the seed set.
        places: (n,5) where each item was cut, see `Images`; None for Fashion-MNIST, whose pictures were cut out of nothing.
    """
    if places is None:
        grey, _ = seeds.read(FASHION)["test"]
        return seeds.framed(grey[items])[..., None].repeat(3, axis=3)
    known = photographs.photograph_names()
    cut = [photographs.cut(known[photo], *place) for photo, *place in places[items].tolist()]
    return np.stack(cut) if cut else np.zeros((0, photographs.SIDE, photographs.SIDE, 3), np.uint8)


def regions(benchmark: str) -> Mapping[str, str]:
    """What every region of an embedded benchmark holds, in words."""
    return _REGIONS[benchmark.partition("-")[0]]
