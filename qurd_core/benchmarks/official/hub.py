"""Models of the model hub in a folder of this machine: fetched once at a pinned commit, then read without a network.

    <hub>/models/<namespace>/<repository>/model.safetensors, config.json, fetched.json
    <hub>/collections/<name>.json
    <hub>/images/...            see data_sets

Whoever has no network can put `model.safetensors` and `config.json` there by hand. No other file is fetched, no code of a
repository is ever run, and a login token is sent only if `HF_TOKEN` names one.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from qurd_core import files
from qurd_core.benchmarks.own.networks import MEAN, STD, Preparation, Prepared, loaded, three_numbers
from qurd_core.errors import QurdError, doing, is_filled, misplaced
from qurd_core.files import file_digest, write_json

WEIGHTS, CONFIG, FETCHED = "model.safetensors", "config.json", "fetched.json"
LARGEST = 1_000_000  # bytes of a config or collection that is read
_FETCH = (
    "Weights in other formats are not read: they may run code. Fetch them once, with a network: python -m qurd_core fetch"
    " --benchmark NAME."
)
PATIENCE = 20  # seconds for an answer of the hub

Quantised = Literal["float16", "qint8"]


@dataclass(frozen=True)
class HubModel:
    """A model of the hub.

    Attributes:
        repository: `namespace/name`.
        architecture: see `networks.empty`; None to take the one of timm that the repository names.
        mean, std: where the repository does not give them.
        quantised: what is done to the linear layers of the fetched weights, as the official benchmark does when it loads.
        resize: whether the network scales images to the size that the repository gives.
    """

    repository: str
    architecture: str | None = None
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    quantised: Quantised | None = None
    resize: bool = False

    def home(self, hub: Path) -> Path:
        """The folder of its files."""
        return hub / "models" / self.repository

    def is_there(self, hub: Path) -> bool:
        return is_filled(self.home(hub) / WEIGHTS)

    def sha256(self, hub: Path) -> str:
        """Of the weights: as noted when they were fetched, else of the file that somebody put there."""
        return self.noted(hub).get("sha256") or file_digest(self._weights(hub))

    def noted(self, hub: Path) -> dict[str, Any]:
        """What was noted when it was fetched: the pinned `commit`, and `sha256` of the weights once they had come."""
        path = self.home(hub) / FETCHED
        return read_json(path) if path.exists() else {}

    def digest(self, hub: Path, classes: int) -> str:
        """Content address of the model as it answers."""
        about = [self.sha256(hub), self._architecture(hub), classes, str(self._preparation(hub)), self.quantised]
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()

    def module(self, hub: Path, classes: int) -> Prepared:
        """
        Raises:
            QurdError: the files are missing, damaged, or not those that were fetched.
        """
        with doing(f"loading {self.repository}"):
            path, architecture = self._weights(hub), self._architecture(hub)
            if file_digest(path) != self.sha256(hub):
                raise QurdError(
                    f"Expected {path} as it was fetched. It changed since: remove its folder and fetch it again."
                )
            network = loaded(architecture, classes, path)
        return Prepared(quantise(network, self.quantised) if self.quantised else network, self._preparation(hub))

    def _weights(self, hub: Path) -> Path:
        if not self.is_there(hub):
            raise misplaced(f"the weights of {self.repository}", self.home(hub) / WEIGHTS, _FETCH)
        return self.home(hub) / WEIGHTS

    def _architecture(self, hub: Path) -> str:
        if self.architecture:
            return self.architecture
        config = self._config(hub)
        if config.get("model_args"):
            raise QurdError(f"Expected a plain architecture of timm in {self.repository}. It wants arguments of its own.")
        return f"timm/{config.get('architecture')}"

    def _preparation(self, hub: Path) -> Preparation:
        config = self._config(hub)
        about = config.get("pretrained_cfg", config)
        about = about if isinstance(about, dict) else {}
        given = ((about.get("mean"), self.mean), (about.get("std"), self.std))
        mean, std = (tuple(map(float, said if three_numbers(said) else usual)) for said, usual in given)
        size = about.get("input_size")
        sound = isinstance(size, list) and len(size) == 3 and type(size[1]) is int and 0 < size[1] <= 1024
        return Preparation(mean, std, size[1] if self.resize and sound else None)

    def _config(self, hub: Path) -> dict[str, Any]:
        path, noted = self.home(hub) / CONFIG, self.noted(hub).get("config")
        if noted and not (path.exists() and file_digest(path) == noted):
            raise QurdError(f"Expected {path} as it was fetched. It changed since: remove its folder and fetch it again.")
        config = read_json(path) if path.exists() else {}
        if "auto_map" in config:
            raise QurdError(f"{path} names code of its own ('auto_map'), which is never run. Use another repository.")
        return config


@torch.no_grad()
def quantise(network: nn.Module, dtype: Quantised) -> nn.Module:
    """Linear weights as torch's dynamic quantisation stores them, computed in fp32; convolutions stay as they are.

    Half precision, or 8 bits with one symmetric scale per layer. Dynamic quantisation also rounds what goes in, by the range
    of the batch that an image happens to be in; that is left out, so that answers do not depend on the batch.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear):
            weight = module.weight
            scale = weight.abs().max().clamp_min(1e-12) / 127.5
            module.weight = nn.Parameter(
                weight.half().float() if dtype == "float16" else (weight / scale).round().clamp(-128, 127) * scale
            )
    return network


