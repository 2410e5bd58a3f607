"""Official benchmarks before anything was fetched: models of the real shapes without weights, pictures of the real size.

They say what a fetch brings and how fast the models answer on this machine; what they answer means nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

import torch

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.official.hub import HubModel
from qurd_core.benchmarks.official.hub_source import HubSource
from qurd_core.benchmarks.own.networks import Preparation, Prepared, blank, empty
from qurd_core.files import hub_folder
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.runtime import Runtime
from qurd_core.types import Images

PICTURES = 64


class BlankSource(HubSource):
    """The source of an official benchmark without its files."""

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        network = empty(str(self.models[model].architecture), self.data.classes).to_empty(device="cpu")
        with torch.no_grad():
            for name, tensor in network.state_dict().items():
                tensor.fill_(1 if name.endswith("running_var") else 0.01)
        return Oracle(Prepared(network, Preparation()), classes=self.data.classes, runtime=runtime, name=model)

    def images(self, split: str) -> Images:
        shape = (PICTURES, 3, self.data.side, self.data.side)
        pixels = torch.randint(256, shape, generator=stream(0, "blank"), dtype=torch.uint8)
        return Images(pixels, torch.zeros(PICTURES, dtype=torch.long))

    def images_digest(self, split: str) -> str:
        return f"blank {self.data.side}x{self.data.side}"


def kinds(bench: Benchmark) -> dict[str, str]:
    """Every model of an official benchmark to the first one of its architecture; of victims to the first victim of it."""
    first: dict[tuple[str, bool], str] = {}
    return {
        model: first.setdefault((str(bench.source.models[model].architecture), model in bench.victims), model)
        for model in bench.models
    }


def blanked(bench: Benchmark) -> Benchmark:
    """The first models of every kind of an official benchmark, without their weights."""
    models = tuple(dict.fromkeys(kinds(bench).values()))
    pairs = tuple(pair for pair in bench.pairs if pair.victim in models and pair.suspect in models)
    source = bench.source
    return replace(bench, models=models, pairs=pairs, source=BlankSource(source.models, source.lineages, source.data))


def lacking_bytes(models: Iterable[HubModel], classes: int) -> int:
    """Bytes of weights that a fetch still brings: of every repository once."""
    hub = hub_folder()
    wanted = {model.repository: model for model in models if not model.is_there(hub)}
    return sum(state_bytes(str(model.architecture), classes) for model in wanted.values())


def state_bytes(architecture: str, classes: int) -> int:
    """Bytes of a network's weights."""
    return sum(tensor.nbytes for tensor in blank(architecture, classes).state_dict().values())
