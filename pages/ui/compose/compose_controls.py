"""The parts of a scheme as controls made from the registries: what can be chosen, why something cannot, its parameters."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import streamlit as st
from pandas import DataFrame
from streamlit.delta_generator import DeltaGenerator

from pages.ui import controls, links, notice
from qurd_core import views
from qurd_core.errors import QurdError
from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.grammar import Call, parse_chain
from qurd_core.records.scheme_table import LEVELS
from qurd_core.registry import Parameter, crafts, detectors, representations, seed_rules
from qurd_core.schemes import REFERENCE, Scheme, describe
from qurd_core.views.heatmap import Pick

DEFAULT = "ModelDiff"
PARTS = {"seeds": "Seeds", "craft": "Craft", "representation": "R", "detector": "D"}
REGISTRIES = {"seeds": seed_rules, "craft": crafts, "representation": representations, "detector": detectors}
MIXED = "The map has one sampler a row. Mixtures of samplers run with the command 'run' and in Python."
LONGEST = 400  # letters of a scheme
_ROWS = "Samplers of which every combination is recorded, or all that make one kind of image."
_COLUMNS = "One column per representation, or every detector of one family of representations."


def scheme_text(schemes: DataFrame, bench: str) -> str:
    """The combination as text: typing finds a recorded one, or any other is typed. Every other control writes into it."""
    if not st.session_state.get("pick") and not st.query_params.get("pick"):
        st.session_state["pick"] = REFERENCE if lacking(Scheme.parse(DEFAULT), bench) else DEFAULT
    held = st.session_state.get("pick") or st.query_params["pick"]
    options = controls.found_by_typing({held, *schemes["name"].fillna(schemes["scheme"])})
    hidden = {"label_visibility": "collapsed", "accept_new_options": True}
    return st.selectbox("Scheme", options, key="pick", **hidden, **controls.LINKED)[:LONGEST]


def read(text: str) -> tuple[Scheme, str | None]:
    """The scheme of a text, and what is wrong with the text; then the scheme is the default one."""
    try:
        found = Scheme.parse(text)
        return (Scheme.parse(DEFAULT), MIXED) if found.mixed else (found, None)
    except QurdError as error:
        return Scheme.parse(DEFAULT), str(error)


def choose(text: str) -> None:
    """Put a combination into the controls, from a callback; one whose parts do not go together is not taken."""
    why = reason(text)
    if why:
        notice.say(f"{why[:1].upper()}{why[1:]}.")
    else:
        _pick(Scheme.read(text))


def picked(scheme: Scheme) -> Pick:
    return Pick(str(scheme), str(scheme.sampler), scheme.head, scheme.name or str(scheme))


@lru_cache(maxsize=4096)
def reason(text: str) -> str | None:
    """Why the parts of a scheme do not go together, or None."""
    return Scheme.read(text).reason


def withheld(scheme: Scheme, reveal: str) -> dict[str, str]:
    """Why the suspect's answers do not allow the picked scheme, which need not be recorded; empty where they do."""
    return {str(scheme): words.needs(str(scheme.access), reveal)} if scheme.access > LEVELS[reveal] else {}


def lacking(scheme: Scheme, bench: str) -> dict[str, str]:
    """Why the picked scheme does not go with what is there of the benchmark; empty where it does."""
    return views.leaderboard.lacking(DataFrame([describe(scheme)]), bench)


def split(schemes: DataFrame, scheme: Scheme) -> str:
    """The seed set whose samplers are the rows of the map; that of the picked scheme unless another is chosen."""
    splits = sorted(schemes["split"].unique(), key=lambda name: (name == "noise", name != "test"))
    links.check("split", splits, "seed set")
    if "split" not in st.session_state and st.query_params.get("split") not in splits:
        st.session_state["split"] = scheme.split
    return controls.worded(st.segmented_control, "Seed images", splits, "split", views.heatmap.SPLITS.get, required=True)


def shape(schemes: DataFrame, recorded: DataFrame, split: str) -> dict[str, str]:
    """Which rows and columns the map of a seed set has, as `views.heatmap.cells` takes them.

    Args:
        recorded: the schemes of which the benchmark has records.
    """
    kinds, families = views.heatmap.kinds(recorded, split), views.heatmap.families(schemes)
    held = [st.session_state.get(key, st.query_params.get(key)) for key in ("samplers", "columns")]
    said = [one for one in held if one in (*kinds[1:], *families[1:])]
    button = f"Map **{links.plain(', '.join(said), 24)}**" if said else "Rows, columns"
    with st.popover(button, width="stretch", key="open-map"):
        kind = controls.select("Rows", kinds, "samplers", "rows", views.heatmap.ROWS.get, help=lambda held: _ROWS)
        family = controls.select(
            "Columns",
            families,
            "columns",
            "columns",
            lambda name: "one each" if name == views.heatmap.MAIN else name,
            help=lambda held: _COLUMNS,
        )
    return {"split": split, "kind": kind, "family": family}


def pins(labels: Sequence[str]) -> tuple[str, ...]:
    """The pinned combinations, which other pages show too."""
    held = len(st.session_state.get("pin") or st.query_params.get_all("pin"))
    with st.popover(f"Pins **{held}**", width="stretch", key="open-pins"):
        return controls.pins(labels)


def parts(scheme: Scheme, places: Sequence[DeltaGenerator], bench: str) -> None:
    """A button per part that opens its choices and its parameters; grey is what the benchmark has nothing for."""
    for (part, title), place in zip(PARTS.items(), places, strict=False):
        call = getattr(scheme, part)
        with place, st.popover(f"{title} **{links.plain(str(call), 28)}**", width="stretch", key=f"open-{part}"):
            _choices(scheme, part, bench)
            _parameters(scheme, part)


