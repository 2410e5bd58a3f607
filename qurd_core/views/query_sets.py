"""Queries as pages show them, one card per group: from the answer bank, or from what a worker left. Without torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from qurd_core.benchmarks.photographs import photograph_names
from qurd_core.declarations import Story
from qurd_core.errors import QurdError
from qurd_core.files import AlteredError, checked
from qurd_core.grammar import parse_chain
from qurd_core.records.bank import Bank
from qurd_core.schemes import story_of

Array = NDArray[np.generic]

SIZES = (100, 400)  # queries that are made: the smaller number, unless a larger budget is looked at
FACTS = (
    *("card", "group", "seed", "photograph", "top", "left", "side", "first", "last", "main", "truth"),
    *("victim_on_seed", "suspect_on_seed", "victim", "suspect", "agrees", "agreeing", "kept"),
)
_AGAIN = "Try again to make them anew."


@dataclass(frozen=True)
class QuerySet:
    """Some queries with what victim and suspect answer.

    Attributes:
        sampler: text of it.
        classes: names of the classes.
        pixels: (s,H,W,3) in [0,1].
        seed_pixels: (s,H,W,3) uint8, the image that each query was made from.
        group, seed: (s,) number of the group; position in the seed set.
        truth: (s,) class, -1 where there is none.
        places: (s,5) as in `Bank`, -1 where the seed is no photograph; None where none is.
        victim, suspect: (s,) labels.
        victim_on_seed, suspect_on_seed: (s,) labels of the seed image.
        more: `victim_probits` and `suspect_probits` (s,C), where known, and what the craft tells: see `query_job`.
    """

    sampler: str
    classes: tuple[str, ...]
    pixels: Array
    seed_pixels: Array
    group: Array
    seed: Array
    truth: Array
    places: Array | None
    victim: Array
    suspect: Array
    victim_on_seed: Array
    suspect_on_seed: Array
    more: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.group)

    @property
    def rule(self) -> str:
        """The seed rule: sets of one rule, victim and query seed start from the same images."""
        return rule_of(self.sampler)

    @property
    def story(self) -> Story:
        """What is asked about these queries."""
        return story_of(self.sampler)

    @cached_property
    def _firsts(self) -> Array:
        """Row of the first query of every group, and the end."""
        starts = np.flatnonzero(np.diff(self.group, prepend=-1)) if len(self) else np.zeros(0, int)
        return np.append(starts, len(self))

    def facts(self, budget: int) -> pd.DataFrame:
        """One row per card with the columns `FACTS`.

        `main` is the query that the card is about: the disturbed one of a pair, the whole image of a group of masks.
        `agreeing` is the share of the card's queries that get the victim's answer. `kept`: the budget buys the whole group.
        """
        first, end = self._firsts[:-1], self._firsts[1:]
        main = end - 1 if self.story == "adversarial" else first
        names = np.array(["", *photograph_names()])  # -1 is no photograph
        places = np.full((len(self), 5), -1) if self.places is None else self.places
        same = np.append(0, np.cumsum(self.victim == self.suspect))
        columns = {
            "card": np.arange(len(first)),
            "group": self.group[first],
            "seed": self.seed[main],
            "photograph": names[places[main, 0] + 1],
            **{name: places[main, column] for column, name in enumerate(("top", "left", "side"), start=1)},
            "first": first,
            "last": end - 1,
            "main": main,
            "truth": self.truth[main],
            **{who: getattr(self, who)[main] for who in ("victim_on_seed", "suspect_on_seed", "victim", "suspect")},
            "agrees": self.victim[main] == self.suspect[main],
            "agreeing": (same[end] - same[first]) / np.maximum(end - first, 1),
            "kept": end <= budget,
        }
        return pd.DataFrame(columns)

    def export(self, budget: int) -> pd.DataFrame:
        """`facts` with classes by name, for a file."""
        table, names = self.facts(budget), np.array(["", *self.classes])
        labels = ["truth", "victim_on_seed", "suspect_on_seed", "victim", "suspect"]
        named = {column: names[table[column].to_numpy(int) + 1] for column in labels}
        return table.assign(**named).assign(sampler=self.sampler)


def line_up(
    left: QuerySet | None, right: QuerySet | None, budget: int, *, only_disagreeing: bool = False
) -> list[tuple[int, int]]:
    """Which cards stand side by side: their numbers, -1 where one side has none.

    Where both sides draw from one rule, cards of one seed image are put together, and `only_disagreeing` keeps those rows
    in which the suspect disagrees on some side.
    """
    sides = [one.facts(budget) if one else pd.DataFrame(columns=list(FACTS)) for one in (left, right)]
    both = sides[0][["group", "seed"]].merge(sides[1][["group", "seed"]], on="group", suffixes=("", "_other"))
    if left and right and left.rule == right.rule and len(both) and (both["seed"] == both["seed_other"]).all():
        joined = sides[0].merge(sides[1], how="outer", on="group", suffixes=("", "_other"), sort=True)
        if only_disagreeing:
            joined = joined[(joined["agrees"] == False) | (joined["agrees_other"] == False)]  # noqa: E712 (NaN is neither)
        cards = joined[["card", "card_other"]].fillna(-1).astype(int)
        return list(cards.itertuples(index=False, name=None))
    numbers = [(one[one["agrees"] == False] if only_disagreeing else one)["card"].tolist() for one in sides]  # noqa: E712
    return list(zip_longest(*numbers, fillvalue=-1))


def samplers(schemes: pd.DataFrame, lacking: Mapping[str, str]) -> list[str]:
    """The samplers of recorded schemes, but those that go with nothing that is there of a benchmark.

    Args:
        lacking: from `views.leaderboard.lacking`.
    """
    return schemes.loc[~schemes["scheme"].isin(lacking), "sampler"].unique().tolist()


def size_for(budget: int) -> int:
    """How many queries are made to show a budget."""
    return next((size for size in SIZES if budget <= size), SIZES[-1])


def rule_of(sampler: str) -> str:
    """The seed rule of a sampler."""
    return str(parse_chain(sampler).calls[0])


def is_banked(bank: Bank, sampler: str, victim: str) -> bool:
    """Whether the queries of a sampler follow from the bank alone."""
    return (sampler, victim) in bank.draws


def from_bank(bank: Bank, sampler: str, victim: str, suspect: str, query_seed: int, size: int) -> QuerySet:
    """Natural queries and the labels that were recorded for them; no model is asked."""
    drawn = bank.draws[sampler, victim][query_seed][:size]
    seed = drawn[drawn >= 0]
    pixels = bank.pictures(seed)
    own, other = (bank.of(model)[seed].astype(int) for model in (victim, suspect))
    truth, places = bank.truth[seed].astype(int), None if bank.places is None else bank.places[seed]
    shown = pixels.astype(np.float32) / 255
    return QuerySet(sampler, bank.classes, shown, pixels, np.arange(len(seed)), seed, truth, places, own, other, own, other)


def shared(bank: Bank, queries: QuerySet, victim: str, models: list[str], budget: int) -> float:
    """On how many of the queries from the bank that a budget buys these models give the victim's answer: their mean."""
    asked = queries.seed[:budget]
    return float((bank.rows(models)[:, asked] == bank.of(victim)[asked]).sum(1).mean())


