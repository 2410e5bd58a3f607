"""Save, open and delete your benchmark."""

import streamlit as st
from pandas import DataFrame

from pages.ui import notice
from pages.ui.benchmark import ticks
from pages.ui.hosting import visitor
from qurd_core.benchmarks import saved_benchmarks
from qurd_core.benchmarks.own import uploads
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.errors import QurdError
from qurd_core.files import default_folder
from qurd_core.findings.language import again
from qurd_core.jobs import live, room
from qurd_core.records import evidence, rate_records
from qurd_core.views import designer

_ALL, _NONE = "Tick every pair", "Back to how it was"
_OPEN = "bench_save"  # whether the popover of Save is open


def save(bench: str, base: str, kept: DataFrame, problem: str | None) -> None:
    """A name, and a button that writes the file."""
    with st.popover("Save", icon=":material/save:", type="primary", on_change="rerun", key=_OPEN):
        if problem:
            st.text(problem)
        name = st.text_input(
            "Name", value="" if bench == base else bench, key=f"bench_name_{bench}", placeholder="my-benchmark"
        )
        complaint = _complaint(name, base) if name else None
        if complaint:
            st.text(complaint)
        elif _exists(name):
            st.caption("A benchmark of that name exists: saving replaces it.")
        ready = bool(name) and not complaint and not problem
        st.button("Save your benchmark", type="primary", disabled=not ready, on_click=_write, args=[name, base, kept])


def saved(scheme: str, budget: int) -> None:
    """After a save: the command that runs the benchmark, and the way to open it."""
    name = st.session_state.get("bench_saved")
    if "bench_problem" in st.session_state:
        st.error(st.session_state.pop("bench_problem"))
    if name not in saved_benchmarks.saved_names() or name == st.session_state["bench"]:
        return
    with st.container(border=True):
        if evidence.base_of(name) in rate_records.PUBLISHED:
            st.markdown(f"Saved as **{name}**. Every page offers it; its models cannot be queried again.")
        else:
            st.markdown(f"Saved as **{name}**. Every command accepts it:")
            st.code(again.Rates(name, (scheme,), (budget,), live.SEEDS).command, language="bash", wrap_lines=True)
        st.button(f"Open {name}", on_click=st.session_state.update, args=[{"bench": name}])


def more(bench: str, base: str) -> None:
    """What is seldom wanted: everything in again, or your benchmark deleted."""
    choices = [_ALL, _NONE] + ([f"Delete {bench} …"] if bench != base else [])
    st.menu_button("More", choices, key="more", on_click=_more, args=[bench])


def _more(bench: str) -> None:
    chosen = st.session_state["more"]
    _forget_deletion()
    if chosen == _ALL:
        ticks.tick_all(bench)
    elif chosen == _NONE:
        ticks.reset(bench)
    elif visitor.runs_the_app():
        st.session_state["bench_doomed"] = bench
    else:
        notice.say(visitor.not_you("A saved benchmark is deleted"))


def confirm(bench: str, base: str) -> None:
    """Whether a saved benchmark is really to be deleted, once that was asked for."""
    if st.session_state.get("bench_doomed") != bench:
        return
    with st.container(border=True):
        st.markdown(f"Delete your benchmark **{bench}**? This deletes the file for good.")
        with st.container(horizontal=True, gap="small"):
            st.button(f"Delete {bench} for good", type="primary", on_click=_delete, args=[bench, base])
            st.button(f"Keep {bench}", on_click=_forget_deletion)


def _delete(bench: str, base: str) -> None:
    _forget_deletion()
    saved_benchmarks.remove(bench)
    ticks.reset(bench)
    st.session_state.update({"gone": bench, "bench": base})
    notice.say(f"Deleted {bench}.")


def _forget_deletion() -> None:
    st.session_state.pop("bench_doomed", None)


def _complaint(name: str, base: str) -> str | None:
    """Why a part of a benchmark cannot be saved by that name."""
    if rate_records.is_whole(name):
        return f"{name} is a benchmark that is no part of one. Choose another name."
    try:
        saved_benchmarks.home_of(name)
    except QurdError as error:
        return str(error)
    if base.startswith(uploads.BEGINS) and not visitor.runs_the_app():
        return visitor.not_you("Parts of an uploaded table are saved")
    if _exists(name) and not visitor.runs_the_app():
        return f"{name} exists, so choose another name. {visitor.not_you('A saved benchmark is replaced')}"
    return None


def _exists(name: str) -> bool:
    """Whether a benchmark of that name was saved, but not by this session a moment ago."""
    return name in saved_benchmarks.saved_names() and name != st.session_state.get("bench_saved")


def _write(name: str, base: str, kept: DataFrame) -> None:
    st.session_state[_OPEN] = False
    if complaint := _complaint(name, base):  # somebody else may have saved one of that name since the button was drawn
        st.session_state["bench_problem"] = complaint
        return
    try:
        room.check(default_folder())
        BenchFile(base, frozenset(designer.keys(kept))).write(saved_benchmarks.home_of(name))
    except QurdError as error:
        st.session_state["bench_problem"] = str(error)
        return
    ticks.reset(name)
    st.session_state["bench_saved"] = name
