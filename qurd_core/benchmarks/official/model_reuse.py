"""ModelReuse (Li et al. 2021), as the QuRD paper uses it: 68 models on Flower102 and as many on SDog120.

Eight victims: two networks of ImageNet, each transferred with three ratios, and two trained from scratch. The paper files
`steal` under label extraction and `distill` under probit extraction; the authors' training code learns probits in the first
and the truth with the victim's activations in the second.
"""

from functools import partial

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.official.data_sets import FLOWER102, SDOG120, DataSet
from qurd_core.benchmarks.official.hub import HubModel
from qurd_core.benchmarks.official.hub_source import HubSource, Models, chosen, fetch_all, repository
from qurd_core.benchmarks.own.kinship import pairs_by_lineage
from qurd_core.lineage import Lineage
from qurd_core.registry import benchmarks
from qurd_core.runtime import Track

NETWORKS = ("mbnetv2", "resnet18")
RATIOS = (0.1, 0.5, 1.0)  # of the parameter tensors trained in the transfer
PRUNED = [f"prune({ratio})" for ratio in (0.2, 0.5, 0.8)]
QUANTISED = [f"quantize({dtype})" for dtype in ("float16", "qint8")]  # of the transferred victims only
COPIED = [*(f"steal({network})" for network in NETWORKS), "distill"]
TASKS = {"steal": "label_extraction", "distill": "probit_extraction"}


def names(data: str) -> list[str]:
    """The models of a data set, every victim followed by what was made from it."""
    transferred = [f"pretrain({net},imagenet-1k)->transfer({data},{ratio})" for net in NETWORKS for ratio in RATIOS]
    found = [name for victim in transferred for name in _family(victim, [*PRUNED, *QUANTISED, *COPIED])]
    return found + [name for net in NETWORKS for name in _family(f"train({net},{data})", [*PRUNED, *COPIED])]


def hub_models(data: str) -> dict[str, HubModel]:
    """Where each model lies. Quantised ones are made from their parent when they are loaded, as the authors do."""
    return {name: _hub_model(Lineage.parse(name)) for name in names(data)}


def _fetch(data: DataSet, track: Track, **_: object) -> object:
    return fetch_all(hub_models(data.name), data, track)


@benchmarks.register(name="modelreuse-flower102", fetch=partial(_fetch, FLOWER102))
def modelreuse_flower102(*, models: Models = "all") -> Benchmark:
    """The official ModelReuse on Flower102: 68 models of the hub, fetched once."""
    return _benchmark("modelreuse-flower102", FLOWER102, models)


@benchmarks.register(name="modelreuse-sdog120", fetch=partial(_fetch, SDOG120))
def modelreuse_sdog120(*, models: Models = "all") -> Benchmark:
    """The official ModelReuse on Stanford Dogs: 68 models of the hub, fetched once."""
    return _benchmark("modelreuse-sdog120", SDOG120, models)


def _benchmark(token: str, data: DataSet, which: Models) -> Benchmark:
    models = chosen(hub_models(data.name), which)
    lineages = {name: Lineage.parse(name) for name in models}
    name = token if which == "all" else f"{token}(models={which})"
    classes = tuple(map(str, range(data.classes)))
    pairs = pairs_by_lineage(lineages, TASKS)
    return Benchmark(name, classes, pairs, tuple(models), HubSource(models, lineages, data))


def _family(victim: str, steps: list[str]) -> list[str]:
    return [victim, *(f"{victim}->{step}" for step in steps)]


def _hub_model(lineage: Lineage) -> HubModel:
    calls = lineage.chain.calls
    quantised = calls[-1].args[0] if calls[-1].name == "quantize" else None
    architecture = next(call.args[0] for call in reversed(calls) if call.name in ("steal", "pretrain", "train"))
    stored = str(lineage.parent) if quantised else str(lineage)
    return HubModel(repository("ModelReuse", stored), f"modelreuse/{architecture}", quantised=quantised)
