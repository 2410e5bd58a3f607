"""Where suspects and all models that they are compared with are asked: one model in memory at a time, every answer kept."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from qurd_core.benchmarks.own.answer_table import FLOOR
from qurd_core.errors import QurdError
from qurd_core.evaluation.distances import distances, represented
from qurd_core.evaluation.plan import BANK_UNIT
from qurd_core.evaluation.workbench import Sent, Where, Workbench
from qurd_core.executors import Unit, executor, finish
from qurd_core.randomness import stream
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.statistics.verdicts import MOST_MISSING, Count
from qurd_core.suspects.question import QUERY_SEED, Question
from qurd_core.types import Answers

EASY = "fit"  # how the names of the images of the fit begin
STEP = 5  # queries between two looks of whoever watches


@dataclass(frozen=True)
class Heard:
    """What one model answered.

    Attributes:
        scores: distance to the victim under every scheme that is compared.
        agrees: (T,) whether it answers like the victim, in the order in which the first scheme asks.
        missing: queries of a scheme without an answer that counts, of the scheme that has most of them.
        fit: (k,) whether it is right on the images of the fit that it answers.
        labels: by scheme, (T,) classes; their number where there is no answer that counts.
        fit_labels, fit_rows: (f,) classes that it gives to the images of the fit, and their places in the seed set.
        repeated: errors of the victim that it repeats, of all of them; None unless that is needed.
    """

    scores: tuple[float, ...]
    agrees: Tensor
    missing: int
    fit: Tensor
    labels: tuple[Tensor, ...]
    fit_labels: Tensor
    fit_rows: Tensor
    repeated: Count | None = None


def hear(asked: Question, desk: Workbench, runtime: Runtime | None, models: Sequence[str]) -> dict[str, Heard]:
    """What some models answer to the queries of the victim.

    What is stored already is not asked again, so a killed call is continued by the same call.

    Args:
        runtime: how many processes ask; None for models that only this one holds.
        models: of the pool, other known models, suspects.

    Raises:
        QurdError: the victim has too few seeds for the budget, or a model cannot be asked.
    """
    _check_budget(asked, desk)
    rows = fit_rows(asked, desk)
    if runtime and desk.bench.source.asks:  # a table holds all answers already
        here = [model for model in models if model not in desk.told]
        chunks = [tuple(here[start : start + BANK_UNIT]) for start in range(0, len(here), BANK_UNIT)]
        work = [Unit(f"suspects {some[0]}", answer, (desk.where, some, *_asked_for(asked, rows))) for some in chunks]
        finish(runtime.track(executor(runtime.workers).run(work), len(work), "asking models"))
    errors = _errors(asked, desk) if asked.stop == "bound" else None
    own = [desk.ask(asked.victim, scheme, QUERY_SEED, (asked.budget,), (asked.victim,)) for scheme in asked.compared]
    return {model: _heard(asked, desk, model, own, rows, errors) for model in models}


class Query(NamedTuple):
    """What a suspect is sent.

    Attributes:
        name: as evidence has it: the number of its scheme, or `fit`, and its place there.
        x: (3,H,W) float32 in [0,1]; without height and width where items are no images.
        item: what it was made from: seed set and place.
    """

    name: str
    x: Tensor
    item: str


def sent(asked: Question, desk: Workbench) -> Iterator[Query]:
    """The queries of every scheme and the images of the fit."""
    _check_budget(asked, desk)
    for number, scheme in enumerate(asked.compared):
        answers, costs = desk.ask(asked.victim, scheme, QUERY_SEED, (asked.budget,), (asked.victim,))
        queries = answers.queries.take(int(costs.used[0]))
        for place, (image, seed) in enumerate(zip(queries.x, queries.seed.tolist(), strict=True)):
            yield Query(f"{number}:{place}", image, f"{scheme.split} {seed}")
    rows = fit_rows(asked, desk)
    images = desk.images(asked.fit_split).pixels[rows].float() / 255
    for place, (image, row) in enumerate(zip(images, rows.tolist(), strict=True)):
        yield Query(f"{EASY}:{place}", image, f"{asked.fit_split} {row}")


def in_any_order(asked: Question, names: Sequence[str]) -> list[str]:
    """Names of queries in an order that nobody can foresee. Where a verdict may be said early the queries keep the order in
    which they were drawn, and nobody can foresee between which of them the images of the fit are.
    """
    order = [*names]
    secrets.SystemRandom().shuffle(order)
    if asked.stop == "none":
        return order
    drawn = iter([name for name in names if not name.startswith(EASY)])
    return [name if name.startswith(EASY) else next(drawn) for name in order]


def until(own: Heard, queries: int, none: int) -> Heard:
    """The same of a model that was asked no more than the first queries of its only scheme, which counts agreements.

    Args:
        none: the class that stands for no answer.
    """
    agrees, labels = own.agrees[:queries], own.labels[0][:queries]
    missing = int((labels == none).sum())
    return replace(own, scores=(disagreement(agrees),), agrees=agrees, labels=(labels,), missing=missing)


def disagreement(agrees: Tensor) -> float:
    """The distance of schemes that count agreements: the share of answers that are not the victim's, in float32."""
    return float((~agrees).double().mean().float())