def fetch_model(model: HubModel, hub: Path) -> None:
    """Bring the files of a model to this machine, at the commit of the first time. What is there already is not fetched.

    Raises:
        QurdError: the hub cannot be reached, refuses, or gives other weights than the first time.
    """
    home, noted = model.home(hub), model.noted(hub)
    if model.is_there(hub):
        if not noted or noted.get("sha256") == file_digest(home / WEIGHTS):
            return
        if "sha256" in noted:  # no longer what was fetched
            (home / WEIGHTS).unlink()
    with reaching(f"the model {model.repository}", f"put {WEIGHTS} and {CONFIG} into {home}"):
        from huggingface_hub import HfApi, hf_hub_download

        token, place = token_of(), endpoint()
        commit = noted.get("commit") or HfApi(place, token).model_info(model.repository, timeout=PATIENCE).sha
        publish_json(home / FETCHED, noted | {"repository": model.repository, "commit": commit})
        for name in (CONFIG, WEIGHTS):
            where = {"revision": commit, "local_dir": home, "token": token, "endpoint": place, "etag_timeout": PATIENCE}
            hf_hub_download(model.repository, name, tqdm_class=_silent(), **where)
    sha256 = file_digest(home / WEIGHTS)
    if noted.get("sha256", sha256) != sha256:
        raise QurdError(
            f"Expected the weights of {model.repository} that commit {commit} had before. The hub gave other ones."
        )
    about = {"repository": model.repository, "commit": commit, "sha256": sha256, "config": file_digest(home / CONFIG)}
    publish_json(home / FETCHED, about)


def fetch_collection(slug: str, hub: Path) -> None:
    """Note the models of a collection, as they are the first time."""
    path = collection_path(slug, hub)
    if path.exists():
        return
    with reaching(f"the collection {slug}", f"write {{'models': [...]}} into {path}"):
        from huggingface_hub import HfApi

        found = HfApi(endpoint(), token_of()).get_collection(slug)
    publish_json(path, {"collection": slug, "models": [item.item_id for item in found.items if item.item_type == "model"]})


def collection(slug: str, hub: Path) -> tuple[str, ...]:
    """The repositories of a collection that was fetched."""
    path = collection_path(slug, hub)
    if not path.exists():
        raise misplaced(
            f"the list of models of the collection {slug}",
            path,
            f"Fetch it once, with a network: python -m qurd_core fetch --benchmark 'timm(collection={slug})'.",
        )
    models = read_json(path).get("models")
    if not isinstance(models, list) or not models or not all(is_repository(name) for name in models):
        raise QurdError(f"Expected 'models' as names of repositories in {path}. Got something else.")
    return tuple(dict.fromkeys(models))


def collection_path(slug: str, hub: Path) -> Path:
    """Where the list of a collection lies."""
    if not is_repository(slug):
        raise QurdError(f"Expected a collection as namespace/name. Got '{slug[:80]}'.")
    return hub / "collections" / f"{slug.replace('/', '--')}.json"


def is_repository(name: object) -> bool:
    """Whether a text is `namespace/name` and nothing that climbs out of a folder."""
    parts = name.split("/") if isinstance(name, str) and len(name) <= 200 else []
    plain = all(part and part.strip(".") and all(sign.isalnum() or sign in "-_." for sign in part) for part in parts)
    return len(parts) == 2 and plain


@contextmanager
def reaching(what: str, instead: str) -> Iterator[None]:
    """Turn whatever the libraries of the hub raise into one sentence."""
    try:
        yield
    except QurdError:
        raise
    except Exception as error:  # httpx, the hub's own, the disk's: whatever it is, nothing was reached
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise QurdError(
            f"Cannot fetch {what} ({type(error).__name__}: {why}). It needs a network once; what is fetched is kept, so run"
            f" it again to continue. Without a network, {instead}."
        ) from None


def endpoint() -> str:
    """The address of the hub: `HF_ENDPOINT` or the usual one, never unencrypted beyond this machine."""
    address = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    if not address.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise QurdError(f"Expected HF_ENDPOINT to begin with https://. Got '{address[:60]}'.")
    return address


def token_of() -> str | bool:
    """The token that the user names, or none: one left by an earlier login is not sent."""
    return os.environ.get("HF_TOKEN") or False


def publish_json(path: Path, about: dict[str, Any]) -> None:
    """Write a file whole."""
    try:
        write_json(path, about, indent=1)
    except OSError as error:
        raise QurdError(f"Expected to write {path}. The disk refused: {error.strerror}.") from None


def read_json(path: Path) -> dict[str, Any]:
    """Names with values out of a small file."""
    try:
        if path.stat().st_size > LARGEST:
            raise QurdError(f"Expected at most {LARGEST:,} bytes in {path}. It has {path.stat().st_size:,}.")
        found = files.read_json(path, "Remove it and fetch again.")
    except OSError as error:
        raise QurdError(f"Cannot read {path}: {error}. Remove it and fetch again.") from None
    if not isinstance(found, dict):
        raise QurdError(f"Expected names with values in {path}. Got a {type(found).__name__}.")
    return found


def _silent() -> type:
    """A progress bar that nobody sees: progress is told per model, by whoever fetches."""
    from huggingface_hub.utils import tqdm

    class Silent(tqdm):
        def __init__(self, *args: Any, **options: Any):
            super().__init__(*args, **options | {"disable": True})

    return Silent
