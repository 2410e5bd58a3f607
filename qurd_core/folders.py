"""Where results are kept on this machine."""

import os
from pathlib import Path

from qurd_core.errors import QurdError, misplaced


def default_folder() -> Path:
    """The store unless another folder is named: `QURD_STORE`, else the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("QURD_STORE")
    return Path(named) if named else user_cache_path("qurd-explorer")


def hub_folder() -> Path:
    """Models and pictures of the official benchmarks: `QURD_HUB`, else beside the results.

    Raises:
        QurdError: it is a file.
    """
    named = os.environ.get("QURD_HUB")
    return not_a_file(Path(named)) if named else default_folder() / "hub"


def not_a_file(folder: Path) -> Path:
    """The path of a folder that need not be there yet.

    Raises:
        QurdError: a file lies there.
    """
    if folder.exists() and not folder.is_dir():
        raise misplaced("a folder", folder, "Name another one.")
    return folder


def made(folder: Path) -> Path:
    """A folder to write into, made if it is missing. Asked for before minutes of computing.

    Raises:
        QurdError: it cannot be made.
    """
    not_a_file(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QurdError(f"Expected a folder to write into. {folder} cannot be made: {error.strerror}.") from None
    return folder
