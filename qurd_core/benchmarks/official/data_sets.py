"""The official data sets: brought by torchvision or the hub's `datasets`, cut once to squares, then read from one file.

<hub>/images/<data set>-<split>-<side>.safetensors    `pixels` (n,3,side,side) uint8, `truth` (n,)
<hub>/images/<data set>-<split>-<side>.json           `sha256` of that file; none where somebody put it there by hand
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from qurd_core.benchmarks.official.hub import PATIENCE, endpoint, publish_json, reaching, read_json, token_of
from qurd_core.benchmarks.own import pictures
from qurd_core.errors import QurdError, misplaced
from qurd_core.files import file_digest, publishing
from qurd_core.runtime import Track
from qurd_core.types import Images

Rows = Sequence[tuple[Any, int]]  # pictures with their classes


@dataclass(frozen=True)
class DataSet:
    """An official data set.

    Attributes:
        classes: their number.
        side: pixels of the squares that models are asked about.
        scale: pixels that the shorter side has before the square is cut.
        rows: folder of raw files and split to pictures, which are brought if they are missing.
        sizes: pictures of every split, where the source tells them.
        source: where it comes from, in words.
    """

    name: str
    classes: int
    side: int
    scale: int
    rows: Callable[[Path, str], Rows]
    sizes: dict[str, int]
    source: str

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.sizes)

    def path(self, hub: Path, split: str) -> Path:
        """The file of a split, whether it is there or not."""
        return hub / "images" / f"{self.name}-{split}-{self.side}.safetensors"

    def images(self, hub: Path, split: str) -> Images:
        if split == "noise":
            return pictures.noise(self.side, self.side)
        return pictures.stored(self._there(hub, split), self.classes)

    def digest(self, hub: Path, split: str) -> str:
        """Content address of a split."""
        if split == "noise":
            return f"noise {self.side}x{self.side}"
        return file_digest(self._there(hub, split))

    def _there(self, hub: Path, split: str) -> Path:
        path = self.path(hub, split)
        if not path.is_file():
            raise misplaced(
                f"the {split} pictures of {self.name}",
                path,
                "Fetch them once, with a network: python -m qurd_core fetch --benchmark NAME.",
            )
        note = path.with_suffix(".json")
        if note.is_file() and read_json(note)["sha256"] != file_digest(path):
            raise QurdError(f"Expected {path} as it was fetched. It changed since: remove it and fetch it again.")
        return path


def fetch_images(data: DataSet, hub: Path, splits: Iterable[str], track: Track) -> None:
    """Bring the pictures of some splits and cut them; a split that is there is left alone."""
    for split in splits:
        path = data.path(hub, split)
        if path.is_file():
            continue
        with reaching(f"the {split} pictures of {data.name} from {data.source}", f"put {path.name} into {path.parent}"):
            rows = data.rows(hub / "raw" / data.name, split)
            expected = data.sizes[split]
            if len(rows) != expected:
                raise QurdError(f"Expected {expected:,} {split} pictures of {data.name}. {data.source} gave {len(rows):,}.")
            pixels = np.empty((len(rows), 3, data.side, data.side), np.uint8)
            truth = torch.empty(len(rows), dtype=torch.int64)
            for row in track(range(len(rows)), len(rows), f"cutting {data.name} {split}"):
                picture, truth[row] = rows[row]
                pixels[row] = pictures.square(picture, data.side, data.scale)
            if not 0 <= int(truth.min()) <= int(truth.max()) < data.classes:
                raise QurdError(
                    f"Expected classes from 0 to {data.classes - 1} of the {split} pictures of {data.name}. {data.source}"
                    f" gave {truth.min()} to {truth.max()}."
                )
            _publish(path, pixels, truth)


def flowers(folder: Path, split: str) -> Rows:
    """Oxford Flowers 102 through torchvision. The victims were trained on its `train` and `val`."""
    from torch.utils.data import ConcatDataset
    from torchvision.datasets import Flowers102

    folder.mkdir(parents=True, exist_ok=True)
    parts = ("train", "val") if split == "train" else ("test",)
    return ConcatDataset([Flowers102(str(folder), part, download=True) for part in parts])


def from_hub(repository: str, names: dict[str, str], classes: Callable[[Sequence[str]], list[int]] | None = None) -> Any:
    """The loader of a data set of the hub, or of a folder of the same layout below the raw files.

    Args:
        names: our split to the repository's.
        classes: names of the repository's classes to their numbers here; as they are if not given.
    """

    def rows(folder: Path, split: str) -> Rows:
        import datasets

        datasets.disable_progress_bars()
        local = folder / repository.replace("/", "--")
        if local.is_dir():
            found = datasets.load_dataset(str(local), split=names[split], cache_dir=str(folder / "cache"))
        else:
            commit = _commit(repository, folder / "commit.json")
            where = {"revision": commit, "cache_dir": str(folder / "cache"), "token": token_of()}
            found = datasets.load_dataset(repository, split=names[split], **where)
        return _Columns(found, classes)

    return rows


class _Columns:
    """A data set of the hub by its column of pictures and its column of classes."""

    def __init__(self, found: Any, classes: Callable[[Sequence[str]], list[int]] | None):
        import datasets

        kinds = found.features.items()
        self.picture = next((name for name, kind in kinds if isinstance(kind, datasets.Image)), None)
        self.label = next((name for name, kind in kinds if isinstance(kind, datasets.ClassLabel)), None)
        if not self.picture or not self.label:
            raise QurdError(f"Expected a column of pictures and one of classes. Got {', '.join(found.features)}.")
        self.found = found
        names = found.features[self.label].names
        self.numbers = classes(names) if classes else list(range(len(names)))

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, row: int) -> tuple[Any, int]:
        one = self.found[row]
        return one[self.picture], self.numbers[one[self.label]]


def of_imagenet(names: Sequence[str]) -> list[int]:
    """The numbers that ImageNet's models give to some of its classes, named by synset."""
    from timm.data import ImageNetInfo

    place = {synset: number for number, synset in enumerate(ImageNetInfo("imagenet-1k").label_names())}
    if strange := [name for name in names if name not in place]:
        raise QurdError(f"Expected synsets of ImageNet as classes. Got '{strange[0]}'.")
    return [place[name] for name in names]


