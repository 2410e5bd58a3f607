"""The map of combinations: a row per sampler, a column per representation and detector."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from qurd_core.declarations import Story
from qurd_core.records import measured_worth
from qurd_core.schemes import CONTROL, ORDER, REFERENCE, VARIANT, fully_recorded, is_control, story_of

MAIN = "main"
KINDS: dict[str, tuple[Story, ...]] = {  # of samplers, by the story of their queries
    "natural": ("images", "mistakes", "noise"),
    "adversarial": ("adversarial", "hinge"),
    "blended": ("blended",),
    "masked": ("masked",),
}
ROWS = {MAIN: "complete", **{kind: kind for kind in KINDS}}  # what the rows can be, in words
SPLITS = {"test": "test", "train": "training", "noise": "noise"}  # seed sets in words
NOWHERE = "Not in the records: press Run to measure it."


class Pick(NamedTuple):
    """The combination that is looked at.

    Attributes:
        scheme, sampler, head, label: its text, the two parts of it, and its name if it has one, else its text.
    """

    scheme: str
    sampler: str
    head: str
    label: str

    @property
    def called(self) -> str:
        """Its label; a control says that it is one."""
        control = is_control(self.head.partition(" | ")[2])
        return f"{self.label} (accuracy only, no fingerprint)" if control else self.label


class Value(NamedTuple):
    """What is known of a combination at one budget.

    Attributes:
        live: how far its run is; empty for recorded values.
        low, high, verdict: the interval over models and the tested verdict against the reference, if they are known.
    """

    value: float
    spread: float
    seeds: int
    reason: str = ""
    live: str = ""
    low: float = math.nan
    high: float = math.nan
    verdict: str | None = None


def families(schemes: pd.DataFrame) -> list[str]:
    """What the columns can be: one per representation, or all detectors of one family of representations."""
    return [MAIN, *dict.fromkeys(map(_family, _heads(schemes)))]


def columns(schemes: pd.DataFrame, family: str) -> list[str]:
    """The heads `representation | detector` of a family. Of each representation, the main ones are those of a published
    scheme, and where others are recorded more often, the first of these.
    """
    heads = _heads(schemes)
    if family != MAIN:
        return [head for head in heads if _family(head) == family]
    named = schemes[schemes["name"].notna()]
    known = named[(named["name"] != CONTROL) & ~named["name"].str.contains(VARIANT, regex=False)]
    published, times = set(known["head"]), schemes["head"].value_counts()
    control = set(named.loc[named["name"] == CONTROL, "head"])
    chosen, of_name = set(published), {}
    for head in heads:
        if head not in control:
            of_name.setdefault(_name(head), []).append(head)
    for same in of_name.values():
        most = [head for head in same if times[head] == times[same].max()]
        chosen |= set() if published & {*most} else {most[0]}
    return [head for head in heads if head in chosen]


def kinds(schemes: pd.DataFrame, split: str) -> list[str]:
    """What the rows can be: the samplers whose combinations are all recorded, or those of one kind."""
    return [MAIN, *(kind for kind in KINDS if samplers(schemes, split, kind))]


def samplers(schemes: pd.DataFrame, split: str, kind: str = MAIN) -> list[str]:
    """The samplers of a seed set, those of one seed rule together.

    Args:
        kind: one of `ROWS`.
    """
    every = sorted(schemes.loc[schemes["split"] == split, "sampler"].unique(), key=lambda text: (text.split("->")[0], text))
    if kind != MAIN:
        return [sampler for sampler in every if story_of(sampler) in KINDS[kind]]
    return [sampler for sampler in every if fully_recorded(sampler)]


def values(points: pd.DataFrame, at: int, live: str = "", worth: pd.DataFrame = measured_worth.UNKNOWN) -> dict[str, Value]:
    """What is known of every combination at a budget, by its text.

    Args:
        points: from `budget.curves`.
        worth: what is known of intervals and tests of the same points.
    """
    rows = points[points["budget"] == at]
    tests = dict(zip(worth.index, zip(worth["low"], worth["high"], worth["verdict"], strict=True), strict=True))
    names = ["scheme", "label", "value", "spread", "seeds", "reason"]
    facts = rows[names].fillna({"reason": ""}).itertuples(index=False, name=None)
    return {
        scheme: Value(float(value), float(spread), int(seeds), why, live, *tests.get(label, (math.nan, math.nan, None)))
        for scheme, label, value, spread, seeds, why in facts
    }


def unrecorded(schemes: Iterable[str], why: str) -> dict[str, Value]:
    """Combinations without a value, each with the reason."""
    return {scheme: Value(math.nan, math.nan, 0, why) for scheme in schemes}


def compared(source: pd.DataFrame, points: pd.DataFrame, pick: Pick, pooled: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The points of the picked combination and of the reference.

    Args:
        source: where those of the combination are, recorded or live.
        points: the recorded ones.
        pooled: whether the combination was calibrated otherwise than the records, so that only the reference of the same
            run is comparable.
    """
    mine = source[source["scheme"] == pick.scheme] if not pooled or source is not points else points.iloc[:0]
    home = source if pooled and source is not points else points.iloc[:0] if pooled else points
    return mine, home[home["label"] == REFERENCE]


