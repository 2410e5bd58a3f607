"""The controls that several pages share. A choice made on one page holds on the others, and is in the link."""

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import streamlit as st

from pages.ui import links, notice
from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.records.rate_records import BUDGETS
from qurd_core.schemes import GROUPS, MOST_MARKED, ORDER
from qurd_core.statistics import metrics

HARD = "Count hard unrelated models, too: independent models trained on the victim's data."
LINKED: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def task(tasks: Sequence[str]) -> str:
    """One of the benchmark's tasks, or all of them pooled."""
    return select("Task", tasks, "task", "task", words.task)


def rule() -> metrics.Rule:
    """Which rule sets the threshold."""
    return segments("False-alarm rule", [*metrics.RULES], "rule", "rule")


def budget(budgets: Sequence[int] = BUDGETS) -> int:
    """A query budget; one that another page chose and this one lacks gives way to the nearest."""
    held = st.session_state.get("budget")
    if held in BUDGETS and held not in budgets:
        st.session_state["budget"] = min(budgets, key=lambda budget: abs(budget - held))
    links.check("budget", budgets, "budget")
    return st.select_slider("Query budget", budgets, value=100 if 100 in budgets else budgets[0], key="budget", **LINKED)


def select(
    label: str,
    options: Sequence[Any],
    key: str,
    what: str,
    said: Callable[[Any], str] | None = None,
    *,
    draw: Callable[..., Any] = st.selectbox,
    **more: Any,
) -> Any:
    """A menu that the link keeps, the first option unless another is chosen.

    Args:
        what: the thing in words, for what a link asks for in vain.
        said: an option as it is shown, where that is not its token.
        more: what the widget takes.
    """
    links.check(key, options, what)
    if said:
        return worded(draw, label, options, key, said, **more)
    return draw(label, options, key=key, **more, **LINKED)


def segments(
    label: str, options: Sequence[Any], key: str, what: str, said: Callable[[Any], str] | None = None, **more: Any
) -> Any:
    """The same side by side."""
    shown = {"default": options[0], "required": True} | more
    return select(label, options, key, what, said, draw=st.segmented_control, **shown)


def switch(label: str, key: str, **more: Any) -> bool:
    """A yes or no that the link keeps."""
    links.check(key, links.SWITCH, key)
    return st.toggle(label, key=key, **more, **LINKED)


def worded(
    draw: Callable[..., Any], label: str, options: Sequence[Any], key: str, said: Callable[[Any], str], **more: Any
) -> Any:
    """A choice in words whose token the link keeps.

    Streamlit writes into the link what a bound menu shows. So a menu that nobody sees is bound, and the one that is seen
    writes into it.

    Args:
        draw: `st.selectbox` or a widget like it.
        said: an option as it is shown.
        more: what the widget takes; `help` stands beside the menu that is seen.
    """
    meaning, usual = more.pop("help", None), {name: more.pop(name) for name in ("index", "default") if name in more}
    with st.container(key=f"link-{key}"):
        held = draw(label, options, key=key, **usual, **more, **LINKED)
    seen = f"{key}-words"
    st.session_state[seen] = held
    empty = {"index": None} if usual.get("index", 0) is None else {}
    draw(
        label,
        options,
        key=seen,
        format_func=said,
        help=meaning(held) if meaning else None,
        on_change=_take,
        args=[key],
        **empty,
        **more,
    )
    return held


def _take(key: str) -> None:
    st.session_state[key] = st.session_state[f"{key}-words"]


def model(
    label: str, lineages: Sequence[str], key: str, what: str, said: Callable[[str], str] = readable, **more: Any
) -> str:
    """A model by its readable name; hovering tells its lineage, which the link keeps."""
    links.check(key, [None, *lineages] if more.get("index", 0) is None else lineages, what)
    return worded(st.selectbox, label, lineages, key, said, help=lambda held: held and links.plain(held, 200), **more)


def choose(
    label: str, options: Sequence[Any], key: str, usual: Any = None, said: Callable[[Any], str] | None = None, **more: Any
) -> Any:
    """A menu that the link keeps. What is not offered any more gives way to the usual one."""
    _give_way(key, options)
    return select(label, options, key, label.lower(), said, index=options.index(usual) if usual else 0, **more)


def choose_model(
    label: str, lineages: Sequence[str], key: str, usual: str | None = None, said: Callable[[str], str] = readable
) -> str:
    """The same for models."""
    _give_way(key, lineages)
    return model(label, lineages, key, label.lower(), said, index=lineages.index(usual) if usual else 0)


def _give_way(key: str, options: Sequence[Any]) -> None:
    if st.session_state.get(key, options[0]) not in options:
        del st.session_state[key]


def hard() -> bool:
    """Whether hard unrelated models count as unrelated."""
    return switch("Hard unrelated", "hard", help=HARD)


def group(known: Sequence[str]) -> str:
    """Which published schemes have a colour.

    Args:
        known: groups of which something is recorded, from `views.budget.groups`.
    """
    return choose("Schemes in colour", known, "group", said=GROUPS.get)


def pins(labels: Sequence[str]) -> tuple[str, ...]:
    """Combinations that are drawn with a line or mark of their own, found by typing: the named schemes come first."""
    options = found_by_typing(labels)
    links.check("pin", options, "pin", MOST_MARKED)
    search = f"Search {len(options)} combinations"
    return tuple(st.multiselect("Pins", options, key="pin", max_selections=MOST_MARKED, placeholder=search, **LINKED))


def found_by_typing(labels: Collection[str]) -> list[str]:
    """Combinations as a long menu offers them: the named ones first, each beside its variants."""
    named = [label for label in ORDER if label in labels]
    return [*named, *sorted(set(labels).difference(named))]


def pin_clicked(chart: str, label: Callable[[Mapping[str, Any]], str] = itemgetter("customdata")) -> None:
    """Pin what was clicked in a chart, or let it go: a callback. The latest pin stands last.

    Args:
        label: what a clicked point stands for.
    """
    turn_pins({label(point) for point in st.session_state[chart].selection.points if point.get("customdata")})


def turn_pins(labels: set[str]) -> None:
    """Pin some combinations, or let those go that are pinned: a callback."""
    held = st.session_state.get("pin", [])
    pins = [label for label in held if label not in labels] + sorted(labels.difference(held))
    if len(pins) > MOST_MARKED:
        notice.say(f"{MOST_MARKED} combinations are pinned, and more could not be told apart. Let one go first.")
    else:
        st.session_state["pin"] = pins


def take(chart: str, key: str) -> None:
    """Put what was clicked in a chart into a control: a callback. Marks that stand for no choice report no name."""
    for point in st.session_state[chart].selection.points:
        if point.get("customdata"):
            st.session_state[key] = point["customdata"]
