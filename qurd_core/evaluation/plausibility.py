"""What the models of a benchmark that somebody brings answer, against what is declared of them.

`check-benchmark` and every run look at the same findings: models that fall far below their declared accuracy are refused;
victims near chance, thefts that seem to have failed, and unrelated models that are nearly the victim are asked about.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from qurd_core.benchmarks.base import Benchmark, reader
from qurd_core.benchmarks.own.kinship import questions
from qurd_core.benchmarks.own.networks import NORMALISATIONS, Preparation, Prepared
from qurd_core.evaluation.workbench import Workbench
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.store import Key
from qurd_core.types import Images, Pair

SPLITS = ("test", "train")  # where accuracy is measured, the better one first
DECLARED = "accuracy_declared"  # in what a source records of a model
FAR = 0.1  # below the declared accuracy
ERRORS = 2.0  # standard errors within which a difference may be an accident
NEAR = 0.1  # share of the way from chance to perfect below which answers are near chance
# Share of the pool's median distance from a victim below which a model is nearly the victim. On Patchwork no unrelated model
# comes below .77, no hard one below .40, and fine-tuned copies lie between .34 and .63.
CLOSE = {"negative": 0.6, "hard": 0.3}
SAMPLE = 500  # items on which models are measured before a run
TRIED = 500  # items on which another normalisation is tried


@dataclass(frozen=True)
class Findings:
    """What was found, a sentence each.

    Attributes:
        problems: what forbids a run.
        notes: what is asked about.
    """

    problems: list[str]
    notes: list[str]


def sampled(desk: Workbench, split: str, models: Iterable[str]) -> Tensor:
    """(n,) places of the items on which models are measured before a run: all if that asks nobody anything, else some,
    drawn at random and the same for all models.
    """
    every = len(desk.images(split))
    if every <= SAMPLE or all(desk.has_natural(model, split) for model in models):
        return torch.arange(every)
    rng = stream(0, "measured items", desk.bench.images_digest(split))
    return torch.randperm(every, generator=rng)[:SAMPLE].sort().values


def measured_split(bench: Benchmark) -> str | None:
    """The seed set on which the models of a benchmark that somebody brings are measured; None for any other benchmark."""
    if reader(bench.whole) is None:
        return None
    return next((split for split in SPLITS if split in bench.splits), None)


class Kappa(NamedTuple):
    """Agreement beyond chance (Cohen 1960): 1 for equal and 0 for independent answers.

    Two models that always name the same class agree by chance only: 0.

    Attributes:
        error: standard error if the answers are independent.
    """

    value: float
    error: float


@dataclass(frozen=True)
class Labels:
    """What models answer on one seed set, or on some items of it, which the store holds.

    Attributes:
        desk: where models are asked.
        split: the seed set.
        rows: (n,) places of the items.
        truth: (n,) classes.
        labels: (n,) classes by model; the number of classes where an answer is missing.
    """

    desk: Workbench
    split: str
    rows: Tensor
    truth: Tensor
    labels: dict[str, Tensor]

    @classmethod
    def of(cls, desk: Workbench, split: str, models: Iterable[str], rows: Tensor | None = None) -> "Labels":
        """Of all items unless `rows` are named."""
        truth = desk.images(split).truth
        rows = torch.arange(len(truth)) if rows is None else rows
        labels = {model: desk.some(model, split, rows).argmax(1) for model in models}
        return cls(desk, split, rows, truth[rows], labels)

    @property
    def are_some(self) -> bool:
        """Whether these are not all items of the seed set."""
        return len(self.rows) < len(self.desk.images(self.split))

    def answered(self, model: str) -> Tensor:
        """(n,) whether there is an answer."""
        return self.labels[model] < len(self.desk.bench.classes)

    def accuracy(self, model: str) -> float:
        """Share of the items with an answer that the model gets right."""
        there = self.answered(model)
        return float((self.labels[model] == self.truth)[there].double().mean())

    @property
    def chance(self) -> float:
        """Accuracy of whoever always names the most frequent class."""
        return float(self.truth.bincount().max() / len(self.truth))

    def agreement(self, one: str, other: str) -> float:
        """Share of the items on which two models answer alike."""
        return float((self.labels[one] == self.labels[other]).double().mean())

    def kappa(self, one: str, other: str) -> "Kappa":
        """Cohen's kappa of two models, over the items that both answer."""
        there = self.answered(one) & self.answered(other)
        first, second = self.labels[one][there], self.labels[other][there]
        classes = len(self.desk.bench.classes)
        by_chance = float((first.bincount(minlength=classes) * second.bincount(minlength=classes)).sum()) / len(first) ** 2
        if by_chance == 1:
            return Kappa(0.0, 0.0)
        alike = float((first == second).double().mean())
        return Kappa((alike - by_chance) / (1 - by_chance), (by_chance / (1 - by_chance) / len(first)) ** 0.5)

    def are_one(self, one: str, other: str) -> bool:
        """Whether the outputs of two models are equal to the last bit on all items, and more than labels."""
        first, second = (self.desk.some(model, self.split, self.rows) for model in (one, other))
        return torch.equal(first, second) and bool(((first != 0) & (first != 1)).any())

    def is_constant(self, model: str) -> bool:
        """Whether the model answers one class to everything."""
        return bool((self.labels[model] == self.labels[model][0]).all())


