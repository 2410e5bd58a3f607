"""A manifest out of the files of a folder: what files show is looked at, what they do not show is asked."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from qurd_core.benchmarks.own import pictures
from qurd_core.benchmarks.own.manifest import MANIFESTS, SPLITS
from qurd_core.benchmarks.own.networks import NORMALISATIONS, Preparation, Prepared, check, loaded
from qurd_core.benchmarks.own.roles import HARD, SUSPECT, UNRELATED, VICTIM
from qurd_core.benchmarks.own.sources.onnx_model import LAYOUTS, OnnxNetwork
from qurd_core.errors import A_FOLDER, QurdError, lies_at, unknown
from qurd_core.executors.limited import MEMORY, limited
from qurd_core.files import publish
from qurd_core.grammar import Call
from qurd_core.types import check_images

ENDINGS = (".onnx", ".safetensors")
SIDES = (32, 64, 96, 128, 224)  # offered where no file says a size
AT_ONCE = 32  # pictures that a model is asked about
TRIED = 200  # pictures on which every way to prepare them is tried
NEAR = 0.1  # share of the way from chance to perfect below which no way to prepare pictures fits
OFF = 1e-3  # how far probits may sum from one
TOLD = (VICTIM, HARD, SUSPECT, UNRELATED)  # the roles that a name of a file or folder may hold

Ask = Callable[[str, Sequence[str]], str]


@dataclass(frozen=True)
class Answers:
    """What only a person knows.

    Attributes:
        victim, suspects: file names without their ending.
        rest: the role of every model whose name says none.
        side: pixels of the squares that pictures are cut to, where no file says it.
        architecture: of weights as safetensors.
        ask: gets the answer to a question out of some choices; None where nobody can be asked.
    """

    victim: str | None = None
    suspects: tuple[str, ...] = ()
    rest: str | None = None
    side: int | None = None
    architecture: str | None = None
    ask: Ask | None = None


@dataclass(frozen=True)
class Written:
    """A manifest that was written, what was seen of every model, and what is asked about."""

    path: Path
    models: list[dict[str, Any]]
    notes: list[str]


def write(folder: Path, told: Answers) -> Written:
    """Write `manifest.yaml` for the models and pictures of a folder.

    Roles are read off names (`victim.onnx`, `unrelated/07.onnx`), sizes and classes off files, and of every way to prepare
    pictures the one is taken by which a model is right most often.

    Raises:
        QurdError: there is a manifest already, pictures or models are missing, or an answer is.
    """
    if lies_at(folder) != A_FOLDER:
        raise QurdError(f"Expected a folder of models and pictures. There is {lies_at(folder)} at {folder}.")
    if there := next((name for name in MANIFESTS if (folder / name).exists()), None):
        raise QurdError(
            f"There is a {there} in {folder} already. Correct it there, or remove it to have another one written."
        )
    sets = _seed_sets(folder)
    classes = sorted(path.name for path in _classes(sets.get("test") or next(iter(sets.values()))))
    files = [path for path in _files(folder) if not any(path.is_relative_to(one) for one in sets.values())]
    if not files:
        raise QurdError(f"Expected models ({', '.join(ENDINGS)}) in {folder}. There are none.")
    roles = _roles(files, folder, told)
    if told.architecture:
        check(told.architecture)
    elif any(path.suffix == ".safetensors" for path in files):
        raise QurdError("Expected the architecture of the .safetensors files with --architecture, such as resnet18.")
    seen = limited(partial(_seen, files, sets, classes, told), folder, memory=MEMORY)
    if not seen["side"]:
        question = "How many pixels has a side of the pictures that models take?"
        told = replace(told, side=int(_asked(told, question, list(map(str, SIDES)), "--side N")))
        seen = limited(partial(_seen, files, sets, classes, told), folder, memory=MEMORY)
    side, models = seen["side"], []
    for path, one in zip(files, seen["models"], strict=True):
        about: dict[str, Any] = {"model": path.stem, "role": roles[path]}
        if roles[path] != SUSPECT:
            about["lineage"] = str(Call("train", (path.stem,)))
        where = str(path.relative_to(folder))
        if path.suffix == ".onnx":
            about |= {"source": "onnx", "file": where, "input": {"layout": one["layout"]}, "output": {"gives": one["gives"]}}
        else:
            about |= {"architecture": told.architecture, "weights": where}
        if one["classes"] != classes:
            about["classes"] = one["classes"]
        about["normalisation"] = dict(zip(("mean", "std"), map(list, NORMALISATIONS[one["prepared"]]), strict=True))
        models.append(about | ({"side": one["size"]} if one["size"] not in (0, side) else {}))
    manifest: dict[str, Any] = {"classes": classes, "side": side}
    manifest |= {"images": {name: str(path.relative_to(folder)) for name, path in sets.items()}, "models": models}
    text = _HEAD + yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True)
    rows = [
        {"model": path.stem, "role": roles[path], "right on": one["right"], "of": seen["of"], "pictures as": one["prepared"]}
        for path, one in zip(files, seen["models"], strict=True)
    ]
    notes = [*_reordered(classes, models), *_notes(roles, rows, len(classes))]
    return Written(publish(folder / MANIFESTS[0], text.encode()), rows, notes)


_HEAD = (
    "# Written from the files of this folder. Each unrelated model counts as a lineage of its own: where some share a\n"
    "# pre-trained network, say so, as in  lineage: pretrain(resnet50,imagenet)->finetune(pets,seed=3)\n"
)


def _seed_sets(folder: Path) -> dict[str, Path]:
    """The folders that hold a folder of pictures per class, by split."""
    found = [path for path in (folder, *_folders(folder)) if len(_classes(path)) > 1]
    named = {path.name: path for path in found if path.name in SPLITS}
    if named:
        return {split: named[split] for split in SPLITS if split in named}
    if len(found) != 1:
        held = f"Found {len(found)}: {', '.join(path.name for path in found[:4])}." if found else "Found none."
        raise QurdError(
            f"Expected one folder of pictures in {folder}, with a folder per class inside, or two called train and test."
            f" {held}"
        )
    return {"test": found[0]}


def _folders(folder: Path) -> list[Path]:
    """Folders of a folder, and those inside them; no links, and none that hides."""
    first = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.is_symlink() and path.name[0] != "."]
    return [*first, *(two for one in first for two in sorted(one.iterdir()) if two.is_dir() and not two.is_symlink())]


def _classes(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.iterdir()
        if path.is_dir() and any(one.suffix.lower() in pictures.ENDINGS for one in path.iterdir())
    ]


def _files(folder: Path) -> list[Path]:
    """The files of models in a folder and in folders of it; two of one name cannot be told apart."""
    found = [path for home in (folder, *_folders(folder)) for path in sorted(home.iterdir()) if path.suffix in ENDINGS]
    stems = [path.stem for path in found]
    if twice := next((stem for stem in stems if stems.count(stem) > 1), None):
        raise QurdError(f"Two models are named '{twice}'. Rename one: the name of its file is the name of a model.")
    return [path for path in found if path.is_file() and not path.is_symlink()]


def _roles(files: Sequence[Path], folder: Path, told: Answers) -> dict[Path, str]:
    """By what is told, then by names, then by asking."""
    stems = {path.stem: path for path in files}
    if told.rest not in (None, UNRELATED, SUSPECT):
        raise unknown("role of the rest", told.rest, (UNRELATED, SUSPECT))
    for name in (*told.suspects, *[told.victim] * bool(told.victim)):
        if name not in stems:
            raise unknown("model", name, stems)
    roles = {stems[name]: SUSPECT for name in told.suspects}
    if told.victim:
        roles[stems[told.victim]] = VICTIM
    for path in files:
        words = re.split(r"[^a-z]+", str(path.relative_to(folder)).lower())
        meant = next((role for word in words for role in TOLD if word in (role, f"{role}s")), None)
        if path not in roles and meant and not (meant == VICTIM and told.victim):
            roles[path] = meant
    if VICTIM not in roles.values():
        free = [path.stem for path in files if path not in roles]
        name = _asked(told, "Which model is yours?", free, "--victim NAME")
        roles[stems[name]] = VICTIM
    if rest := [path for path in files if path not in roles]:
        some = ", ".join(path.stem for path in rest[:3]) + (f" and {len(rest) - 3} more" if len(rest) > 3 else "")
        question = f"What are {some}? unrelated if you know that each was trained on its own, suspect if you do not."
        role = told.rest or _asked(told, question, (UNRELATED, SUSPECT), f"--rest {UNRELATED} or {SUSPECT}")
        roles |= dict.fromkeys(rest, role)
    return {path: roles[path] for path in files}


def _asked(told: Answers, question: str, choices: Sequence[str], option: str) -> str:
    if told.ask is None:
        raise QurdError(f"{question} Say it with {option}.")
    if not choices:
        raise QurdError(f"{question} Every model has another role already.")
    return told.ask(question, choices)


def _seen(files: Sequence[Path], sets: dict[str, Path], classes: list[str], told: Answers) -> dict[str, Any]:
    """What the files show, in a process with limits, as plain values; no more than that where none says a side."""
    opened = [_looked(path, classes, told) for path in files]
    sizes = [size for size, _ in opened if size]
    side = told.side or max(sizes, default=0)
    if not side:
        return {"side": 0}
    where = pictures.listed(sets.get("test") or next(iter(sets.values())), classes)
    images = pictures.seed_set(where[:: -(-len(where) // TRIED)], side)
    x, truth, every = check_images(images.pixels.float() / 255), images.truth, []
    for path, (size, _) in zip(files, opened, strict=True):
        network = _opened(path, classes, told)[0]
        answers = {
            name: _answers(network, Preparation(tuple(mean), tuple(std), size or None), x, path, len(classes))
            for name, (mean, std) in NORMALISATIONS.items()
        }
        every.append(answers)
        if isinstance(network, OnnxNetwork):
            network.close()
    found = []
    for (size, layout), answers in zip(opened, every, strict=True):
        order = _order([one.argmax(1) for one in answers.values()], truth, len(classes))
        rights = {name: int((order[one.argmax(1)] == truth).sum()) for name, one in answers.items()}
        best = max(rights, key=rights.__getitem__)
        gives = "probits" if all(map(_are_probits, answers.values())) else "logits"
        about = {"size": size, "layout": layout, "gives": gives, "prepared": best, "right": rights[best]}
        found.append(about | {"classes": [classes[place] for place in order.tolist()]})
    return {"side": side, "models": found, "of": len(x)}


@torch.no_grad()
def _answers(network: nn.Module, preparation: Preparation, x: Tensor, path: Path, classes: int) -> Tensor:
    prepared = Prepared(network, preparation)
    answers = torch.cat([prepared(some) for some in x.split(AT_ONCE)])
    if answers.shape[1] != classes:
        raise QurdError(
            f"Expected answers over {classes} classes, the folders of pictures. '{path.stem}' gives {answers.shape[1]}."
        )
    return answers


def _are_probits(answers: Tensor) -> bool:
    return bool((answers >= 0).all()) and bool(((answers.sum(1) - 1).abs() <= OFF).all())


def _order(labels: Sequence[Tensor], truth: Tensor, classes: int) -> Tensor:
    """(C,) the class that each output of a model stands for: as the folders are sorted, unless that is no better than chance
    and another order is right on most pictures; found on every other picture and tried on the rest.

    Args:
        labels: for each way to prepare the pictures.
    """
    same = torch.arange(classes)
    best, order = max(float((one == truth).double().mean()) for one in labels), same
    if best - 1 / classes >= NEAR * (1 - 1 / classes) * 3:
        return same
    for one in labels:
        seen = torch.zeros(classes, classes, dtype=torch.long)
        seen.index_put_((one[::2], truth[::2]), torch.ones(len(one[::2]), dtype=torch.long), accumulate=True)
        meant = torch.from_numpy(linear_sum_assignment(-seen.numpy())[1])
        right = float((meant[one[1::2]] == truth[1::2]).double().mean())
        if right > max(best, 0.5):
            best, order = right, meant
    return order


def _looked(path: Path, classes: list[str], told: Answers) -> tuple[int, str]:
    """The side of the images that a model takes (0 = any), and how they lie in its input."""
    network, size, layout = _opened(path, classes, told)
    if isinstance(network, OnnxNetwork):
        network.close()
    return size, layout


def _opened(path: Path, classes: list[str], told: Answers) -> tuple[nn.Module, int, str]:
    """A model, the side of the images that it takes (0 = any), and how they lie in its input."""
    if path.suffix == ".safetensors":
        return loaded(told.architecture or "", len(classes), path), 0, LAYOUTS[0]
    wrong: list[QurdError] = []
    for layout in LAYOUTS:
        try:
            network = OnnxNetwork(path, {"layout": layout}, {"gives": "logits"})
        except QurdError as error:
            wrong.append(error)
            continue
        return network, max(network.about["size"]), layout
    raise wrong[0]


def _reordered(classes: Sequence[str], models: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What is said of models whose classes stand in another order than the folders do by name."""
    others = [model for model in models if "classes" in model]
    if others:
        own = others[0]["classes"]
        place = next(place for place, name in enumerate(classes) if own[place] != name)
        more = f" and of {len(others) - 1} more models" if len(others) > 1 else ""
        yield (
            f"The classes of '{others[0]['model']}'{more} stand in another order than the folders do by name: output {place}"
            f" is '{own[place]}' and not '{classes[place]}'. The manifest lists them as each model has them."
        )


def _notes(roles: dict[Path, str], rows: Sequence[dict[str, Any]], classes: int) -> Iterator[str]:
    unrelated = sum(role == UNRELATED for role in roles.values())
    if unrelated:
        yield (
            f"{unrelated} unrelated model(s): each counts as a lineage of its own. Correct their 'lineage' where some share"
            " a pre-trained network."
        )
    for row in rows:
        if row["right on"] / row["of"] - 1 / classes < NEAR * (1 - 1 / classes):
            yield (
                f"'{row['model']}' is right on {row['right on']} of {row['of']} pictures, however they are prepared: are its"
                " classes in another order than those of your model?"
            )
