"""fashion-sac-grid: every theft of fashion-sac, and two without clothes, each followed by what may hide it.

One victim per architecture. With all obfuscations as further columns it is the grid that `qurd grid` measures.
"""

from typing import Literal

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.fashion.fashion_sac import SHIFTED, bench_of, stolen, unrelated_pairs
from qurd_core.benchmarks.fashion.names import DRAWS
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES
from qurd_core.benchmarks.zoo.shipped import positives, trained
from qurd_core.registry import benchmarks

Hiding = Literal["none", "finetune", "prune", "filter_prune", "qint8", "int4"]
_STEPS: dict[Hiding, str] = {
    "none": "",
    "finetune": "finetune",
    "prune": "fine_prune(0.2)",
    "filter_prune": "filter_prune(0.2)",
    "qint8": "quantize(qint8)",
    "int4": "quantize(int4)",
}


@benchmarks.register(name="fashion-sac-grid", vary=("hiding",))
def fashion_sac_grid(*, hiding: Hiding = "none") -> Benchmark:
    """Thirteen thefts of four victims on pictures of clothes, each followed by one step that may hide it."""
    victims = [trained(arch, "victim1") for arch in ARCHITECTURES]
    name = benchmarks["fashion-sac-grid"].call({"hiding": hiding})
    step = _STEPS[hiding]
    pairs = []
    for number, victim in enumerate(victims):
        hidden = {task: ["->".join(filter(None, (theft, step)))] for task, theft in _thefts(number).items()}
        own_domain = tuple(task for task in hidden if task != SHIFTED)
        pairs += [*positives(victim, hidden), *unrelated_pairs(victim, victims, own_domain)]
    return bench_of(str(name), pairs)


def _thefts(number: int) -> dict[str, str]:
    """A step by task: the first of fashion-sac. Where every architecture has a student, each victim's is another one."""
    every = stolen(number * DRAWS)
    first = {task: steps[number if len(steps) == len(ARCHITECTURES) else 0] for task, steps in every.items()}
    other = ARCHITECTURES[(number + 1) % len(ARCHITECTURES)]
    return first | {"knockoff": f"knockoff({other},region=cutouts)", "datafree": f"data_free({other})"}
