"""How much faster than the plain way: python -m tests.benchmarks.plain [--seeds N] (`plain_sweep` compares the sweep)

The plain way loads a model for every pair, asks it once per representation and budget in batches of 64, and crafts one
image at a time (`one_at_a_time`). Representations and detectors are ours, one suspect and one budget at a time. Such a loop
can be written with more or less care, so three are compared, each with the costs of the one before it:

* careful: crafts once per sampler, at the largest budget, and keeps each victim's answers
* a query set per budget: looks for seeds and crafts at every budget anew, as the authors' folders are laid out
* a loop over pairs: also loads and asks the victim in every pair, as a function of two models and the queries would

Both sides use one thread. The plain side is given in CPU seconds, which other programs on the machine change least, and
`run` also from its start to its end, which includes what it waits for the disk.

The plain side is measured with one query seed, budgets 20 and 100 and ten suspects of every victim, and scaled to the full
run: crafting by the gradient passes (or images) that the full run counted, loads by pairs, answers and distances by pairs
and along a straight line through the two budgets, or through zero where a budget of 20 buys nothing.
"""

import argparse
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from qurd_core.benchmarks.patchwork.protocol import FOLDER, WORLD
from qurd_core.benchmarks.zoo.models import load as load_model
from qurd_core.evaluation.pipeline import Request, request
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.randomness import stream
from qurd_core.registry import detectors, representations
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from qurd_core.types import Answers, Prefixes, Queries, seeds_as_queries
from tests.benchmarks.clock import BUDGETS, SIX, load, run_command, show, timed
from tests.benchmarks.one_at_a_time import CRAFTS

SMALL, LARGE = MEASURED = (20, 100)
SUSPECTS = 10
BATCH = 64
PARTS = ("seeds", "crafting", "loading", "asking", "representing", "comparing")
WAYS = {"careful": (), "a query set per budget": ("smaller sets",), "a loop over pairs": ("smaller sets", "victim again")}

T = TypeVar("T")


class Stopwatch:
    """Measured CPU seconds of the plain way, by what was done."""

    def __init__(self) -> None:
        self.seconds: dict[object, list[float]] = defaultdict(list)

    def __call__(self, name: object, work: Callable[[], T]) -> T:
        started = time.process_time()
        result = work()
        self.seconds[name].append(time.process_time() - started)
        return result

    def mean(self, *name: object) -> float:
        return statistics.fmean(self.seconds[name]) if name in self.seconds else 0.0

    def over(self, budgets: Iterable[int], *name: object) -> float:
        """Seconds for one pair at all these budgets, on the line through what was measured at two."""
        small, large = (self.mean(*name, budget) for budget in MEASURED)
        if not small:
            return sum(large * budget / LARGE for budget in budgets)
        return sum(max(small + (large - small) * (budget - SMALL) / (LARGE - SMALL), 0.0) for budget in budgets)


def plain_model(name: str) -> nn.Module:
    return load_model(FOLDER, name, WORLD).eval().requires_grad_(False)