def model_row(known: Labels, model: str) -> dict[str, object]:
    """How good a model is."""
    declared = known.desk.bench.record(model).get(DECLARED)
    return {"model": model, f"accuracy_{known.split}": known.accuracy(model), "declared": declared}


def stolen_rows(bench: Benchmark, known: Labels) -> list[dict[str, object]]:
    """How much every stolen model but the victim itself answers like its victim."""
    return [
        {
            "victim": pair.victim,
            "suspect": pair.suspect,
            "tasks": list(pair.tasks),
            "agreement": known.agreement(pair.victim, pair.suspect),
            "kappa": known.kappa(pair.victim, pair.suspect).value,
        }
        for pair in _thefts(bench)
    ]


def lineage_notes(bench: Benchmark) -> list[str]:
    """What the lineages of a benchmark that somebody brings leave open."""
    lineages, judged = {model: bench.source.lineage(model) for model in bench.models}, {pair.suspect for pair in bench.pairs}
    return list(questions(lineages, bench.victims, judged))


def findings(bench: Benchmark, known: Labels) -> Findings:
    """Everything that the answers say against what is declared."""
    problems = [problem for model in known.labels if (problem := _far_below(known, model))]
    notes = [*_pictures(known.desk.images(known.split), known.split), *_near_chance(bench, known)]
    notes += [] if problems else _reordered(bench, known)
    return Findings(problems, [*notes, *_failed(bench, known), *_nearly_the_victim(bench, known)])


def _thefts(bench: Benchmark) -> list[Pair]:
    return [pair for pair in bench.pairs if pair.kind == "positive" and pair.suspect != pair.victim]


def _far_below(known: Labels, model: str) -> str | None:
    declared, measured = known.desk.bench.record(model).get(DECLARED), known.accuracy(model)
    if declared is None:
        return None
    error = ERRORS * (declared * (1 - declared) / int(known.answered(model).sum())) ** 0.5
    if declared - measured <= (FAR + error if known.are_some else max(FAR, error)):  # all items are no sample of them
        return None
    cause = _cause(known, model, (declared + measured) / 2) or (
        "Compare its normalisation and the order of its classes with those of its training, or correct the declaration"
    )
    return f"{_right(known, model)}, and {_percent(declared)} are declared. {cause}."


def _right(known: Labels, model: str) -> str:
    items = int(known.answered(model).sum())
    return f"'{model}' is right on {_percent(known.accuracy(model))} of {items:,} {known.split} items"


def _is_near_chance(known: Labels, model: str) -> bool:
    chance, n = known.chance, int(known.answered(model).sum())
    accident = ERRORS * (chance * (1 - chance) / n) ** 0.5
    return known.accuracy(model) < chance + max(NEAR * (1 - chance), accident)