def cells(
    schemes: pd.DataFrame,
    known: Mapping[str, Value],
    *,
    split: str,
    family: str,
    pick: Pick,
    kind: str = MAIN,
    reason: Callable[[str], str | None] = lambda scheme: None,
    withheld: Mapping[str, str] = MappingProxyType({}),
) -> pd.DataFrame:
    """A row per cell of the map: samplers and heads of which something is known, and those of the picked combination.

    Args:
        known: what is known, by the text of the combination.
        kind: of the samplers, one of `ROWS`.
        reason: why the parts of a combination do not go together, or None.
        withheld: why the suspect's answers do not allow a combination, by its text.

    Returns:
        rows of row, column, sampler, head, scheme, name, withheld, value, spread, seeds, reason (where there is no value)
        and live; texts are empty where there is nothing to say.
    """
    here = schemes[schemes["scheme"].isin(known)]
    rows = samplers(here, split, kind)
    heads = [*dict.fromkeys([*(columns(here[here["sampler"].isin(rows)], family) or columns(here, family)), pick.head])]
    rows = [*dict.fromkeys([*rows, pick.sampler])]
    named = schemes[schemes["name"].notna()]
    names = dict(zip(named["scheme"], named["name"], strict=True))
    found = []
    for row, sampler in enumerate(rows):
        for column, head in enumerate(heads):
            scheme = f"{sampler} | {head}"
            value = known.get(scheme) or Value(math.nan, math.nan, 0, reason(scheme) or NOWHERE)
            found.append((row, column, sampler, head, scheme, names.get(scheme, ""), withheld.get(scheme, ""), *value))
    places = ["row", "column", "sampler", "head", "scheme", "name", "withheld", *Value._fields]
    return pd.DataFrame(found, columns=places)


def hidden(schemes: pd.DataFrame, known: Mapping[str, Value], found: pd.DataFrame, split: str) -> int:
    """How many samplers of a seed set have combinations of which something is known, and no row.

    Args:
        found: from `cells`.
    """
    every = schemes.loc[(schemes["split"] == split) & schemes["scheme"].isin(known), "sampler"]
    return len({*every} - {*found["sampler"]})


def marked(found: pd.DataFrame, pick: Pick, pins: Sequence[str]) -> list[str]:
    """The labels of the cells that are outlined, pinned or picked."""
    labels = found["name"].where(found["name"] != "", found["scheme"])
    return labels[labels.isin([*ORDER, *pins, pick.label])].tolist()


def taken_away(found: pd.DataFrame, pick: Pick, value: Value | None, pool: Sequence[str]) -> pd.DataFrame:
    """The cells as a table to take away, with `pool`: where lineages calibrate the picked combination, its value is a row of
    its own, because the map shows all values as recorded.
    """
    table = found.assign(pool="")
    if not pool or value is None:
        return table
    own = found[found["scheme"] == pick.scheme].assign(**value._asdict(), pool=", ".join(pool))
    return pd.concat([table, own], ignore_index=True)


def _heads(schemes: pd.DataFrame) -> list[str]:
    """All heads, those that need less of the suspect first."""
    first = schemes.drop_duplicates("head").assign(order=lambda table: table["head"].map(_family))
    return first.sort_values(["level", "order", "head"], kind="stable")["head"].tolist()


def _name(head: str) -> str:
    """The representation of a head, without its parameters."""
    return head.partition(" | ")[0].partition("(")[0]


def _family(head: str) -> str:
    return _name(head).removeprefix("hard_")
