"""Where results are kept on this machine."""

import os
from pathlib import Path


def default_folder() -> Path:
    """The store unless another folder is named: `QURD_STORE`, else the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("QURD_STORE")
    return Path(named) if named else user_cache_path("qurd-explorer")
