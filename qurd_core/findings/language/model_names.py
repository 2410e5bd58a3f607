"""Lineages as people read them: `VGG victim · fine-tuned, run 3` for `train(vgg,victim)->finetune(seed=2)`."""

from collections.abc import Callable
from functools import cache

from qurd_core.findings.language.obfuscation_names import of_call
from qurd_core.grammar import Call, Value
from qurd_core.lineage import Lineage
from qurd_core.registry import obfuscations

NETWORKS = {
    "vgg": "VGG",
    "res": "ResNet",
    "dense": "DenseNet",
    "mb": "MobileNet",
    "vgg_model": "VGG",
    "vgg13": "VGG13",
    "vgg16_bn": "VGG16",
    "resnet18": "ResNet18",
    "densenet121": "DenseNet121",
    "mobilenet_v2": "MobileNetV2",
    "mbnetv2": "MobileNetV2",
}
DATA = {
    "attacker": "other images",
    "jittered": "jittered images",
    "quarter": "a quarter of other images",
    "tenth": "a tenth of other images",
    "mono": "other photographs",
    "CIFAR10C": "CIFAR10-C",
    "CIFAR100": "CIFAR100",
}
_OWN = ("victim", "CIFAR10", "Flower102", "SDog120")  # what victims were trained on
_DRAWN = ("victim", "quarter", "tenth")  # regions that have several draws
_QUERIED = {
    "victim": ", victim's images",
    "mono": ", other photographs",
    "few": ", few images",
    "cutouts": ", shapes of photographs",
    None: "",
}
_BITS = {"float16": "16 bits", "qint8": "8 bits", "int4": "4 bits"}
_PUBLIC = ("public", "imagenet-1k")  # what they were trained on before
_APART = " · "


@cache
def readable(lineage: str) -> str:
    """The name of a model in words, no two of a shipped benchmark the same; a lineage with a step that has none stays."""
    try:
        first, *steps = Lineage.parse(lineage).chain.calls
        if steps and _reads(first, _PUBLIC):
            victim, steps = _transferred(first, steps[0]), steps[1:]
        else:
            victim = _root(first)
        return _APART.join([victim, *map(_step, steps)])
    except (KeyError, TypeError, ValueError):  # an unreadable text is a ValueError, too
        return lineage


def _step(call: Call) -> str:
    """A theft, or an obfuscation that the model stands behind."""
    if call.name in obfuscations and call.name not in _STEPS:
        return f"behind {of_call(call)}"
    return _STEPS[call.name](call)


def folded(lineage: str) -> list[str]:
    """A readable name in lines: the first training, then one for each step."""
    name = readable(lineage)
    return name.split("->" if name == lineage else _APART)


def network(architecture: str) -> str:
    """An architecture in words; one without words stays as it is."""
    name = architecture.partition("(")[2].partition(",")[0] or architecture  # `pretrain(resnet18,imagenet-1k)`
    return NETWORKS.get(name, architecture)


def _root(call: Call) -> str:
    """A first training: of a victim, on the data of one again, or on other data."""
    if call.name != "train":
        return _published(call)
    network, data, *number = call.args
    data, part = (data[:-1], data[-1]) if data[:-1] in _DRAWN else (data, "")
    number = _only(call, "seed") if call.options else number[0] if number else None
    if data in _OWN and number is None:
        return f"{NETWORKS[network]} victim{part and f' {part}'}"
    place = "the victim's data" if data == "victim" else data if data in _OWN else DATA[data]
    return f"{NETWORKS[network]} on {place}{part and f', part {part}'}{_run(number)}"


def _published(call: Call) -> str:
    """A model of the authors' SACBench: named after its network, its data and a number."""
    network, _, shifted = call.name.partition("_cifar10C")
    if call.options or shifted:
        raise KeyError(call.name)
    if not call.args:
        return f"{NETWORKS[network]} victim"
    (number,) = call.args
    data = "CIFAR10-C" if network != call.name else "CIFAR10"
    return f"{NETWORKS[network]} on {data}{_run(number)}"


def _reads(call: Call, data: tuple[str, ...]) -> bool:
    return call.name in ("train", "pretrain") and not call.options and call.args[1:] in [(name,) for name in data]


def _transferred(first: Call, step: Call) -> str:
    """A victim that was trained on public data before."""
    data, *ratio = step.args
    share = ratio[0] if ratio else _only(step, "ratio") if step.options else 1
    if step.name != "transfer" or data not in _OWN:
        raise KeyError(step.name)
    part = "all" if share == 1 else _percent(share)
    return f"{NETWORKS[first.args[0]]} victim, {part} retrained"


def _extracted(task: str) -> Callable[[Call], str]:
    """How a student learned from the victim's answers."""

    def said(call: Call) -> str:
        network, *number = call.args
        known = dict(call.options)
        details = _QUERIED[known.pop("region", None)]
        details += {70: ", few images", None: ""}[known.pop("per_photo", None)]
        seed = known.pop("seed", number[0] if number else None)
        if known or number[1:]:
            raise KeyError(call.name)
        return f"{task} by {NETWORKS[network]}{details}{_run(seed)}"

    return said


def _numbered(said: str) -> Callable[[Call], str]:
    return lambda call: f"{said}{_run(_number(call))}"


def _shifted(call: Call) -> str:
    data, *rest = call.args
    return f"transferred to {DATA[data]}{_run(_number(Call(call.name, tuple(rest), call.options)))}"


def _pruned(said: str) -> Callable[[Call], str]:
    return lambda call: f"{_percent(_only_argument(call))} {said}"


def _quantized(call: Call) -> str:
    return f"quantized to {_BITS[_only_argument(call)]}"


def _distilled(call: Call) -> str:
    if call.args or call.options:
        raise KeyError(call.name)
    return "probit extraction"


def _number(call: Call) -> Value | None:
    """The number that tells equal steps apart, if there is one."""
    if call.args:
        return _only_argument(call)
    return _only(call, "seed") if call.options else None


def _only_argument(call: Call) -> Value:
    if call.options or len(call.args) != 1:
        raise KeyError(call.name)
    return call.args[0]


def _only(call: Call, key: str) -> Value:
    ((known, value),) = call.options or (("", 0),)
    if known != key:
        raise KeyError(known)
    return value


def _run(number: Value | None) -> str:
    """`, run 3`: counted from 1, where lineages count from 0."""
    if number is None:
        return ""
    if not isinstance(number, int):
        raise TypeError(number)
    return f", run {number + 1}"


def _percent(share: Value) -> str:
    return f"{100 * share:g} %"


_STEPS: dict[str, Callable[[Call], str]] = {
    "finetune": _numbered("fine-tuned"),
    "transfer": _shifted,
    "prune": _pruned("pruned"),
    "fine_prune": _pruned("fine-pruned"),
    "filter_prune": _pruned("of filters pruned"),
    "fineprune": _numbered("fine-pruned"),
    "quantize": _quantized,
    "probit_extraction": _extracted("probit extraction"),
    "label_extraction": _extracted("label extraction"),
    "adv_label_extraction": _extracted("adversarial label extraction"),
    "knockoff": _extracted("Knockoff extraction"),
    "data_free": _extracted("data-free extraction"),
    "steal": _extracted("label extraction"),
    "distill": _distilled,
}
