"""What the page on queries says of two samplers, and of the most discriminative images."""

import json

import pandas as pd

from qurd_core import views
from qurd_core.declarations import Story
from qurd_core.findings.language import words
from qurd_core.findings.language.words import counted, percent
from qurd_core.records.scheme_table import LEVELS
from qurd_core.schemes import CONTROL
from qurd_core.views.query_sets import QuerySet, rule_of
from qurd_core.views.telling import PER_CLASS

_VERBS: dict[Story, str] = {
    "mistakes": "repeats",
    "adversarial": "is fooled like the victim on",
}  # the others: the suspect agrees on them
_KINDS = {"positive": "stolen", "negative": "unrelated", "hard": "hard unrelated", "suspect": "of unknown origin"}
_NOUNS: dict[Story, str] = {
    "mistakes": "mistake",
    "images": "image",
    "adversarial": "adversarial image",
    "blended": "image",
    "masked": "masked image",
    "noise": "noise image",
    "hinge": "hinge image",
}


def headline(left: QuerySet | None, right: QuerySet | None, budget: int, kind: str) -> str:
    """What the suspect does with the queries that a budget buys.

    Args:
        left, right: the queries of both sides; None while they are not there.
        kind: of the pair.
    """
    who = "The suspect" if kind == "suspect" else f"The {_KINDS[kind]} model"
    said = [
        (side, one.story, *views.query_sets.counts(one, budget)) for side, one in (("left", left), ("right", right)) if one
    ]
    said = [(side, story, hits, tried) for side, story, hits, tried in said if tried]
    if not said:
        return "The queries are being made" if left is None or right is None else "No query to compare the two models on"
    (_, one, hits, tried), (_, other, *_) = said[0], said[-1]
    verb = _VERBS.get(one, "agrees on")
    if len(said) == 1:
        return f"{who} {verb} {_of(*said[0][1:])}"
    if _NOUNS[one] == _NOUNS[other]:
        return f"{who} {verb} {_of(one, hits, tried)} on the left and {said[1][2]} of {said[1][3]} on the right"
    again = _VERBS.get(other, "agrees on")
    joint = " and " if again == verb == "agrees on" else f", and {again} "
    return f"{who} {verb} {_of(one, hits, tried)}{joint}{_of(*said[1][1:])}"


def beside(story: Story, kind: str, mean: float, tried: int) -> str:
    """What models of the other kind do on average: `; unrelated models repeat 18% on average`.

    Args:
        kind: of the pair that is shown.
        mean: queries on which they give the victim's answer.
    """
    others = "unrelated" if kind in ("positive", "suspect") else "stolen"
    return f"; {others} models {'repeat' if story == 'mistakes' else 'agree on'} {percent(mean / tried)} on average"


def senders(schemes: pd.DataFrame, sampler: str, reveal: str) -> str:
    """Which published schemes send these queries, and which of them cannot do with what the suspect reveals.

    Args:
        schemes: from `records.schemes`.
        reveal: what the suspect reveals, one of `LEVELS`.
    """
    own = schemes[(schemes["sampler"] == sampler) & schemes["name"].notna() & (schemes["name"] != CONTROL)]
    fits = own["level"] <= LEVELS[reveal]
    said = [f"Sent by {words.listed(own.loc[fits, 'name'].tolist())}"] if fits.any() else []
    for access, rows in own[~fits].groupby("access", sort=False):
        why = words.needs(access, reveal)
        said.append(f"{words.listed(rows['name'].tolist())} {why if len(rows) == 1 else why.replace('needs', 'need', 1)}")
    return " · ".join(said) or "Sent by no published scheme"


def _of(story: Story, hits: int, tried: int) -> str:
    """`31 of the victim's 40 mistakes`."""
    owner = "the victim's " if story == "mistakes" else ""
    return f"{hits} of {owner}{counted(tried, _NOUNS[story])}"


def telling_headline(table: pd.DataFrame) -> str:
    """How the most discriminative images do on the models that did not choose them."""
    if table.empty:
        return "No image separates stolen from unrelated models for this victim"
    stolen, unrelated = table["stolen_reported"].mean(), table["unrelated_reported"].mean()
    mistakes = counted(len(table), "most discriminative mistake")
    return f"{percent(stolen)} of stolen and {percent(unrelated)} of unrelated models repeat the victim's {mistakes}"


def telling_subline(table: pd.DataFrame, models: dict[str, int]) -> str:
    """Who chose the images, what they promised, and who was asked afterwards."""
    if table.empty:
        return "The victim makes no mistake on the test images, or there are too few models for two halves."
    promised = " and ".join(percent(table[f"{kind}_chosen"].mean()) for kind in ("stolen", "unrelated"))
    return (
        f"Held-out half: {models['stolen_reported']} stolen and {models['unrelated_reported']} unrelated models. Selection "
        f"half: {models['stolen_chosen']} and {models['unrelated_chosen']} models, {promised}. At most "
        f"{PER_CLASS} images of a class."
    )


def subline(kind: str, tasks: list[str], left: str, right: str, budget: int) -> str:
    """Who the suspect is, what the budget is, and whether both sides start from the same seed images."""
    who = _KINDS[kind] + (f" ({words.tasks(tasks)})" if kind == "positive" else "")
    one, other = (words.sampler(rule_of(side)) for side in (left, right))
    if rule_of(left) == rule_of(right):  # of one victim and query seed: the same images
        seeds = f"Both sides start from the same {one}, put side by side"
    else:
        seeds = f"The sides start from different seed images: {one} and {other}"
    more = "images beyond the budget are faded"
    return f"The suspect is {who}. Budget: {counted(budget, 'query')} a side; {more}. {seeds}."


def telling_code(benchmark: str, victim: str) -> str:
    """The Python that finds the telling images again."""
    return (
        "from qurd_core.records import evidence\nfrom qurd_core.views import telling\n\n"
        f'bench, victim = "{benchmark}", {json.dumps(victim)}\n'
        "table, models = telling.telling(evidence.bank(bench), evidence.pairs(bench), victim)"
    )