def _near_chance(bench: Benchmark, known: Labels) -> Iterator[str]:
    low = [model for model in known.labels if _is_near_chance(known, model)]
    for victim in (model for model in bench.victims if model in low):
        cause = _cause(known, victim, known.accuracy(victim) + 2 * NEAR)
        yield (
            f"{_right(known, victim)}, which is near chance ({_percent(known.chance)} for the most frequent class): no"
            f" scheme can say much about such a victim.{f' {cause}.' if cause else ''}"
        )
    unrelated = {pair.suspect for pair in bench.pairs if pair.kind != "positive"}
    if others := [model for model in low if model in unrelated and model not in bench.victims]:
        more = f" and {len(others) - 1} more unrelated models" if len(others) > 1 else ", an unrelated model,"
        yield (
            f"'{others[0]}'{more} answer near chance, which makes a victim easy to tell from them:"
            f" {_right(known, others[0])}. Are these the models that you mean?"
        )


def _reordered(bench: Benchmark, known: Labels) -> Iterator[str]:
    """Models that would be far better with their classes in another order; of victims near chance it is said already."""
    for model in known.labels:
        if model in bench.victims and _is_near_chance(known, model):
            continue
        accuracy, half = known.accuracy(model), max(int(known.answered(model).sum()) // 2, 1)
        enough = accuracy + max(2 * FAR, ERRORS * (accuracy * (1 - accuracy) / half) ** 0.5)
        if enough <= _best_in_any_order(known, model) and (cause := _order(known, model, enough)):
            yield f"{_right(known, model)}. {cause}."


def _failed(bench: Benchmark, known: Labels) -> Iterator[str]:
    """Stolen models that do not answer like their victim."""
    for pair in _thefts(bench):
        kappa = known.kappa(pair.victim, pair.suspect)
        if known.is_constant(pair.suspect):
            said = f"'{pair.suspect}' gives one answer to every {known.split} item"
        elif kappa.value < max(NEAR, ERRORS * kappa.error):
            said = f"'{pair.suspect}' and '{pair.victim}' agree about as often as by chance (kappa {kappa.value:.2f})"
        else:
            continue
        yield f"Did the theft fail? {said}, and it counts as stolen from '{pair.victim}'. If it failed, leave it out."


def _nearly_the_victim(bench: Benchmark, known: Labels) -> Iterator[str]:
    """Models that are declared unrelated, and are the victim's weights or answer far more like it than the others."""
    for victim in bench.victims:
        others = [pair for pair in bench.pairs_of(victim) if pair.kind != "positive"]
        if not others:  # a part of a benchmark
            continue
        usual = np.median([known.agreement(victim, pair.suspect) for pair in others])
        for pair, close in zip(others, _far_above_the_pool(known, victim, others), strict=True):
            same = bench.digest(pair.suspect) == bench.digest(victim) or known.are_one(pair.suspect, victim)
            if same or close:
                yield (
                    f"'{pair.suspect}' is declared unrelated, and {'is' if same else 'may be nearly'} the same model as"
                    f" '{victim}': they agree on {_percent(known.agreement(victim, pair.suspect))} of {known.split} items,"
                    f" the median unrelated model and '{victim}' on {_percent(usual)}. If it was made from '{victim}', its"
                    " lineage should say so."
                )


def _far_above_the_pool(known: Labels, victim: str, others: list[Pair]) -> NDArray[np.bool_]:
    """(n,) which models are far closer to a victim than the median unrelated one, beyond chance and on its mistakes.

    On mistakes unrelated models disagree however good they are, so that good ones among weak ones are not taken for copies.
    """
    most = np.array([CLOSE[pair.kind] for pair in others])
    kinds = {pair.kind for pair in others}
    pool = [pair.kind == ("negative" if "negative" in kinds else "hard") for pair in others]
    apart = np.array([1 - known.kappa(victim, pair.suspect).value for pair in others])
    close = apart < most * np.median(apart[pool])
    wrong = known.labels[victim] != known.truth
    if wrong.any():
        differ = [(known.labels[pair.suspect] != known.labels[victim])[wrong].double().mean() for pair in others]
        close &= np.array(differ) < most * np.median(np.array(differ)[pool])
    return close


def _pictures(images: Images, split: str) -> Iterator[str]:
    """What is wrong with the pictures whatever the models are."""
    pixels = images.pixels
    if not pixels[:1].numel():  # items of a table
        return
    if int(pixels.max()) <= 1:
        yield (
            f"No pixel of the {split} pictures is above {int(pixels.max())} of 255, so they are black for every model. Were"
            " they from 0 to 1 before they became whole numbers? Multiply them by 255 first."
        )
    rows = pixels.flatten(1)
    constant = int((rows.amin(1) == rows.amax(1)).sum())
    if constant > NEAR * len(pixels):
        yield f"{constant:,} of {len(pixels):,} {split} pictures have one value in all pixels. Are these the pictures?"


def _cause(known: Labels, model: str, enough: float) -> str | None:
    """Why a model may be that bad: the first cause that explains it, as a sentence without its full stop.

    Args:
        enough: the accuracy that a change must reach to count as the cause.
    """
    if any(_pictures(known.desk.images(known.split), known.split)):
        return "The pictures are the likely cause: see what 'check-benchmark' says of them"
    found = _order(known, model, enough)
    if found is None and known.desk.bench.source.asks:
        found = _never_updated(known, model) or _normalisation(known, model, enough)
    return found


def _best_in_any_order(known: Labels, model: str) -> float:
    """What the accuracy of a model can be at most with its classes in another order."""
    there, classes = known.answered(model), len(known.desk.bench.classes)
    seen = (known.labels[model][there] * classes + known.truth[there]).bincount(minlength=classes**2).view(-1, classes)
    return float(seen.amax(1).sum() / seen.sum())


def _order(known: Labels, model: str, enough: float) -> str | None:
    """The order of the classes, if one permutation of them, found on half of the items, explains the errors on the rest."""
    classes, there = len(known.desk.bench.classes), known.answered(model)
    truth, labels = known.truth[there], known.labels[model][there]
    seen = torch.zeros(classes, classes, dtype=torch.long)
    seen.index_put_((labels[::2], truth[::2]), torch.ones(len(labels[::2]), dtype=torch.long), accumulate=True)
    meant = torch.from_numpy(linear_sum_assignment(-seen.numpy())[1])
    accuracy = float((meant[labels[1::2]] == truth[1::2]).double().mean()) if len(labels) > 1 else 0.0
    if accuracy < enough:
        return None
    names, moved = known.desk.bench.classes, int((meant != torch.arange(classes)).nonzero()[0])
    return (
        f"The likely cause is the order of the classes: its '{names[moved]}' is '{names[meant[moved]]}' here, and with all"
        f" classes in its order it is right on {_percent(accuracy)}"
    )


def _never_updated(known: Labels, model: str) -> str | None:
    """Batch normalisation with the statistics of a network that was never trained."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    layers = [layer for layer in known.desk.oracle(model).module.modules() if isinstance(layer, kinds)]
    kept = [layer for layer in layers if layer.running_mean is not None and layer.running_var is not None]
    fresh = [layer for layer in kept if bool((layer.running_mean == 0).all() & (layer.running_var == 1).all())]
    if not fresh or len(fresh) < len(kept):
        return None
    return (
        f"The likely cause is batch normalisation: all {len(fresh)} layers hold mean 0 and variance 1, as before any"
        " training. Save the weights with their running statistics"
    )


def _normalisation(known: Labels, model: str, enough: float) -> str | None:
    """Another usual normalisation with which the model is as good as it should be."""
    desk = known.desk
    module = desk.oracle(model).module
    if not isinstance(module, Prepared):
        return None
    some = torch.linspace(0, len(known.truth) - 1, min(TRIED, len(known.truth))).long().unique()
    truth, found = known.truth[some], []
    for name, (mean, std) in NORMALISATIONS.items():
        spec = {"model": desk.bench.digest(model), "images": desk.bench.images_digest(known.split)}
        key = Key("answers", spec | {"items": known.rows[some].tolist(), "normalisation": [mean, std]})
        changed = Prepared(module.network, Preparation(mean, std, module.side), module.columns)

        def ask(changed: Prepared = changed) -> dict[str, Tensor]:
            oracle = Oracle(changed, classes=len(desk.bench.classes), runtime=desk.runtime, name=model)
            return {"logits": oracle.logits(desk.images(known.split).pixels[known.rows[some]].float() / 255)}

        labels = desk.store.get(key, ask)["logits"].argmax(1)
        found.append((float((labels == truth).double().mean()), name))
    accuracy, name = max(found)
    if accuracy < enough:
        return None
    return f"The likely cause is the normalisation: with {name} it is right on {_percent(accuracy)} of {len(some)} items"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
