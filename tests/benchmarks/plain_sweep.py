"""How much faster the sweep of all combinations is than the plain way: python -m tests.benchmarks.plain_sweep

What the plain way is, and how it is scaled, `plain` says; its answers and distances are measured per representation and
detector on one query set that each can read. Ours is measured in this process on one thread, for one victim and one query
seed with an empty store, in CPU seconds like the plain side. Both sides are scaled by the number of victims and query seeds;
the answers on the natural images, which ours computes once for all query seeds, by the number of models. The table of rates
at the end is on neither side.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

from qurd_core.evaluation.pipeline import Request, request
from qurd_core.evaluation.sweep import fitting
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.records.rate_records import BUDGETS
from qurd_core.registry import crafts, representations
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from tests.benchmarks.clock import load, show
from tests.benchmarks.plain import BATCH, PARTS, Stopwatch, craft, face, scaled, spread

SEEDS = 5


def by_sampler(schemes: tuple[Scheme, ...]) -> dict[str, list[Scheme]]:
    found: dict[str, list[Scheme]] = {}
    for scheme in schemes:
        found.setdefault(str(scheme.sampler), []).append(scheme)
    return found


def ours(asked: Request, desk: Workbench, victim: str) -> tuple[float, dict[str, float]]:
    """Seconds for the natural images of the victim's models, and for the query sets and scores of each sampler."""
    started = time.process_time()
    for split in desk.bench.splits:
        for model in desk.models(victim):
            desk.natural(model, split)
    bank, seconds = time.process_time() - started, {}
    for sampler, schemes in by_sampler(asked.schemes).items():
        started = time.process_time()
        desk.scores(victim, schemes, 0, asked.budgets)
        seconds[sampler] = time.process_time() - started
    return bank, seconds


def measure(asked: Request, desk: Workbench, victim: str) -> Stopwatch:
    """The plain way of every craft, and of every representation and detector on the queries of one that suits it."""
    clock, suspects = Stopwatch(), spread(desk, victim)
    for name in crafts:
        first = next(scheme for scheme in asked.schemes if scheme.craft.name == name)
        queries = craft(clock, first, desk, victim)
        suited = [scheme for scheme in asked.schemes if scheme.craft.name == name and _home(scheme) == name]
        if suited:
            face(clock, suited, queries, victim, suspects)
    return clock


def plain(asked: Request, desk: Workbench, victim: str, clock: Stopwatch) -> Counter[str]:
    """Seconds for one victim and query seed: crafting per sampler, asking per representation, distances per combination."""
    total = Counter()
    for schemes in by_sampler(asked.schemes).values():
        for number, scheme in enumerate(schemes):
            parts = scaled(clock, asked, desk, scheme, victim, 0)
            known = [other.representation for other in schemes[:number]]
            once = ("seeds", "crafting") if number else ()
            again = ("loading", "asking", "representing") if scheme.representation in known else ()
            total += Counter({part: seconds for part, seconds in parts.items() if part not in (*once, *again)})
    return total


def _home(scheme: Scheme) -> str:
    """The craft on whose queries a representation is measured."""
    needs = representations[scheme.representation.name].declares.needs
    return "pgd" if "pairs" in needs else "superpixels" if "masks" in needs else "identity"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--victim", type=int, default=0, help="place of the victim in the benchmark")
    options = parser.parse_args()
    torch.set_num_threads(1)
    asked = request("patchwork-sac", [str(scheme) for scheme in fitting()], budgets=BUDGETS, seeds=1)
    bench = asked.bench
    victim = bench.victims[options.victim]
    with tempfile.TemporaryDirectory() as folder:
        desk = workbench(bench, Store(Path(folder)), Runtime(batch_size=BATCH))
        bank, seconds = ours(asked, desk, victim)
        parts = plain(asked, desk, victim, measure(asked, desk, victim))
    sets = len(bench.victims) * SEEDS
    bank *= len(bench.models) / len(desk.models(victim))
    total, slow = bank + sum(seconds.values()) * sets, sum(parts.values()) * sets
    blank = [""] * len(PARTS)
    print(f"patchwork-sac, {len(asked.schemes)} combinations, {len(BUDGETS)} budgets, victim {victim}; {load()}")
    show(
        "ours, CPU s, one victim and query seed (measured)",
        ("sampler", "combinations", "s"),
        [(name, len(schemes), seconds[name]) for name, schemes in by_sampler(asked.schemes).items()],
    )
    show(
        f"all combinations, {sets} query sets each, one thread (both sides scaled, ours + natural images)",
        ("", *PARTS, "all"),
        [
            ("plain, CPU s", *(parts[part] * sets for part in PARTS), slow),
            ("ours, CPU s", *blank, total),
            ("of it natural images", *blank, bank),
            ("ratio (target >= 40)", *blank, slow / total),
        ],
    )


if __name__ == "__main__":
    main()
