"""The Leaderboard's controls, its three views, and the panel beside them."""

from typing import Any, NamedTuple

import streamlit as st
from pandas import DataFrame
from plotly.graph_objects import Figure

from pages.ui import cached, cards, links, panel
from pages.ui.suspect.switch import Suspect
from qurd_core import findings, plots, views
from qurd_core.errors import QurdError
from qurd_core.findings.language import again, words, worth_words
from qurd_core.plots.drawing.theme import Style
from qurd_core.records import evidence, measured_winners, measured_worth, rate_records
from qurd_core.records.obfuscation_records import ONLY
from qurd_core.records.scheme_table import allowed
from qurd_core.schemes import CHARTED, MOST_MARKED
from qurd_core.statistics import metrics

VIEWS = ("chart", "table", "swap")  # Figure 1, Table 3 and Figure 2


class Asked(NamedTuple):
    """What the controls say."""

    bench: str
    task: str
    at: int
    suspect: Suspect
    rule: metrics.Rule
    hard: bool
    group: str
    pins: tuple[str, ...]
    style: Style

    @property
    def how(self) -> dict[str, Any]:
        """What rates depend on besides the benchmark, the task, the combination and the budget."""
        return {"hard": self.hard, "rule": self.rule, "behind": self.suspect.behind}

    def board(self, bench: str) -> DataFrame:
        return cached.board(bench, self.task, self.at, self.suspect.reveal, **self.how)

    def worth(self) -> DataFrame:
        return cached.worth(self.bench, self.task, self.at, **self.how)

    @property
    def view(self) -> dict[str, Any]:
        """The same, and the task, as what computes rates again takes it."""
        chosen = {"task": self.task, "negatives": cached.negatives(self.hard), "rule": self.rule}
        return chosen | {"behind": self.suspect.behind}

    @property
    def look(self) -> dict[str, Any]:
        """What stands out in a chart, and how it is drawn."""
        return {"pins": self.pins, "group": self.group, "style": self.style}

    @property
    def where(self) -> str:
        return findings.leaderboard.place(self.bench, self.task, self.at)


class Sight(NamedTuple):
    """One view.

    Attributes:
        headline: its finding.
        figure: its chart, None where there is nothing to draw.
        data: what is drawn, as a table to take away.
        missing: what is not drawn, with reasons.
        again: what gives the rates of the data, or of what is named in them, again.
        tests: what its verdicts rest on.
        turns: whether hard unrelated models that turn what is found of AKH turn the headline.
        beside: what the headline says in any case.
        high: the least pixels of its chart.
    """

    headline: str
    figure: Figure | None
    alt: str
    data: DataFrame
    missing: dict[str, str]
    again: list[again.Rates]
    tests: str
    turns: bool = True
    beside: str = ""
    high: float = 352

    @property
    def every(self) -> int:
        """The combinations that the data have a rate of, on all their benchmarks."""
        known = self.data[self.data["value"].notna()]
        return len(known[["label"] if "benchmark" not in known else ["label", "benchmark"]].drop_duplicates())


def best_button(free: DataFrame) -> None:
    """Marks the best unpublished combination."""
    label = free["label"].iloc[0] if len(free) else None
    st.button("Best unpublished combination", on_click=_pin_best, args=[label], disabled=label is None, width="stretch")


def chart(asked: Asked, rows: DataFrame) -> Sight:
    """Figure 1: the chosen benchmark beside the others of its kind."""
    boards = _beside(asked, rows)
    others = [name for name in boards if name != asked.bench]
    drawn = any(part["value"].notna().any() for part in boards.values())
    question = "strips", asked, *map(cached.version, boards)
    figure = cached.once(
        question,
        lambda: plots.leaderboard.figure(boards, asked.bench, **asked.look) if drawn else None,
    )
    alt = findings.leaderboard.alt(rows, asked.bench, others, asked.pins, asked.group)
    headline = findings.leaderboard.headline(rows, asked.where, asked.suspect.reveal)
    beside = findings.leaderboard.outdone(rows)
    data = views.leaderboard.together(boards)
    named = [
        one
        for name, part in boards.items()
        for one in again.rates(name, part, views.budget.shown(part, asked.pins, asked.group), **asked.view)
    ]
    return Sight(headline, figure, alt, data, {}, named, worth_words.tests(asked.worth(), rows["label"]), beside=beside)


def table(asked: Asked) -> Sight:
    """Table 3: tasks by named schemes, both rules."""
    return cached.once(("table", asked, cached.version(asked.bench)), lambda: _table(asked))


