"""fashion-sac: the SACBench protocol (Guan, Liang, He 2022) made sound, on Fashion-MNIST.

Twelve independent victims instead of one, which exact tests over victims need to tell schemes apart; to one another they are
hard unrelated models. Sixty unrelated lineages, half of them weak: a pool of strong models accuses weak innocents.
"""

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.fashion.making import world
from qurd_core.benchmarks.fashion.names import CLASSES, DRAWS
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES
from qurd_core.benchmarks.zoo.models import Zoo
from qurd_core.benchmarks.zoo.shipped import Shipped, positives, trained
from qurd_core.files import ASSETS
from qurd_core.registry import benchmarks
from qurd_core.types import Pair

FOLDER = ASSETS / "fashion"
SPLITS = {"train": "train", "test": "test", "noise": "noise"}  # split of a seed set -> region
FULL_SEEDS, WEAK, SHIFTED_SEEDS = 7, 4, 5  # unrelated models per architecture; `WEAK` of a quarter and of a tenth each
SHIFTED = "transfer"  # the task whose unrelated models are of its own
OWN_DOMAIN = (
    *("same", "quantize", "finetune", "prune", "probit_extraction", "label_extraction", "adv_label_extraction"),
    *("labelfew", "labeltrain", "labelood"),
)


@benchmarks.register(name="fashion-sac")
def fashion_sac() -> Benchmark:
    """SACBench's protocol with twelve victims and eleven tasks, on pictures of clothes."""
    victims = [trained(arch, f"victim{draw}") for arch in ARCHITECTURES for draw in range(1, DRAWS + 1)]
    pairs = []
    for number, victim in enumerate(victims):
        pairs += [*positives(victim, stolen(number)), *unrelated_pairs(victim, victims, OWN_DOMAIN)]
    return bench_of("fashion-sac", pairs)


def bench_of(name: str, pairs: list[Pair]) -> Benchmark:
    """A benchmark on the models that ship."""
    names = tuple(dict.fromkeys(model for pair in pairs for model in (pair.victim, pair.suspect)))
    mend = "restore them, or run 'build fashion'."
    source = Shipped(Zoo(FOLDER, world(FOLDER)), SPLITS, len(CLASSES), mend)
    return Benchmark(name, CLASSES, tuple(pairs), names, source)


def unrelated() -> list[str]:
    """Sixty independent models trained on the truth of the attacker region: 28 on all, 16 on a quarter, 16 on a tenth."""
    full = [trained(arch, "attacker", seed=seed) for arch in ARCHITECTURES for seed in range(FULL_SEEDS)]
    parts = [f"{share}{n}" for share in ("quarter", "tenth") for n in range(1, WEAK + 1)]
    return full + [trained(arch, part) for part in parts for arch in ARCHITECTURES]


def unrelated_pairs(victim: str, victims: list[str], tasks: tuple[str, ...]) -> list[Pair]:
    """The unrelated models of a victim for some tasks, those of the transfer task, and the other victims as hard ones."""
    shifted = [trained(arch, "jittered", seed=seed) for arch in ARCHITECTURES for seed in range(SHIFTED_SEEDS)]
    return [
        *(Pair(victim, name, "negative", tasks) for name in unrelated()),
        *(Pair(victim, name, "negative", (SHIFTED,)) for name in shifted),
        *(Pair(victim, name, "hard", tasks) for name in victims if name != victim),
    ]


def stolen(number: int) -> dict[str, list[str]]:
    """Steps after a victim by task. Where not all architectures have a student, each victim's have another one."""
    one, other = (ARCHITECTURES[(number + step) % len(ARCHITECTURES)] for step in (0, 2))
    return {
        "same": [""],
        "quantize": ["quantize(qint8)", "quantize(int4)"],
        "finetune": [f"finetune(seed={seed})" for seed in range(2)],
        SHIFTED: [f"transfer(jittered,seed={seed})" for seed in range(2)],
        "prune": [f"fine_prune({share})" for share in (0.2, 0.4)],
        "probit_extraction": [f"probit_extraction({arch})" for arch in ARCHITECTURES],
        "label_extraction": [f"label_extraction({arch})" for arch in ARCHITECTURES],
        "adv_label_extraction": [f"adv_label_extraction({arch})" for arch in (one, other)],
        "labelfew": [f"label_extraction({one},region=few)"],
        "labeltrain": [f"label_extraction({other},region=victim)"],
        "labelood": [f"label_extraction({one},region=cutouts)"],
    }
