"""How the planner bears a million units: python -m tests.benchmarks.scale planner

Scratch first version.
"""

import hashlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
import tempfile

from qurd_core.benchmarks.base import Benchmark, Source
from qurd_core.evaluation.plan import plan
from qurd_core.evaluation.request import Request
from qurd_core.evaluation.timing.clock import Peak
from qurd_core.evaluation.workbench import Workbench
from qurd_core.lineage import Lineage
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from qurd_core.types import Pair
from tests.toy import Toy


class Many(Toy):
    def digest(self, model):
        return hashlib.sha256(model.encode()).hexdigest()


def many(victims, suspects):
    names = [f"train(vgg,victim,seed={n})" for n in range(victims)]
    strangers = [f"train(vgg,attacker,seed={n})" for n in range(suspects)]
    pairs = tuple(
        pair
        for victim in names
        for pair in (
            Pair(victim, victim, "positive", ("same",)),
            *(Pair(victim, name, "negative", ("same",)) for name in strangers),
        )
    )
    return Benchmark("many", ("a", "b", "c"), pairs, tuple(names + strangers), Many())


def main():
    victims, suspects, samplers, seeds = map(int, sys.argv[1:5])
    natural = sys.argv[5] == "natural"
    t = time.perf_counter()
    bench = many(victims, suspects)
    print("bench", round(time.perf_counter() - t, 2), "s", Peak()() // 10**6, "MB now")
    texts = (
        [f"uniform({s}) | labels | hamming" for s in ("test", "train")][:samplers]
        if natural
        else [f"uniform(test)->pgd(steps={n + 1}) | labels | hamming" for n in range(samplers)]
    )
    schemes = tuple(Scheme.parse(text) for text in texts)
    asked = Request(bench, schemes, (100,), seeds, ("same",))
    with tempfile.TemporaryDirectory(dir="/tmp/speed") as folder:
        desk = Workbench(bench, Store(Path(folder)), Runtime())
        peak = Peak()
        t = time.perf_counter()
        units = plan(asked, desk)
        print(len(units), "units", round(time.perf_counter() - t, 2), "s", peak() // 10**6, "MB peak")


if __name__ == "__main__":
    main()