def _table(asked: Asked) -> Sight:
    every = cached.by_task(asked.bench, asked.at, **asked.how)
    names = cached.tasks(asked.bench)
    worth = {
        rule: {task: cached.worth(asked.bench, task, asked.at, **asked.how | {"rule": rule}) for task in names}
        for rule in metrics.RULES
    }
    fitting = allowed(every, cached.schemes(), asked.suspect.reveal)
    columns = views.tasks.columns(fitting, asked.pins, asked.group)
    every, rows = (views.tasks.named(fitting, names, asked.rule, worth, some) for some in (CHARTED, columns))
    figure = plots.tasks.figure(rows, pins=asked.pins, style=asked.style) if len(rows) else None
    named = again.rates(asked.bench, rows, dict.fromkeys(rows["label"]), by_task=True, **asked.view)
    headline, tests = findings.tasks.headline(every, asked.where), worth_words.tests(asked.worth(), every["label"])
    return Sight(headline, figure, findings.tasks.alt(rows), rows, views.tasks.reasons(rows), named, tests)


def swap(asked: Asked, rows: DataFrame, name: str | None) -> Sight:
    """Figure 2: other samplers before the same representation and detector."""
    if asked.suspect.hidden:
        why = {"Other samplers": ONLY}
        return Sight(
            f"No other sampler is recorded behind obfuscations {asked.where}", None, "", rows, why, [], "", turns=False
        )
    if name is None:
        return Sight(f"No named scheme has a value {asked.where}", None, "", rows, {}, [], "")
    known = cached.swaps(asked.bench, name, asked.task, asked.at, hard=asked.hard, rule=asked.rule)
    table = views.swaps.swaps(rows, cached.schemes(), name, known)
    return Sight(
        findings.swaps.headline(table, name, asked.where),
        plots.swaps.figure(table, name, pins=asked.pins, style=asked.style),
        findings.swaps.alt(table, name),
        table,
        views.swaps.missing(table),
        again.rates(asked.bench, rows, table["label"], **asked.view),
        findings.swaps.tests(table, asked.worth()),
        turns=False,  # what other samplers bring is found with hard unrelated models as without
        high=plots.swaps.high(table, name),
    )


def beneath(asked: Asked, rows: DataFrame, free: DataFrame) -> None:
    """The card of the latest pin, or what all named schemes reach."""
    if asked.pins:
        label = asked.pins[-1]
        best = len(free) and free["label"].iloc[0] == label
        note = (
            findings.leaderboard.best(free, asked.at, _best_of(asked, label))
            if best
            else findings.leaderboard.standing(rows, label, asked.at, f"This combination is not shown: {ONLY}.")
            if asked.suspect.hidden
            else findings.leaderboard.standing(rows, label, asked.at)
        )
        note += " The card is of suspects as they are." * asked.suspect.hidden
        cards.show(asked.bench, label, asked.at, style=asked.style, rule=asked.rule, pins=asked.pins, note=note)
        return
    worth = measured_worth.among(asked.worth(), rows.loc[rows["value"].notna(), "label"])
    values = views.budget.values_at(rows, asked.at, worth=worth, group=asked.group)
    panel.values(values, asked.at, asked.style, asked.pins, worth)
    st.caption(links.plain(findings.budget.against(values, asked.at), 600))
    st.caption("Click a mark to pin the combination and to read its card.")


def _best_of(asked: Asked, label: str) -> measured_winners.BestOf | str:
    """What the best unpublished combination is worth on held-out victims, or why that is not known."""
    choice = {"hard": asked.hard, "rule": asked.rule}
    independent = set(measured_winners.lineages_of(cached.pairs(asked.bench), asked.task).values())
    if len(independent) == 1:
        return "Held-out victims cannot be tried here: there is one independent victim."
    recorded = cached.worth(evidence.base_of(asked.bench), asked.task, asked.at, **choice).index
    if label not in recorded:
        return f"Held-out victims cannot be tried: no distances are recorded at {words.counted(asked.at, 'query')}."
    try:
        return cached.best_of(asked.bench, asked.task, asked.at, asked.suspect.reveal, **choice)
    except QurdError as error:
        return str(error)


def _beside(asked: Asked, rows: DataFrame) -> dict[str, DataFrame]:
    """The boards of the chosen benchmark and of the others of its kind; empty where one lacks the task."""
    kind = rate_records.PUBLISHED if evidence.base_of(asked.bench) in rate_records.PUBLISHED else rate_records.EMBEDDED
    found = {}
    for name in dict.fromkeys([*kind, asked.bench]):
        if name == asked.bench:
            found[name] = rows
        elif rate_records.path_of(name).is_file():
            has = asked.task in cached.tasks(name) and (not asked.suspect.hidden or cached.obfuscations(name))
            found[name] = asked.board(name) if has else rows.head(0)
    return found


def _pin_best(label: str) -> None:
    held = [pin for pin in st.session_state["pin"] if pin != label]
    st.session_state["pin"] = [*held[-(MOST_MARKED - 1) :], label]
