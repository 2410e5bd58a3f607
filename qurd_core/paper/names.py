"""The names of the authors' records, and what they are called here.

The published scores name samplers, representations and distances after classes of the authors' toolbox, and models by their
lineage. Everything that follows from a name is here: the scheme, the tasks that a pair serves, who is unrelated to whom.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import pandas as pd

from qurd_core.benchmarks.published import BENCHMARKS
from qurd_core.errors import QurdError

BY_DATASET = {dataset: name for name, (_, dataset) in BENCHMARKS.items()}

_SAMPLERS = {
    "Random": "uniform({split})",
    "Negative": "negative({split})",
    "Adversarial": "uniform({split})->pgd",
    "NegativeAdversarial": "negative({split})->pgd",
    "Boundary": "uniform({split})->boundary",
    "NegativeAugment": "negative({split})->cutmix",
    "RandomSubsample10": "uniform({split})->superpixels(masks=10)",
    "RandomSubsample100": "uniform({split})->superpixels",
    "NegativeSubsample10": "negative({split})->superpixels(masks=10)",
    "NegativeSubsample100": "negative({split})->superpixels",
}
HEADS = {
    ("Labels", "hamming"): "labels | hamming",
    ("Logits", "cosine"): "logits | cosine",
    ("DDV", "cosine"): "pairwise(of=logits) | cosine",
    ("HardDDV", "hamming"): "hard_pairwise | hamming",
    ("SAC", "l2"): "listwise(of=logits) | l2",
    ("HardSAC", "l2"): "hard_listwise | l1",  # entries are 0 or 1, so l2 is the root of l1 and ranks all models alike
    ("ZLIME", "l2"): "lime(of=logits) | l2",
}


def _and(options: str | None) -> str:
    return f"{options}," if options else ""


class Published(NamedTuple):
    """A combination in the authors' words."""

    split: str
    sampler: str
    representation: str
    distance: str


SCHEMES = {
    Published(split, sampler, *head): f"{seeds.format(split=split)} | {text}"
    for sampler, seeds in _SAMPLERS.items()
    for split in ("train", "test")
    for head, text in HEADS.items()
}
BY_SCHEME = {text: names for names, text in SCHEMES.items()}
# The authors cut images by quickshift, which is not the usual way here: a published scheme to what comes nearest to it.
_CRAFT = re.compile(r"->superpixels(?:\((.*?)\))? ")
CUT = {
    text: _CRAFT.sub(lambda found: f"->superpixels({_and(found[1])}segmentation=quickshift) ", text)
    for text in BY_SCHEME
    if _CRAFT.search(text)
}

# The last step of a stolen model's lineage, and the task that the paper files it under.
_TASKS = {
    "prune": "prune",
    "fineprune": "prune",
    "quantize": "quantize",
    "finetune": "finetune",
    "transfer": "transfer",
    "steal": "label_extraction",
    "label_extraction": "label_extraction",
    "distill": "probit_extraction",
    "probit_extraction": "probit_extraction",
    "adv_label_extraction": "adv_label_extraction",
}
TASKS = (
    *("same", "quantize", "finetune", "transfer", "prune"),
    *("probit_extraction", "label_extraction", "adv_label_extraction"),
)  # as Table 3 orders them
LEAKS = TASKS[:5]  # the others are extractions
Row = Literal["noise", "test", "train"]
Column = Literal["uniform", "adversarial", "negative", "subsampling", "joint"]

SEED_SETS: dict[Row, str] = {"noise": "input space", "test": "test set", "train": "training set"}
QUERY_SAMPLING: dict[Column, str] = {
    "uniform": "uniform",
    "adversarial": "adversarial",
    "negative": "negative",
    "subsampling": "subsampling",
    "joint": "joint detector training",
}
Cell = tuple[Row, Column]


class Printed(NamedTuple):
    """A scheme of Table 1. Underlines of three kinds tell access apart on paper; the text that we read holds one kind only.

    Attributes:
        cells: where it stands.
        underlined: it needs, or also takes, more than labels.
    """

    cells: tuple[Cell, ...]
    underlined: bool


