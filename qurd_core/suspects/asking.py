"""Where suspects and all models that they are compared with are asked: one model in memory at a time, every answer kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from qurd_core.benchmarks.own.answer_table import FLOOR
from qurd_core.errors import QurdError
from qurd_core.evaluation.distances import distances, represented
from qurd_core.evaluation.plan import BANK_UNIT
from qurd_core.evaluation.workbench import Sent, Where, Workbench, eight_bits
from qurd_core.executors import Unit, executor, finish
from qurd_core.randomness import stream
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.statistics.verdicts import MOST_MISSING, Count
from qurd_core.suspects.question import QUERY_SEED, Question
from qurd_core.types import Answers

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


def sent(asked: Question, desk: Workbench) -> Iterator[tuple[str, np.ndarray]]:
    """The names of what a suspect is sent, as evidence has them, and the pictures (3,H,W) uint8: the queries of every scheme
    and the images of the fit.
    """
    _check_budget(asked, desk)
    for number, scheme in enumerate(asked.compared):
        answers, costs = desk.ask(asked.victim, scheme, QUERY_SEED, (asked.budget,), (asked.victim,))
        for place, picture in enumerate(eight_bits(answers.queries.take(int(costs.used[0])).x).numpy()):
            yield f"{number}:{place}", picture
    if asked.fit:
        for place, picture in enumerate(desk.images(asked.fit_split).pixels[fit_rows(asked, desk)].numpy()):
            yield f"fit:{place}", picture


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