def changed_by_rounding(asked: Question, rounded: Workbench, plain: Workbench) -> float:
    """Share of the victim's labels on its queries that are other ones once the queries are pictures of 8 bits."""
    other = total = 0
    for scheme in asked.compared:
        how = asked.victim, scheme, QUERY_SEED, (asked.budget,), (asked.victim,)
        (theirs, costs), (own, _) = rounded.ask(*how), plain.ask(*how)
        used = int(costs.used[0])
        other += int((theirs.labels[0, :used] != own.labels[0, :used]).sum())
        total += used
    return other / max(1, total)


def one_by_one(asked: Question, desk: Workbench, models: Sequence[str]) -> Iterator[int]:
    """Have some models of a workbench of this process answer, one after the other; how many have comes after each.

    Raises:
        QurdError: as `hear` does.
    """
    _check_budget(asked, desk)
    args = _asked_for(asked, fit_rows(asked, desk))
    for done, model in enumerate(models, 1):
        answer(desk.where, (model,), *args)
        yield done


def bit_by_bit(asked: Question, desk: Workbench, models: Sequence[str]) -> Iterator[int]:
    """The same of all of them side by side, a few queries at a time with the images of the fit between them, each answer
    kept at once; how many queries of the budget each was asked comes after each step.

    Queries that are no seed images are asked model by model.
    """
    if not all(map(_as_drawn, asked.compared)):
        for done in one_by_one(asked, desk, models):
            yield asked.budget * done // len(models)
        return
    easy, budget = fit_rows(asked, desk), asked.budget
    sent = {scheme: _rows(desk, asked.victim, scheme, budget) for scheme in asked.compared}
    for start in range(0, budget, STEP):
        end = min(start + STEP, budget)
        for model in models:
            for scheme, rows in sent.items():
                desk.some(model, scheme.split, rows[start:end])
            desk.some(model, asked.fit_split, easy[start * len(easy) // budget : end * len(easy) // budget])
        yield end


def agreement(asked: Question, desk: Workbench, model: str, queries: int) -> Tensor:
    """(queries,) whether a model answers like the victim, as far as the first scheme has asked it: one whose queries are
    seed images.
    """
    split, rows = asked.schemes[0].split, _rows(desk, asked.victim, asked.schemes[0], queries)
    return desk.some(asked.victim, split, rows).argmax(1) == desk.some(model, split, rows).argmax(1)


def labels_of(asked: Question, desk: Workbench, model: str) -> Tensor:
    """(T,) classes that a model gives to the queries of the first scheme."""
    answers, costs = desk.ask(asked.victim, asked.schemes[0], QUERY_SEED, (asked.budget,), (model,))
    return answers.labels[0, : int(costs.used[0])]


def follows(asked: Question) -> bool:
    """Whether `agreement` tells how often a suspect has agreed before it has answered everything."""
    return asked.schemes[0].counts_agreements and _as_drawn(asked.schemes[0])


def _as_drawn(scheme: Scheme) -> bool:
    """Whether its queries are what one seed rule draws."""
    return scheme.natural and not scheme.mixed


def _rows(desk: Workbench, victim: str, scheme: Scheme, queries: int) -> Tensor:
    """(queries,) places of its queries, where they are what one seed rule draws."""
    return desk.sent(Sent(victim, str(scheme), QUERY_SEED, queries))


def _asked_for(asked: Question, rows: Tensor) -> tuple:
    """The arguments of `answer` that say what models are asked."""
    return asked.victim, tuple(map(str, asked.compared)), asked.budget, asked.fit_split, tuple(rows.tolist())


def answer(
    where: Where,
    models: tuple[str, ...],
    victim: str,
    schemes: tuple[str, ...],
    budget: int,
    split: str,
    fit: tuple[int, ...],
) -> None:
    """A unit of work: put the answers of some models to the queries of a victim into the store."""
    desk = where.desk
    for model in models:
        for scheme in map(Scheme.parse, schemes):
            if _as_drawn(scheme):
                desk.some(model, scheme.split, _rows(desk, victim, scheme, budget))
            else:
                desk.ask(victim, scheme, QUERY_SEED, (budget,), (model,))
        desk.some(model, split, torch.tensor(fit, dtype=torch.long))
        if model != victim:
            desk.oracles.pop(model, None)  # hundreds of suspects do not fit in memory together


def fit_rows(asked: Question, desk: Workbench) -> Tensor:
    """(k,) places of the images that the victim gets right, on which it is seen whether the pool is as good as a suspect."""
    if not asked.fit:
        return torch.zeros(0, dtype=torch.long)
    split = asked.fit_split
    right = (desk.natural(asked.victim, split).argmax(1) == desk.images(split).truth).nonzero()[:, 0]
    rng = stream(QUERY_SEED, "fit", desk.bench.digest(asked.victim), desk.bench.images_digest(split))
    return right[torch.randperm(len(right), generator=rng)[: asked.fit]]


def _check_budget(asked: Question, desk: Workbench) -> None:
    for scheme in asked.compared:
        costs = desk.ask(asked.victim, scheme, QUERY_SEED, (asked.budget,), (asked.victim,))[1]
        if not int(costs.used[0]):
            most = int(costs.available[0])
            todo = f"Ask for a budget of at most {most}." if most >= scheme.group_size else "Use another scheme."
            raise QurdError(
                f"'{scheme.label}' finds {most} queries for '{asked.victim}', not {asked.budget}: its seed set gives no"
                f" more. {todo}"
            )


def _errors(asked: Question, desk: Workbench) -> Tensor:
    """(N,) places of all errors of the victim, of which the queries are the first."""
    return desk.draw(asked.victim, asked.schemes[0], QUERY_SEED)[1].indices


def _heard(
    asked: Question, desk: Workbench, model: str, own: list[tuple[Answers, object]], rows: Tensor, errors: Tensor | None
) -> Heard:
    scores, both_labels = [], []
    for scheme, (mine, costs) in zip(asked.compared, own, strict=True):
        theirs, _ = desk.ask(asked.victim, scheme, QUERY_SEED, (asked.budget,), (model,))
        used = int(costs.used[0])
        both = replace(mine, outputs=torch.cat([*_as_wide(mine.outputs, theirs.outputs)]))
        both = desk.with_slopes((asked.victim, model), both, scheme, used)
        value = distances(represented(both, scheme, used), both.queries, scheme, costs.used)[1, 0]
        scores.append(float(value))
        both_labels.append(both.labels[:, :used])
    first = both_labels[0]
    classes, split = len(desk.bench.classes), asked.schemes[0].split
    labels, truth = desk.some(model, asked.fit_split, rows).argmax(1), desk.images(asked.fit_split).truth[rows]
    repeated = None
    if errors is not None and model in asked.pool:
        theirs = desk.some(model, split, errors).argmax(1)
        if int((theirs == classes).sum()) > MOST_MISSING * len(errors):
            raise QurdError(
                f"Expected '{model}', which is unrelated to '{asked.victim}', to answer at least {1 - MOST_MISSING:.0%} of"
                " all errors of the victim, for --stop bound. Ask it these, leave it out, or use --stop peak."
            )
        alike = desk.some(asked.victim, split, errors).argmax(1) == theirs
        repeated = Count(int(alike.sum()), len(alike))
    missing = max(int((one[1] == classes).sum()) for one in both_labels)
    given = tuple(one[1] for one in both_labels)
    right = (labels == truth)[labels < classes]
    return Heard(tuple(scores), first[0] == first[1], missing, right, given, labels, rows, repeated)


def _as_wide(*outputs: Tensor) -> Iterator[Tensor]:
    """Outputs with as many classes each: nobody else answers with the one that stands for an answer that is missing."""
    most = max(one.shape[-1] for one in outputs)
    return (F.pad(one, (0, most - one.shape[-1]), value=float(torch.tensor(FLOOR).log())) for one in outputs)
