"""How much the app keeps on the disk: what visitors ask for is stored, and is not to fill it."""

import math
import os
from pathlib import Path

from qurd_core.errors import QurdError

MOST = 20.0  # gigabytes (10^9 bytes) in the store of the app
VARIABLE = "QURD_STORE_GB"  # says another number
BLOCK = 4096  # bytes that the smallest file takes
FETCHED = "hub"  # below the store: what a command has brought, and no visitor can


def check(folder: Path) -> None:
    """Refuse to store more where enough is. Commands are not asked: whoever runs them sees their own disk.

    Args:
        folder: of the store.

    Raises:
        QurdError: it holds as much as it may; or what it may is no number.
    """
    most, held = _most(), _held(folder) / 1e9
    if held >= most:
        raise QurdError(
            f"Expected at most {most:g} GB in the store of this app. It holds {held:,.1f}: nothing is lost, but nothing new"
            f" is computed or saved until whoever runs it frees space there, or allows more with {VARIABLE}."
        )


def _most() -> float:
    """Gigabytes that the store may hold."""
    asked = os.environ.get(VARIABLE, "")
    try:
        most = float(asked) if asked else MOST
    except ValueError:
        most = math.nan
    if not most > 0:
        raise QurdError(f"Expected a number of gigabytes above 0 in {VARIABLE}. Got '{asked[:20]}'.")
    return most


def _held(folder: Path) -> int:
    """Bytes that files below a folder take."""
    held = 0
    for place, folders, files in os.walk(folder):
        if Path(place) == folder and FETCHED in folders:
            folders.remove(FETCHED)
        for name in files:
            try:
                size = Path(place, name).lstat().st_size
            except OSError:  # renamed or removed meanwhile
                continue
            held += -(-size // BLOCK) * BLOCK
    return held