PRINTED_CELLS = {  # Table 1
    "IPGuard": Printed((("noise", "adversarial"), ("train", "adversarial")), underlined=False),
    "MetaV": Printed((("noise", "joint"),), underlined=True),
    "DeepJudge": Printed((("test", "adversarial"), ("train", "adversarial")), underlined=True),
    "FCAE": Printed((("test", "adversarial"),), underlined=False),
    "FBI": Printed((("test", "negative"),), underlined=False),
    "ModelGif": Printed((("train", "uniform"), ("train", "adversarial")), underlined=True),
    "ModelDiff": Printed((("train", "adversarial"),), underlined=True),
    "FUAP": Printed((("train", "adversarial"), ("train", "joint")), underlined=True),
    "AFA": Printed((("train", "adversarial"),), underlined=False),
    "SSF": Printed((("train", "adversarial"),), underlined=True),
    "SAC": Printed((("train", "negative"), ("train", "subsampling")), underlined=True),
    "ZestOfLIME": Printed((("train", "subsampling"),), underlined=True),
}
PRINTED = {  # in which data sets Table 2 says that a task is
    **dict.fromkeys(("same", "prune", "probit_extraction", "label_extraction"), ("Flower102", "SDog120", "CIFAR10")),
    "quantize": ("Flower102", "SDog120"),
    **dict.fromkeys(("finetune", "transfer", "adv_label_extraction"), ("CIFAR10",)),
}
PRINTED_RATES = {  # Table 3: TPR and "+-" of every scheme, in the order of `TASKS`
    "AKH": ((1, 0), (1, 0), (1, 0), (1, 0), (0.91, 0.01), (0.78, 0.01), (0.46, 0.01), (0.92, 0.03)),
    "Random": ((1, 0), (0.93, 0.03), (1, 0), (0.48, 0.2), (0.71, 0.02), (0.46, 0.01), (0.07, 0.02), (0.06, 0.05)),
    "IPGuard": ((1, 0), (1, 0), (1, 0), (1, 0), (0.94, 0.01), (0.64, 0.02), (0.12, 0), (0.02, 0.01)),
    "ModelDiff": ((1, 0), (1, 0), (1, 0), (1, 0), (0.94, 0.01), (0.59, 0.05), (0.14, 0.02), (0.16, 0.07)),
    "SAC": ((1, 0), (1, 0), (1, 0), (1, 0), (0.92, 0), (0.81, 0), (0.59, 0.02), (1, 0)),
    "ZestOfLIME": ((1, 0), (1, 0), (1, 0), (0.78, 0.17), (0.86, 0), (0.74, 0.02), (0.38, 0.05), (0.29, 0.11)),
}
PRINTED_BUDGET = 100  # of Table 3
_VICTIM = "vgg_model"  # the one of SACBench
_SHIFTED = "cifar10C"  # in the names of its unrelated models of the transfer task
_STEP = re.compile(r"[a-z]\w*(\([\w.,\- ]*\))?")


def scheme_of(split: str, sampler: str, representation: str, distance: str) -> str:
    """The text of a published combination.

    Raises:
        QurdError: nobody has published such a combination.
    """
    found = SCHEMES.get(Published(split, sampler, representation, distance))
    if found is None:
        raise QurdError(
            f"Expected a sampler, split, representation and distance of the paper's records. "
            f"Got {sampler}, {split}, {representation}, {distance}."
        )
    return found


def check_model(name: str, dataset: str) -> None:
    """Refuse what is no model of the benchmark."""
    steps = name.split("->")
    first = ("pretrain(", "train(") if dataset != "CIFAR10" else (_VICTIM, "vgg", "resnet18", "densenet121", "mobilenet_v2")
    if not all(_STEP.fullmatch(step) for step in steps) or not name.startswith(first):
        raise QurdError(f"Expected the lineage of a model of {dataset}. Got '{name[:80]}'.")


def base_of(model: str) -> str:
    """The model that a lineage descends from: the victim that it could be stolen from, or itself."""
    steps = model.split("->")
    return "->".join(steps[:2]) if steps[0].startswith("pretrain(") else steps[0]


def root_of(model: str) -> str:
    """The network that a model began as: models that share it, pre-trained or not, are one lineage for statistics."""
    return model.split("->")[0]


def origin_of(model: str) -> str:
    """What kind of model it began as: the pre-trained network, or else the architecture and data."""
    return re.sub(r"\(\d+\)$", "", root_of(model))


def task_of(model: str) -> str:
    """The task of a stolen model, `"same"` for the victim itself."""
    if model == base_of(model):
        return "same"
    return _TASKS[model.split("->")[-1].partition("(")[0]]


def pairs(dataset: str, models: Iterable[str]) -> pd.DataFrame:
    """Who is stolen from whom and who is unrelated, as the paper pairs them.

    ModelReuse: a victim's positives are itself and what was made of it. Its negatives are the models that share no
    pre-trained network with it; those that do, with another transfer ratio, are no pair. SACBench: the models trained on
    corrupted images stand against the transfer task alone, the others against all the rest.

    Returns:
        rows of victim, suspect, kind, tasks, root (the network that the suspect counts in) and origin.
    """
    models = list(dict.fromkeys(models))
    rows = []
    for victim in (name for name in models if name == base_of(name) and (dataset != "CIFAR10" or name == _VICTIM)):
        stolen = [name for name in models if base_of(name) == victim]
        tasks = [task for task in TASKS if task in {task_of(name) for name in stolen}]
        for name in models:
            served = [task_of(name)] if name in stolen else _served(victim, name, dataset, tasks)
            if served:
                rows.append((victim, name, "positive" if name in stolen else "negative", served))
    table = pd.DataFrame(rows, columns=["victim", "suspect", "kind", "tasks"])
    return table.assign(root=table["suspect"].map(root_of), origin=table["suspect"].map(origin_of))


def _served(victim: str, model: str, dataset: str, tasks: Sequence[str]) -> list[str]:
    """The tasks that an unrelated model serves; none if it is kin of the victim."""
    if dataset == "CIFAR10":
        return [task for task in tasks if (task == "transfer") == (_SHIFTED in model)]
    kin = origin_of(model) == origin_of(victim) and model.startswith("pretrain(")
    return [] if kin or base_of(model) == victim else list(tasks)
