"""How much all sessions together may upload: Streamlit holds what comes in memory, however much that is."""

from functools import cache
from typing import Any

from starlette.exceptions import HTTPException
from streamlit import runtime

ALL = 512_000_000  # bytes


@cache
def limit() -> None:
    """Have the server refuse what comes beyond."""
    if not runtime.exists() or type(runtime.get_instance()) is not runtime.Runtime:  # tests of pages have another one
        return
    manager = runtime.get_instance().uploaded_file_mgr
    add = manager.add_file

    def add_if_there_is_room(session_id: str, file: Any) -> None:
        held = sum(len(one.data) for files in [*manager.file_storage.values()] for one in [*files.values()])
        if held + len(file.data) > ALL:
            raise HTTPException(413, "Too much was uploaded by all sessions together. Try again later.")
        add(session_id=session_id, file=file)

    manager.add_file = add_if_there_is_room
