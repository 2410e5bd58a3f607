"""The queries of one sampler with what victim and suspect answer, and what the victim looked at: a job of the worker."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
import torch
from safetensors.torch import save
from torch import Tensor

from qurd_core.benchmarks import base
from qurd_core.evaluation.workbench import Workbench
from qurd_core.files import SEAL, default_folder, publish, sealed
from qurd_core.jobs.kinds.rate_job import desk_of
from qurd_core.oracle import Oracle
from qurd_core.schemes import Scheme
from qurd_core.types import Queries, concatenate
from qurd_core.views.query_sets import as_queries, size_for

Look = Literal["integrated_gradients", "saliency", "occlusion"]
Progress = Callable[[int, int], None]

GREY = 0.45  # the mean colour, as where a superpixel is switched off: what "nothing" looks like to our models
STEPS = 32  # points on the way from grey to the image
WINDOW, STRIDE = 4, 2  # pixels of the square that is covered


def run(
    folder: Path,
    stem: Path,
    progress: Progress,
    *,
    benchmark: str,
    victim: str,
    suspect: str,
    sampler: str,
    query_seed: int,
    budget: int,
    look: Look | None = None,
    rows: Sequence[int] = (),
) -> None:
    """Leave `<stem>.safetensors`: what `query_set` gives, or with `look` what `looked_at` gives for the queries `rows`."""
    desk, ear = desk_of(str(folder), base.benchmark(benchmark).whole)
    so_far = (0, budget)

    def told(done: int, total: int) -> None:
        nonlocal so_far
        so_far = done, total
        progress(done, total)

    ear.listener = lambda images, gradient: progress(*so_far)  # a part takes seconds: whoever cancels is heard within it
    try:
        queries = sample(desk, victim, sampler, query_seed, budget, told)
        if look is None:
            found = query_set(desk, queries, victim, suspect, sampler)
        else:
            found = {"attribution": looked_at(desk.oracle(victim), queries.x[list(rows)], look, told)}
    finally:
        ear.listener = None
    write(found, stem.with_suffix(".safetensors"))


def write(found: Mapping[str, Tensor], path: Path) -> None:
    """Publish what was found, sealed."""
    publish(path, sealed(save({name: tensor.contiguous() for name, tensor in found.items()}, SEAL)))


def nobody(done: int, total: int) -> None:
    """Progress that is told to nobody."""


def sample(desk: Workbench, victim: str, sampler: str, query_seed: int, budget: int, progress: Progress = nobody) -> Queries:
    """The queries that `budget` buys; only the victim is asked."""
    parts: list[Queries] = []
    for part in desk.queries(victim, Scheme.of_sampler(sampler), query_seed, budget):
        parts.append(part)
        progress(min(sum(map(len, parts)), budget), budget)
    return concatenate(parts).take(budget)


def query_set(desk: Workbench, queries: Queries, victim: str, suspect: str, sampler: str) -> dict[str, Tensor]:
    """What is shown of some queries.

    Returns:
        s queries: `pixels` (s,H,W,3) float16, `seed_pixels` (s,H,W,3) uint8, `group`, `seed`, `truth` (-1: none) (s,),
        `places` (s,5) where images were cut out of photographs, `victim` and `suspect` (s,C) probabilities,
        `victim_on_seed` and `suspect_on_seed` (s,) labels;
        `partner_pixels` and `box` (s,4) where images were blended (a box of no width: this one was not);
        `masks` (s,S) and `segments` (groups,H,W) where superpixels were switched.
    """
    images = desk.images(Scheme.of_sampler(sampler).split)
    truth = torch.full_like(queries.seed, -1) if queries.truth is None else queries.truth
    found = {
        "pixels": queries.x.permute(0, 2, 3, 1).half(),
        "seed_pixels": images.pixels[queries.seed].permute(0, 2, 3, 1),
        "group": queries.group,
        "seed": queries.seed,
        "truth": truth,
    }
    if images.places is not None:
        found["places"] = images.places[queries.seed]
    used, place = queries.seed.unique(return_inverse=True)
    for role, model in (("victim", victim), ("suspect", suspect)):
        oracle = desk.oracle(model)
        found[role] = oracle.probits(queries.x)
        found[f"{role}_on_seed"] = oracle.labels(images.pixels[used].float() / 255)[place]
    if "partner" in queries.aux:
        partner = queries.aux["partner"]
        found |= {"partner_pixels": images.pixels[partner].permute(0, 2, 3, 1), "box": queries.aux["box"]}
    if "masks" in queries.aux:
        found |= {"masks": queries.aux["masks"], "segments": queries.aux["segments"].short()}
    return found


def facts(benchmark: str, victim: str, suspect: str, samplers: Iterable[str], query_seed: int, budget: int) -> pd.DataFrame:
    """What the Queries page tells of every card: rows of `query_sets.FACTS` for each sampler, with classes by name.

    Queries beyond the budget are there too, as on the page, and are not `kept`.
    """
    bench = base.benchmark(benchmark)
    desk, tables = desk_of(str(default_folder()), bench.whole)[0], []
    for sampler in samplers:
        queries = sample(desk, victim, sampler, query_seed, size_for(budget))
        found = {name: tensor.numpy() for name, tensor in query_set(desk, queries, victim, suspect, sampler).items()}
        tables.append(as_queries(found, sampler, bench.classes).export(budget))
    return pd.concat(tables, ignore_index=True).assign(victim_model=victim, suspect_model=suspect, query_seed=query_seed)


def looked_at(oracle: Oracle, x: Tensor, look: Look, progress: Progress = nobody) -> Tensor:
    """(n,H,W) how much each pixel counted for the model's answer, summed over colours, by captum."""
    from captum.attr import IntegratedGradients, Occlusion, Saliency  # with matplotlib: 40 MB that few runs need

    def asked(image: Tensor) -> Tensor:
        """The answers as captum asks for them, differentiable with respect to the image."""
        return _Answers.apply(image, oracle)

    goal = oracle.labels(x)
    methods: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "integrated_gradients": lambda image, label: IntegratedGradients(asked).attribute(
            image, GREY, target=label, n_steps=STEPS
        ),
        "saliency": lambda image, label: Saliency(asked).attribute(image.clone().requires_grad_(), target=label),
        "occlusion": lambda image, label: Occlusion(asked).attribute(
            image,
            sliding_window_shapes=(3, WINDOW, WINDOW),
            strides=(3, STRIDE, STRIDE),
            baselines=GREY,
            target=label,
            perturbations_per_eval=64,
        ),
    }
    found = []
    for number in range(len(x)):
        one = slice(number, number + 1)
        found.append(methods[look](x[one], goal[one]).detach().abs().sum(1))
        progress(number + 1, len(x))
    return torch.cat(found) if found else torch.zeros(0, *x.shape[2:])


class _Answers(torch.autograd.Function):
    """Keeps every pass in the oracle, which checks and counts them."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, oracle: Oracle) -> Tensor:
        inside = x.float().clamp(0, 1)  # a sum of weights may carry an image a hair's breadth past its bounds
        ctx.save_for_backward(inside)
        ctx.oracle = oracle
        return oracle.logits(inside)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, wanted: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        gradient, _ = ctx.oracle.gradient(lambda logits: (logits * wanted).sum(), x)
        return gradient, None