@torch.no_grad()
def ask(model: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([model(batch) for batch in x.split(BATCH)])


def craft(clock: Stopwatch, scheme: Scheme, desk: Workbench, victim: str) -> Queries:
    """The scheme's queries at the larger budget, one image after the other; notes seconds per gradient pass or image."""
    pool, draw = desk.draw(victim, scheme, 0)
    module, name = plain_model(victim), scheme.craft.name
    if scheme.seeds.name == "negative":
        clock(("seeds",), lambda: ask(module, pool.images(torch.arange(len(pool)))))
    count = LARGE // 2 if name == "cutmix" else LARGE // scheme.group_size
    seeds = seeds_as_queries(pool, draw.indices[:count])
    queries = clock(("all crafting", name), lambda: CRAFTS[name](module, seeds, stream(0, "plain", name)))
    passes = int(queries.per_group("gradients").sum()) or len(queries)
    clock.seconds["crafting", name].append(clock.seconds["all crafting", name][-1] / passes)
    return queries


def face(clock: Stopwatch, schemes: list[Scheme], queries: Queries, victim: str, suspects: list[str]) -> None:
    """Load every suspect, ask it, represent its answers and compare them, at each budget by itself."""
    module, sets = plain_model(victim), {}
    heads = {scheme.head: scheme for scheme in schemes}
    for budget in MEASURED:
        if queries.prefix(budget):
            taken = queries.take(budget)
            logits = ask(module, taken.x)
            sets[budget] = taken, {head: represent(scheme, taken, logits) for head, scheme in heads.items()}
    for suspect in suspects:
        module = clock(("loading",), lambda name=suspect: plain_model(name))
        for budget, (taken, ours) in sets.items():
            logits = clock(("asking", budget), lambda m=module, x=taken.x: ask(m, x))
            for head, scheme in heads.items():
                name = str(scheme.representation)
                theirs = clock(("representing", name, budget), lambda s=scheme, q=taken, z=logits: represent(s, q, z))
                clock(("comparing", head, budget), lambda s=scheme, z=ours[head], y=theirs: compare(s, z, y))


def represent(scheme: Scheme, queries: Queries, logits: Tensor) -> Tensor:
    """The representation of one model, (1,...)."""
    component = representations[scheme.representation.name]
    return component.function(Answers(queries, scheme.access, logits[None]), **component.bind(scheme.representation))


def compare(scheme: Scheme, victim: Tensor, suspect: Tensor) -> Tensor:
    """The distance of one suspect at one budget."""
    compared, detector = representations[scheme.representation.name].declares, detectors[scheme.detector.name]
    prefixes = Prefixes((suspect.shape[1],), compared.square, compared.whole)
    return detector.function(victim[0], suspect, prefixes, **detector.bind(scheme.detector))


def spread(desk: Workbench, victim: str) -> list[str]:
    """Ten suspects, in which the architectures have the shares that they have in all."""
    every = sorted(desk.models(victim)[1:], key=lambda name: desk.bench.record(name)["architecture"])
    return [every[(2 * place + 1) * len(every) // (2 * SUSPECTS)] for place in range(SUSPECTS)]


def six(asked: Request, desk: Workbench) -> dict[str, Counter[str]]:
    """Seconds that the request would take the plain way: every scheme, by part."""
    total = {scheme.name: Counter() for scheme in asked.schemes}
    for scheme in asked.schemes:
        for victim in asked.bench.victims:
            clock = Stopwatch()
            queries = craft(clock, scheme, desk, victim)
            face(clock, [scheme], queries, victim, spread(desk, victim))
            for query_seed in range(asked.seeds):
                total[scheme.name] += scaled(clock, asked, desk, scheme, victim, query_seed)
    return total


def scaled(clock: Stopwatch, asked: Request, desk: Workbench, scheme: Scheme, victim: str, query_seed: int) -> Counter[str]:
    """Seconds for one victim and query seed with all suspects and budgets."""
    found, pairs = desk.scores(victim, [scheme], query_seed, asked.budgets)[scheme], len(asked.pairs(victim))
    bought = [images for images in found["used"].tolist() if images]
    passes = found["gradients" if found["gradients"].any() else "used"]
    seeds = clock.mean("seeds") if scheme.seeds.name == "negative" else 0.0
    loading = clock.mean("loading") * pairs
    asking = clock.over(bought, "asking") * pairs
    representing = clock.over(bought, "representing", str(scheme.representation)) * pairs
    craft = clock.mean("crafting", scheme.craft.name)
    return Counter(
        {
            "seeds": seeds,
            "crafting": craft * int(passes.max()),
            "loading": loading,
            "asking": asking,
            "representing": representing,
            "comparing": clock.over(bought, "comparing", scheme.head) * pairs,
            "smaller sets": seeds * (len(bought) - 1) + craft * int(passes.sum() - passes.max()),
            "victim again": loading + asking + representing,
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    asked = request("patchwork-sac", SIX, budgets=BUDGETS, seeds=options.seeds)
    ours = {}
    with tempfile.TemporaryDirectory() as name:
        for workers in (1, 2):
            command = run_command(Path(name, str(workers)), seeds=options.seeds, budgets=BUDGETS, workers=workers)
            ours[workers] = timed(command, threads=1)
        by_scheme = six(asked, workbench(asked.bench, Store(Path(name, "1")), Runtime(batch_size=BATCH)))
    every = sum(by_scheme.values(), Counter())
    print(f"patchwork-sac, six schemes, {options.seeds} query seeds, budgets {list(BUDGETS)}; {load()}")
    columns = (*PARTS, "smaller sets", "victim again")
    show(
        "the plain way, CPU s (one query seed, budgets 20 and 100, ten suspects per victim; scaled to the full run)",
        ("scheme", *columns),
        [(scheme, *(parts[part] for part in columns)) for scheme, parts in by_scheme.items()],
    )
    rows = []
    for way, more in WAYS.items():
        plain = sum(every[part] for part in (*PARTS, *more))
        for name, run, target in (("one thread", ours[1], ">= 4"), ("two workers", ours[2], ">= 8")):
            rows.append((f"{way}, {name}", plain, run.seconds, plain / run.seconds, target, run.cpu, plain / run.cpu))
    show(
        "six schemes (`run` measured in full from an empty store; the plain side scaled as above)",
        ("", "plain, CPU s", "run, s", "ratio", "target", "run, CPU s", "ratio"),
        rows,
    )


if __name__ == "__main__":
    main()