def pool(lineages: Sequence[str]) -> tuple[str, ...]:
    """The lineages of unrelated models that calibrate; all of them if none is chosen."""
    links.check("pool", lineages, "lineage", len(lineages))
    chosen = len(st.session_state.get("pool") or st.query_params.get_all("pool"))
    label = f"Calibration **{chosen} of {len(lineages)}**" if chosen else f"Calibration **all {len(lineages)}**"
    with st.popover(label, width="stretch", key="open-pool"):
        st.caption("The threshold comes from the unrelated models of these lineages. Choose none to take all of them.")
        found = controls.worded(st.multiselect, "Lineages", lineages, "pool", readable, placeholder="all")
    return tuple(found)


def _choices(scheme: Scheme, part: str, bench: str) -> None:
    """One button per choice; what the parts before it rule out is grey, with the reason below."""
    current = getattr(scheme, part)
    st.caption(explained(part, current.name))
    refused: dict[str, list[str]] = {}
    with st.container(horizontal=True, gap="small"):
        for call in _calls(part):
            chosen = call.name == current.name and (part != "seeds" or call == current)
            fits = chosen or _fitting(str(scheme), part, str(call))
            other = replace(scheme, **{part: call})
            why = other.reason if not fits else None if chosen else lacking(other, bench).get(str(other))
            if why:
                refused.setdefault(why.removeprefix(f"{call.name} "), []).append(str(call))
            st.button(
                str(call),
                key=f"{part}-{call}",
                type="primary" if chosen else "secondary",
                disabled=why is not None,
                help=why or explained(part, call.name),
                on_click=_take,
                args=[str(scheme), part, str(current if chosen else call)],
            )
    for why, calls in refused.items():
        st.caption(links.plain(f"{', '.join(calls)}: {why}.", 300))


def _parameters(scheme: Scheme, part: str) -> None:
    """One widget per parameter that has a default, made from its type, range and choices."""
    call = getattr(scheme, part)
    component = REGISTRIES[part][call.name]
    values = component.bind(call)
    for name, parameter in component.parameters.items():
        if parameter.required:
            continue
        key = f"{part}.{call.name}.{name}"
        st.session_state[key] = values[name]  # the text is the truth, a widget only shows it
        _widget(parameter, key, on_change=_set, args=[str(scheme), part, name, key])


def _widget(parameter: Parameter, key: str, **changed: Any) -> None:
    if parameter.choices:
        st.selectbox(parameter.name, parameter.choices, key=key, **changed)
    elif parameter.type is bool:
        st.toggle(parameter.name, key=key, **changed)
    elif parameter.type in (int, float):
        low, high = (parameter.range.low, parameter.range.high) if parameter.range else (None, None)
        kind = parameter.type
        bounds = {name: kind(value) for name, value in (("min_value", low), ("max_value", high)) if value is not None}
        step = max(1, parameter.default // 4) if kind is int else parameter.default / 3 or 0.1
        shape = {} if kind is int else {"format": "%.6g"}
        st.number_input(
            f"{parameter.name} (usually {parameter.default:g})", key=key, step=step, **bounds, **shape, **changed
        )
    else:
        st.text_input(parameter.name, key=key, **changed)


def _take(scheme: str, part: str, call: str) -> None:
    """A callback: change a part; parts after it that no longer fit give way to the first that do."""
    fitting = _fitting(scheme, part, call)
    if fitting:
        _pick(fitting)


def _set(scheme: str, part: str, name: str, key: str) -> None:
    """A callback: change a parameter."""
    old, value = Scheme.read(scheme), st.session_state[key]
    component = REGISTRIES[part][getattr(old, part).name]
    try:
        values = component.bind(getattr(old, part)) | {name: component.parameters[name].check(component.name, value)}
        _pick(Scheme.parse(str(replace(old, **{part: component.call(values)}))))
    except QurdError as error:
        notice.say(str(error))


def _pick(scheme: Scheme) -> None:
    st.session_state["pick"] = scheme.name or str(scheme)
    st.session_state["split"] = scheme.split


@lru_cache(maxsize=1024)
def _fitting(text: str, part: str, call: str) -> Scheme | None:
    """The scheme with one part changed that keeps as many of the parts after it as go together with it."""
    scheme, names = Scheme.read(text), [*PARTS]
    scheme = replace(scheme, **{part: parse_chain(call).calls[0]})
    after = names[names.index(part) + 1 :]
    options = [[getattr(scheme, name), *_plain_first(name)] for name in after]
    # Rightmost options vary fastest, so the first that fits keeps the earliest parts.
    found = (replace(scheme, **dict(zip(after, chosen, strict=True))) for chosen in itertools.product(*options))
    return next((one for one in found if one.reason is None), None)


def _plain_first(part: str) -> list[Call]:
    """What a part can be, first what a combination falls back on."""
    return sorted(_calls(part), key=lambda call: not REGISTRIES[part][call.name].declares.plain)


@lru_cache(maxsize=8)
def _calls(part: str) -> tuple[Call, ...]:
    """What a part can be: components, and for seeds every seed set."""
    registry = REGISTRIES[part]
    if part == "seeds":
        return tuple(call for name in registry for call in registry[name].variants())
    return tuple(Call(name) for name in registry)


def explained(part: str, name: str) -> str:
    """What a component does, without the shape at the end."""
    return REGISTRIES[part][name].help.partition(": (")[0]
