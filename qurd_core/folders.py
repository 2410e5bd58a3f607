"""Where results are kept on this machine."""

import os
from pathlib import Path


def default_folder() -> Path:
    """The store unless another folder is named: `QURD_STORE`, else the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("QURD_STORE")
    return Path(named) if named else user_cache_path("qurd-explorer")


def hub_folder() -> Path:
    """Models and pictures of the official benchmarks: `QURD_HUB`, else beside the results."""
    named = os.environ.get("QURD_HUB")
    return Path(named) if named else default_folder() / "hub"
