"""patchwork-sac: the SACBench protocol (Guan, Liang, He 2022) made sound, on Patchwork.

Three victims instead of one; 40 unrelated models instead of 20, trained on the thieves' images; the transfer task's
unrelated models trained on the same images as its thieves; queries taken from images that no model saw.
"""

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.patchwork.protocol import hard_unrelated, patchwork, unrelated
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES
from qurd_core.benchmarks.zoo.models import canonical
from qurd_core.benchmarks.zoo.shipped import positives
from qurd_core.registry import benchmarks
from qurd_core.types import Pair

VICTIMS = ("vgg", "res", "dense")
COPIES = range(5)  # of finetune and transfer per victim
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)  # of channels removed by fine-pruning
STUDENTS = [(arch, seed) for arch in ARCHITECTURES for seed in range(2)]
STOLEN = {
    "same": [""],
    "finetune": [f"finetune(seed={seed})" for seed in COPIES],
    "transfer": [f"transfer(jittered,seed={seed})" for seed in COPIES],
    "prune": [f"fine_prune({share})" for share in SHARES],
    "probit_extraction": [f"probit_extraction({arch},seed={seed})" for arch, seed in STUDENTS],
    "label_extraction": [f"label_extraction({arch},seed={seed})" for arch, seed in STUDENTS],
    "adv_label_extraction": [f"adv_label_extraction({arch},seed={seed})" for arch, seed in STUDENTS],
    "labelfew": [f"label_extraction({arch},per_photo=70)" for arch in ARCHITECTURES],
    "labeltrain": [f"label_extraction({arch},region=victim)" for arch in ARCHITECTURES],
    "labelood": [f"label_extraction({arch},region=mono)" for arch in ARCHITECTURES],
}
OWN_DOMAIN = tuple(task for task in STOLEN if task != "transfer")


@benchmarks.register(name="patchwork-sac")
def patchwork_sac() -> Benchmark:
    """SACBench's protocol with three victims and ten tasks, on patches of photographs."""
    return patchwork("patchwork-sac", [pair for arch in VICTIMS for pair in _pairs(arch)])


def _pairs(arch: str) -> list[Pair]:
    victim = canonical(f"train({arch},victim)")
    shifted = [canonical(f"train({arch},jittered,seed={seed})") for arch in ARCHITECTURES for seed in range(5)]
    return [
        *positives(victim, STOLEN),
        *(Pair(victim, name, "negative", OWN_DOMAIN) for name in unrelated()),
        *(Pair(victim, name, "negative", ("transfer",)) for name in shifted),
        *(Pair(victim, name, "hard", OWN_DOMAIN) for name in hard_unrelated(arch)),
    ]
