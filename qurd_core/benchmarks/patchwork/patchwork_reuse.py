"""patchwork-reuse: the ModelReuse protocol (Li et al. 2021) on Patchwork.

Eight victims: two architectures, each transferred from a pretrained model with three ratios or trained from scratch. Thieves
query on the victim's own patches, as ModelReuse's do; `steal` is label extraction and `distill` probit extraction, and
neither reads the truth (the official ones differ: `steal` there learns probits, `distill` truth and activations).
"""

from typing import Literal

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.patchwork.protocol import hard_unrelated, patchwork, unrelated
from qurd_core.benchmarks.zoo.models import canonical
from qurd_core.benchmarks.zoo.shipped import positives
from qurd_core.lineage import Lineage
from qurd_core.registry import benchmarks
from qurd_core.types import Pair

NETWORKS = ("mb", "res")
RATIOS = (0.1, 0.5, 1.0)  # of the parameter tensors trained in the transfer
PRUNED = [f"prune({ratio})" for ratio in (0.2, 0.5, 0.8)]
QUANTIZED = [f"quantize({dtype})" for dtype in ("float16", "qint8")]
STEALS = [f"label_extraction({arch},region=victim)" for arch in NETWORKS]
TASKS = ("same", "prune", "quantize", "label_extraction", "probit_extraction")


@benchmarks.register(name="patchwork-reuse")
def patchwork_reuse(*, negatives: Literal["pool", "lineage"] = "pool") -> Benchmark:
    """ModelReuse's protocol with eight victims; unrelated models from the pool or by the paper's lineage rule."""
    victims = [(arch, canonical(text)) for arch in NETWORKS for text in _victims(arch)]
    stolen = [pair for arch, victim in victims for pair in positives(victim, _stolen(arch))]
    if negatives == "pool":
        name = "patchwork-reuse"
        others = [Pair(victim, model, "negative", TASKS) for _, victim in victims for model in unrelated()]
    else:
        name = "patchwork-reuse(negatives=lineage)"
        every = dict.fromkeys(pair.suspect for pair in stolen)
        others = [
            Pair(victim, model, "negative", TASKS) for _, victim in victims for model in every if _unrelated(victim, model)
        ]
    hard = [Pair(victim, model, "hard", TASKS) for arch, victim in victims for model in hard_unrelated(arch)]
    return patchwork(name, stolen + others + hard)


def _victims(arch: str) -> list[str]:
    return [f"train({arch},public)->transfer(victim,ratio={ratio})" for ratio in RATIOS] + [f"train({arch},victim)"]


def _stolen(arch: str) -> dict[str, list[str]]:
    distilled = [f"probit_extraction({arch},region=victim)"]
    return dict(zip(TASKS, ([""], PRUNED, QUANTIZED, STEALS, distilled), strict=True))


def _unrelated(victim: str, suspect: str) -> bool:
    """The paper's rule: no common root, where a thief's student counts with the model that it copied."""
    return Lineage.parse(victim).root != Lineage.parse(suspect).root
