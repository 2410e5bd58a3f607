"""A collection of timm's models on the hub: every model against itself and against every other one.

No model is known to be a copy of another one, so the only task is `same`: how far apart independent models are.
"""

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.official.data_sets import MINI_IMAGENET
from qurd_core.benchmarks.official.hub import HubModel, collection, fetch_collection
from qurd_core.benchmarks.official.hub_source import HubSource, fetch_all
from qurd_core.files import hub_folder
from qurd_core.grammar import Call, Chain
from qurd_core.lineage import Lineage
from qurd_core.registry import benchmarks
from qurd_core.runtime import Track
from qurd_core.types import Pair

TINY = "timm/timm-tiny-test-models-66f18bd70518277591a86cef"  # as the authors' readme names it; not tried without a network


def _hub_models(slug: str) -> dict[str, HubModel]:
    return {name: HubModel(name, resize=True) for name in collection(slug, hub_folder())}


def _fetch(track: Track, *, collection: str) -> object:
    fetch_collection(collection, hub_folder())
    return fetch_all(_hub_models(collection), MINI_IMAGENET, track)


@benchmarks.register(name="timm", fetch=_fetch)
def timm(*, collection: str = TINY) -> Benchmark:
    """A collection of timm's ImageNet models on mini-imagenet: every model against every other one."""
    models = _hub_models(collection)
    lineages = {name: Lineage(Chain((Call("pretrain", (name,)),))) for name in models}
    pairs = [Pair(name, name, "positive", ("same",)) for name in models]
    pairs += [Pair(name, other, "negative", ("same",)) for name in models for other in models if other != name]
    pairs.sort(key=lambda pair: list(models).index(pair.victim))
    name = "timm" if collection == TINY else str(Call("timm", (), (("collection", collection),)))
    classes = tuple(map(str, range(MINI_IMAGENET.classes)))
    return Benchmark(name, classes, tuple(pairs), tuple(models), HubSource(models, lineages, MINI_IMAGENET))
