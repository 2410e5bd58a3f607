"""Which pairs are ticked for your benchmark. Kept per benchmark for the session, on whatever page, and in the link."""

from collections.abc import Callable, Iterable

import streamlit as st
from pandas import DataFrame

from pages.ui import cached, controls, links
from qurd_core import plots
from qurd_core.benchmarks import saved_benchmarks
from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.records import evidence
from qurd_core.views import designer
from qurd_core.views.designer import PairKey, Pairs

_LINK, _READ = "out", "out_read"


def follow_link(bench: str) -> None:
    """Take what is out from the link when it is opened; from then on the link says what is out."""
    wrote = None
    if st.session_state.get(_READ):
        st.session_state[_LINK] = wrote = _token(bench)
    st.html(f"<style>.st-key-{_LINK} {{ display: none }}</style>")
    said = st.text_input("Left out", key=_LINK, **controls.LINKED)
    st.session_state[_READ] = True
    if said == wrote:
        return
    out = saved_benchmarks.from_token(said, designer.keys(cached.pairs(evidence.base_of(bench)))) if said else None
    if out is not None:
        _all()[bench] = out
        return
    reset(bench)
    if said:
        links.note("the benchmark of this link, which was made of other pairs")


def left_out(bench: str) -> Pairs:
    """The pairs that are out: at first those that a saved benchmark has left out."""
    every, kept = (frozenset(designer.keys(cached.pairs(name))) for name in (evidence.base_of(bench), bench))
    return _all().get(bench, every - kept)


def turn(bench: str, some: Iterable[PairKey]) -> None:
    """Out with all of them, or in if none was in."""
    _all()[bench] = designer.turned(left_out(bench), some)


def keep_stolen(bench: str, pairs: Pairs) -> None:
    """These stolen pairs and no others; unrelated ones stay as they are."""
    every = cached.pairs(evidence.base_of(bench))
    stolen = frozenset(designer.keys(every[every["kind"] == "positive"]))
    _all()[bench] = (left_out(bench) | stolen) - pairs


def tick_all(bench: str) -> None:
    """Nothing is out."""
    _all()[bench] = frozenset()


def reset(bench: str) -> None:
    """As the benchmark is."""
    _all().pop(bench, None)


def clicked(bench: str) -> None:
    """Turn what was clicked: a pair, a group or a victim."""
    for point in st.session_state["tiles"].selection.points:
        what, *names = point["customdata"]
        turn(bench, [tuple(names)] if what == plots.designer.PAIR else _by(bench, what)[names[0]])


def by_name(bench: str, rows: DataFrame, out: Pairs) -> None:
    """The same without a mouse: groups and victims to tick, and single models to turn."""
    named = {
        f"{'out' if pair in out else 'in'}: {readable(pair[1])}, victim {readable(pair[0])}": pair
        for pair in designer.keys(rows)
    }
    with st.popover("Tick by name", icon=":material/checklist:"):
        _pills("In", bench, plots.designer.GROUP, out, words.task)
        _pills("Victims", bench, plots.designer.VICTIM, out, readable)
        st.selectbox(
            "Turn one model",
            list(named),
            index=None,
            key="turned",
            placeholder=f"Search {len(named)} pairs",
            on_change=_one_turned,
            args=[bench, named],
        )


def _pills(label: str, bench: str, what: str, out: Pairs, said: Callable[[str], str]) -> None:
    """Groups or victims, ticked where any pair of them is in."""
    every = _by(bench, what)
    kept = {name: len(pairs) - len(out.intersection(pairs)) for name, pairs in every.items()}
    ticked = [name for name, number in kept.items() if number]
    partly = {name: f": {kept[name]} of {len(every[name])}" for name in ticked if kept[name] < len(every[name])}
    # A browser that has closed the popover keeps what it showed last and sends it with every run as if somebody had chosen
    # it. Under a key that changes with the ticks it is nobody's choice any more.
    key = f"{what}s-{'-'.join(map(str, kept.values()))}"
    st.pills(
        label,
        list(every),
        selection_mode="multi",
        default=ticked,
        key=key,
        format_func=lambda name: links.plain(said(name) + partly.get(name, "")),
        on_change=_pills_changed,
        args=[bench, what, key],
    )


def _pills_changed(bench: str, what: str, key: str) -> None:
    out, ticked = left_out(bench), st.session_state[key]
    for name, pairs in _by(bench, what).items():
        if (name in ticked) == out.issuperset(pairs):  # what was all out came in, or what was partly in went out
            out = designer.turned(out, pairs)
    _all()[bench] = out


def _one_turned(bench: str, named: dict[str, PairKey]) -> None:
    chosen = st.session_state["turned"]
    if chosen in named:
        turn(bench, [named[chosen]])
    st.session_state["turned"] = None


def _by(bench: str, what: str) -> dict[str, list[PairKey]]:
    """The pairs of every group or victim."""
    rows = cached.tiles(evidence.base_of(bench))
    found: dict[str, list[PairKey]] = {}
    for name, pair in zip(rows[what].tolist(), designer.keys(rows), strict=True):
        found.setdefault(name, []).append(pair)
    return found


def _token(bench: str) -> str:
    """What is out, as a link says it: nothing for a whole benchmark, but all of a saved one, which others do not have."""
    base, out = evidence.base_of(bench), left_out(bench)
    return saved_benchmarks.token(designer.keys(cached.pairs(base)), out) if out or bench != base else ""


def _all() -> dict[str, Pairs]:
    return st.session_state.setdefault("left_out_pairs", {})
