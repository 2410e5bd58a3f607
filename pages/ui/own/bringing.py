"""A table of answers that is uploaded: it is checked by the worker, and seen by whoever brought it."""

import streamlit as st

from pages.ui import cached, links, notice, progress
from pages.ui.hosting import visitor
from qurd_core.benchmarks import registered
from qurd_core.benchmarks.own import uploads
from qurd_core.errors import QurdError
from qurd_core.files import default_folder
from qurd_core.jobs import room
from qurd_core.jobs.queue import Job
from qurd_core.records import own_records

_KINDS = [ending.removeprefix(".") for ending in uploads.ENDINGS]
_WHAT = "A table of answers, one row per item and model: `item, truth, model, label`. CSV or Parquet, up to 64 MB."


def offered() -> list[str]:
    """The registered benchmarks that this session may see: of uploaded ones its own, or all for whoever runs the app."""
    if visitor.hosted():
        for name in uploads.expired():
            own_records.forget(name)
            uploads.drop(name)
    mine, every = _mine(), visitor.runs_the_app()
    names = registered.names()
    return [name for name in names if every or name in mine or not _is_uploaded(name)]


def menu() -> None:
    """Where a table is brought, and how far its check is."""
    with st.popover("Bring", icon=":material/upload:", on_change="rerun", key="bring") as opened:
        if not opened.open:
            return
        st.markdown(f"{_WHAT} [More](docs?doc=answer-table)")
        st.file_uploader("Table of answers", _KINDS, key="upload", on_change=_take, label_visibility="collapsed")
        if not visitor.hosted():
            st.caption("Folders of models, and tables that stay where they lie: `qurd register NAME PATH`.")
        name = st.session_state.get("bringing")
        if not name:
            return
        status = cached.jobs().status(_job(name).key)
        if status is None or status.active:
            progress.wait(_job(name), "Checking the table", "bring")
        elif status.state != "done":
            st.error(links.plain(progress.why(status) or "", 600))
        elif name in _mine():
            st.markdown(f"It is called **{name}**.")
            st.button(f"Open {name}", type="primary", on_click=st.session_state.update, args=[{"bench": name}])


def _take() -> None:
    """Keep what was uploaded and have it checked: a callback."""
    file = st.session_state.get("upload")
    if file is None:
        return
    try:
        room.check(default_folder())
        data = file.getvalue()
        uploads.keep(file.name, data)
        name = uploads.called(data)
        cached.jobs().submit(_job(name), visitor.session(), anew=True)
    except QurdError as error:
        notice.say(str(error))
        return
    _mine().add(name)
    st.session_state["bringing"] = name


def _job(name: str) -> Job:
    return Job("upload", {"name": name})


def _is_uploaded(name: str) -> bool:
    try:
        return registered.read(name).uploaded
    except QurdError:  # its page says what is wrong
        return False


def _mine() -> set[str]:
    """What this session has brought."""
    return _brought().setdefault(visitor.session(), set())


@st.cache_resource(max_entries=1, show_spinner=False)
def _brought() -> dict[str, set[str]]:
    """By session. What it holds of sessions that are gone are a few names."""
    return {}
