"""What the official benchmarks share: a source of hub models and an official data set, and how both are fetched."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from qurd_core.benchmarks.base import Source
from qurd_core.benchmarks.official.data_sets import DataSet, fetch_images
from qurd_core.benchmarks.official.hub import HubModel, fetch_model
from qurd_core.errors import QurdError, unknown
from qurd_core.files import hub_folder
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime, Track
from qurd_core.types import Images

NAMESPACE = "maurice-fp"  # of the QuRD paper's authors, as their code names it; not tried without a network
Models = Literal["all", "there"]


class HubSource(Source):
    """The source of an official benchmark.

    Args:
        models: by name.
        lineages: by name.
        data: the data set.
    """

    kept = False
    asks = True

    def __init__(self, models: Mapping[str, HubModel], lineages: Mapping[str, Lineage], data: DataSet):
        self.models, self.lineages, self.data = dict(models), dict(lineages), data
        self.splits = (*data.splits, "noise")
        self._digests: dict[str, str] = {}
        self._images_digests: dict[str, str] = {}

    @property
    def hub(self) -> Path:
        """The folder of the fetched files."""
        return hub_folder()

    def lineage(self, model: str) -> Lineage:
        return self.lineages[model]

    def record(self, model: str) -> dict[str, Any]:
        found = self._model(model)
        there = found.is_there(self.hub)
        about = {"lineage": str(self.lineages[model]), "model": model, "repository": found.repository}
        about |= {"architecture": found.architecture, "there": there}
        return about | {
            "commit": found.noted(self.hub).get("commit"),
            "sha256": found.sha256(self.hub) if there else None,
        }

    def digest(self, model: str) -> str:
        if model not in self._digests:
            self._digests[model] = self._model(model).digest(self.hub, self.data.classes)
        return self._digests[model]

    def images(self, split: str) -> Images:
        images = self.data.images(self.hub, split)
        _unchanged(f"the {split} pictures of {self.data.name}", self.images_digest(split), self.data.digest(self.hub, split))
        return images

    def images_digest(self, split: str) -> str:
        if split not in self._images_digests:
            self._images_digests[split] = self.data.digest(self.hub, split)
        return self._images_digests[split]

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        found = self._model(model)
        module = found.module(self.hub, self.data.classes)
        _unchanged(f"the files of {found.repository}", self.digest(model), found.digest(self.hub, self.data.classes))
        return Oracle(module, classes=self.data.classes, runtime=runtime, name=model)

    def _model(self, name: str) -> HubModel:
        if name not in self.models:
            raise unknown("model", name, self.models)
        return self.models[name]


def _unchanged(what: str, known: str, now: str) -> None:
    """Refuse what is no longer what this process took it for: its answers would be kept as those of something else."""
    if now != known:
        raise QurdError(f"Expected {what} to stay as this process found them. They changed meanwhile: start it again.")


def repository(family: str, model: str) -> str:
    """The repository of a model of the official benchmarks: its lineage without the characters that the hub refuses."""
    plain = model.replace("->", "-").replace(".", "_").replace("(", ".").replace(",", ".").replace(")", "")
    return f"{NAMESPACE}/{family}-{plain.strip('-.')}"


def chosen(models: Mapping[str, HubModel], which: Models) -> dict[str, HubModel]:
    """All models, or those whose weights are on this machine.

    Raises:
        QurdError: none is there.
    """
    if which == "all":
        return dict(models)
    hub = hub_folder()
    there = {name: model for name, model in models.items() if model.is_there(hub)}
    if not there:
        raise QurdError(f"Expected some of the models below {hub / 'models'}. There is none: fetch them first.")
    return there


def fetch_all(models: Mapping[str, HubModel], data: DataSet, track: Track) -> Path:
    """Bring models and pictures to this machine; a killed call is continued by the same one. Gives the folder."""
    hub = hub_folder()
    wanted = list({model.repository: model for model in models.values()}.values())
    for model in track(wanted, len(wanted), "fetching models"):
        fetch_model(model, hub)
    fetch_images(data, hub, data.splits, track)
    return hub
