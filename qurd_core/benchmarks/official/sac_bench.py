"""SACBench (Guan, Liang, He 2022), as the QuRD paper uses it: one VGG16 on CIFAR10 and what was made from it.

The unrelated models of the transfer task were trained on corrupted images of CIFAR10's *test* set, from which queries are
drawn: that task is easy for a reason that has nothing to do with fingerprints.
"""

from dataclasses import replace
from typing import Literal

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.official.data_sets import CIFAR10
from qurd_core.benchmarks.official.hub import HubModel
from qurd_core.benchmarks.official.hub_source import HubSource, Models, chosen, fetch_all, repository
from qurd_core.benchmarks.own.kinship import pairs_by_lineage
from qurd_core.lineage import Lineage
from qurd_core.registry import benchmarks
from qurd_core.runtime import Track
from qurd_core.types import Pair

Listing = Literal["paper", "head"]

VICTIM = "train(vgg_model,CIFAR10,base)"
NETWORKS = ("vgg13", "resnet18", "densenet121", "mobilenet_v2")
SEEDS = 5
TASKS = {"fineprune": "prune"}
ARCHITECTURES = {"vgg_model": "vgg16_bn"}  # the others are named as torchvision names them
NORMALISATION = {
    "CIFAR10": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "CIFAR10C": ((0.4646, 0.6515, 0.5637), (0.1842, 0.3152, 0.2613)),
    "CIFAR100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
}


def names(listing: Listing) -> list[str]:
    """The models: 121 in the paper's run; the authors' latest code lists ten more, transferred to CIFAR100."""
    unrelated = [f"train({net},CIFAR10,{seed})" for net, seed in _numbered(NETWORKS)]
    corrupted = [f"train({net},CIFAR10C,{seed})" for net, seed in _numbered(("vgg16_bn", "resnet18"))]
    steps = [f"finetune({seed})" for seed in range(10)]
    steps += [f"transfer(CIFAR100,{seed})" for seed in range(10) if listing == "head"]
    steps += [f"transfer(CIFAR10C,{seed})" for seed in range(10)]
    steps += [f"fineprune({seed})" for seed in range(10)]
    for task in ("label_extraction", "adv_label_extraction", "probit_extraction"):
        steps += [f"{task}({net},{seed})" for net, seed in _numbered(NETWORKS)]
    return [VICTIM, *unrelated, *corrupted, *(f"{VICTIM}->{step}" for step in steps)]


def hub_models(listing: Listing) -> dict[str, HubModel]:
    """Where each model lies."""
    return {name: _hub_model(Lineage.parse(name)) for name in names(listing)}


def _fetch(track: Track, *, listing: Listing, **_: object) -> object:
    return fetch_all(hub_models(listing), CIFAR10, track)


@benchmarks.register(name="sacbench-cifar10", fetch=_fetch)
def sacbench_cifar10(*, listing: Listing = "paper", models: Models = "all") -> Benchmark:
    """The official SACBench on CIFAR10: 121 models of the hub (131 with listing=head), fetched once."""
    found = chosen(hub_models(listing), models)
    lineages = {name: Lineage.parse(name) for name in found}
    options = [f"listing={listing}"] * (listing != "paper") + [f"models={models}"] * (models != "all")
    name = "sacbench-cifar10" + (f"({','.join(options)})" if options else "")
    pairs = tuple(map(_served, pairs_by_lineage(lineages, TASKS)))
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    return Benchmark(name, classes, pairs, tuple(found), HubSource(found, lineages, CIFAR10))


def _served(pair: Pair) -> Pair:
    """Models of corrupted images stand against transferred ones only, and the others against all but these."""
    if pair.kind == "positive":
        return pair
    corrupted = _data(Lineage.parse(pair.suspect)) == "CIFAR10C"
    return replace(pair, tasks=tuple(task for task in pair.tasks if (task == "transfer") == corrupted))


def _hub_model(lineage: Lineage) -> HubModel:
    calls = lineage.chain.calls
    network = next(call.args[0] for call in reversed(calls) if call.name == "train" or call.name.endswith("extraction"))
    mean, std = NORMALISATION[_data(lineage)]
    return HubModel(repository("SACBenchmark", str(lineage)), ARCHITECTURES.get(network, network), mean, std)


def _data(lineage: Lineage) -> str:
    """What the model was trained on last."""
    last = lineage.last
    return last.args[0] if last.name == "transfer" else lineage.root.last.args[1]


def _numbered(networks: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(net, SEEDS * row + seed) for row, net in enumerate(networks) for seed in range(SEEDS)]
