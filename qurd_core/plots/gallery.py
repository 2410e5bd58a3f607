"""Query images as pictures and sentences: arrays in, data addresses of small PNGs and text out."""

import base64
import json
from functools import cache
from io import BytesIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from qurd_core.benchmarks.photographs import photograph
from qurd_core.plots import words
from qurd_core.plots.words import counted, percent
from qurd_core.views.query_sets import QuerySet, Story, rule_of
from qurd_core.views.telling import PER_CLASS

Picture = NDArray[np.generic]

AMPLIFIED = 10  # how many times a difference is shown
SCALE = 4  # lines are drawn on an image that was enlarged so many times
THUMB = 168  # pixels of the longer side of a photograph
LINE = (255, 255, 255)
WARM = np.array([255, 196, 0])  # where the victim looked

_VERBS: dict[Story, str] = {
    "mistakes": "repeats",
    "adversarial": "is fooled like the victim on",
}  # the others: the suspect agrees on them
_KINDS = {"positive": "stolen", "negative": "unrelated", "hard": "hard unrelated"}
_NOUNS: dict[Story, str] = {
    "mistakes": "mistake",
    "images": "image",
    "adversarial": "adversarial image",
    "blended": "image",
    "masked": "masked image",
    "noise": "noise image",
}


def address(pixels: Picture) -> str:
    """A picture (H,W,3), uint8 or in [0,1], as the address of a PNG that holds it."""
    file = BytesIO()
    Image.fromarray(as_bytes(pixels)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def as_bytes(pixels: Picture) -> NDArray[np.uint8]:
    """A picture as uint8."""
    if pixels.dtype == np.uint8:
        return pixels
    return (255 * np.clip(pixels, 0, 1)).round().astype(np.uint8)


def difference(query: Picture, seed: Picture) -> Picture:
    """The signed difference of two pictures, `AMPLIFIED` times, around grey."""
    return np.clip(0.5 + AMPLIFIED * (query.astype(float) - seed / 255), 0, 1)


def cut_up(pixels: Picture, segments: Picture) -> Picture:
    """A picture with the borders of its superpixels."""
    large, parts = _enlarged(as_bytes(pixels)), _enlarged(segments)
    border = (np.diff(parts, axis=0, prepend=parts[:1]) != 0) | (np.diff(parts, axis=1, prepend=parts[:, :1]) != 0)
    return np.where(border[..., None], np.uint8(LINE), large)


def boxed(pixels: Picture, box: tuple[int, int, int, int]) -> Picture:
    """A picture with the outline of a box: left, top, right, bottom."""
    large = _enlarged(as_bytes(pixels)).copy()
    left, top, right, bottom = (SCALE * side for side in box)
    for rows, columns in (
        (slice(top, bottom), slice(left, left + 2)),
        (slice(top, bottom), slice(right - 2, right)),
        (slice(top, top + 2), slice(left, right)),
        (slice(bottom - 2, bottom), slice(left, right)),
    ):
        large[rows, columns] = LINE
    return large


def looked(pixels: Picture, weight: Picture) -> Picture:
    """A picture in grey with a warm cover where the weight (H,W) is large; its largest hundredth is covered wholly."""
    grey = as_bytes(pixels).mean(2, keepdims=True) * 0.6
    top = np.quantile(weight, 0.99)
    cover = np.clip(weight / top, 0, 1)[..., None] if top > 0 else np.zeros((*weight.shape, 1))
    return (grey * (1 - cover) + WARM * cover).round().astype(np.uint8)


@cache
def thumbnail(name: str) -> str:
    """A photograph, small, as the address of a JPEG."""
    image = Image.fromarray(photograph(name))
    image.thumbnail((THUMB, THUMB))
    file = BytesIO()
    image.save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def spot(name: str, top: int, left: int, side: int) -> tuple[float, float, float, float]:
    """Left, top, width and height of a patch in percent of its photograph."""
    height, width = photograph(name).shape[:2]
    return 100 * left / width, 100 * top / height, 100 * side / width, 100 * side / height


def shape(name: str) -> tuple[int, int]:
    """Width and height of a photograph."""
    height, width = photograph(name).shape[:2]
    return width, height


def headline(left: QuerySet | None, right: QuerySet | None, budget: int, kind: str) -> str:
    """What the suspect does with the queries that a budget buys.

    Args:
        left, right: the queries of both sides; None while they are not there.
        kind: of the pair.
    """
    who = f"The {_KINDS[kind]} model"
    said = [(side, one.story, *counts(one, budget)) for side, one in (("left", left), ("right", right)) if one]
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
    others = "unrelated" if kind == "positive" else "stolen"
    return f"; {others} models {'repeat' if story == 'mistakes' else 'agree on'} {percent(mean / tried)} on average"


def _of(story: Story, hits: int, tried: int) -> str:
    """`31 of the victim's 40 mistakes`."""
    owner = "the victim's " if story == "mistakes" else ""
    return f"{hits} of {owner}{counted(tried, _NOUNS[story])}"


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


def same_seeds(left: str, right: str) -> bool:
    """Whether two samplers of one victim and query seed start from the same images."""
    return rule_of(left) == rule_of(right)


def subline(kind: str, tasks: list[str], left: str, right: str, budget: int) -> str:
    """Who the suspect is, what the budget is, and whether both sides start from the same seed images."""
    who = _KINDS[kind] + (f" ({words.tasks(tasks)})" if kind == "positive" else "")
    if same_seeds(left, right):
        seeds = f"Both sides start from the same {words.sampler(rule_of(left))}, put side by side"
    else:
        one, other = words.sampler(rule_of(left)), words.sampler(rule_of(right))
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


def _enlarged(pixels: Picture) -> Picture:
    return pixels.repeat(SCALE, 0).repeat(SCALE, 1)