# Names of repositories: as the code of the QuRD paper's authors has them (SDog120, mini-imagenet), or assumed (CIFAR10,
# which torchvision would read from pickled files). None could be tried without a network.
FLOWER102 = DataSet("Flower102", 102, 224, 256, flowers, {"train": 2_040, "test": 6_149}, "torchvision")
SDOG120 = DataSet(
    *("SDog120", 120, 224, 256, from_hub("maurice-fp/stanford-dogs", {"train": "train", "test": "test"})),
    {"train": 12_000, "test": 8_580},
    "maurice-fp/stanford-dogs",
)
CIFAR10 = DataSet(
    *("CIFAR10", 10, 32, 32, from_hub("uoft-cs/cifar10", {"train": "train", "test": "test"})),
    {"train": 50_000, "test": 10_000},
    "uoft-cs/cifar10",
)
MINI_IMAGENET = DataSet(
    *("mini-imagenet", 1_000, 224, 256, from_hub("timm/mini-imagenet", {"test": "validation"}, of_imagenet)),
    {"test": 10_000},
    "timm/mini-imagenet",
)


def _commit(repository: str, note: Path) -> str:
    """The commit that a data set had when it was first asked for."""
    from huggingface_hub import HfApi

    if not note.exists():
        commit = HfApi(endpoint(), token_of()).dataset_info(repository, timeout=PATIENCE).sha
        publish_json(note, {"repository": repository, "commit": commit})
    return str(read_json(note)["commit"])


def _publish(path: Path, pixels: np.ndarray, truth: torch.Tensor) -> None:
    """Write the pictures, too many for the memory to hold twice; their digest is there before they are."""
    with publishing(path) as draft:
        save_file({"pixels": torch.from_numpy(pixels), "truth": truth}, draft)
        publish_json(path.with_suffix(".json"), {"sha256": file_digest(draft)})