def read(path: Path, sampler: str, classes: tuple[str, ...]) -> QuerySet:
    """What a worker left.

    Raises:
        QurdError: the file is missing or damaged.
    """
    found = tensors(path)
    try:
        return as_queries(found, sampler, classes)
    except (KeyError, ValueError, TypeError) as error:
        raise _damaged(path, error) from None


def as_queries(found: dict[str, Array], sampler: str, classes: tuple[str, ...]) -> QuerySet:
    """The queries of the arrays that `query_job.query_set` gives."""
    more = {f"{role}_probits": found.pop(role) for role in ("victim", "suspect")}
    labels = {role: more[f"{role}_probits"].argmax(1) for role in ("victim", "suspect")}
    plain = {
        name: found.pop(name) for name in ("seed_pixels", "group", "seed", "truth", "victim_on_seed", "suspect_on_seed")
    }
    pixels, places = found.pop("pixels").astype(np.float32), found.pop("places", None)
    return QuerySet(sampler, classes, pixels, places=places, **plain, **labels, more=more | found)


def tensors(path: Path) -> dict[str, Array]:
    """The arrays of a file that a worker left."""
    try:
        return load(checked(path, _AGAIN))
    except AlteredError:
        raise
    except (OSError, SafetensorError, ValueError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> QurdError:
    return QurdError(f"Expected the queries in {path}: {error}. {_AGAIN}")


def counts(queries: QuerySet, budget: int) -> tuple[int, int]:
    """On how many queries that a budget buys the suspect gives the victim's answer, and of how many.

    Of adversarial images only those count that moved the victim away from its answer on the seed.
    """
    facts = queries.facts(budget)
    kept = facts[facts["kept"]]
    if queries.story == "masked":
        sizes = kept["last"] - kept["first"] + 1
        return round(float((kept["agreeing"] * sizes).sum())), int(sizes.sum())
    if queries.story == "adversarial":
        kept = kept[kept["victim"] != kept["victim_on_seed"]]
    return int(kept["agrees"].sum()), len(kept)
