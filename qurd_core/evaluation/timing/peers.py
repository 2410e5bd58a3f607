"""Attacks of other packages, beside the crafts that do the same with the same settings.

captum is there wherever this program is. foolbox and torchattacks ask for versions that do not go with it, so they are
compared in an environment of their own: `tests/benchmarks/requirements.txt`.
"""

import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torch import Tensor, nn

from qurd_core.samplers.crafts.pgd import STEP

Values = dict[str, Any]  # parameters of a craft
Attack = Callable[[nn.Module, Tensor, Tensor, Values], Tensor]  # module, images (n,3,H,W), labels (n,) -> images


def captum_pgd(module: nn.Module, x: Tensor, labels: Tensor, values: Values) -> Tensor:
    attack = import_module("captum.robust").PGD(module, nn.CrossEntropyLoss(reduction="none"), lower_bound=0, upper_bound=1)
    step = STEP * values["eps"]
    return attack.perturb(x.clone(), values["eps"], step, values["steps"], target=labels, random_start=True)


def foolbox_pgd(module: nn.Module, x: Tensor, labels: Tensor, values: Values) -> Tensor:
    foolbox = import_module("foolbox")
    attack = foolbox.attacks.LinfPGD(abs_stepsize=STEP * values["eps"], steps=values["steps"])
    return attack(foolbox.PyTorchModel(module, bounds=(0, 1)), x, labels, epsilons=values["eps"])[1]


def torchattacks_pgd(module: nn.Module, x: Tensor, labels: Tensor, values: Values) -> Tensor:
    eps = values["eps"]
    return import_module("torchattacks").PGD(module, eps=eps, alpha=STEP * eps, steps=values["steps"])(x, labels)


def foolbox_deepfool(module: nn.Module, x: Tensor, labels: Tensor, values: Values) -> Tensor:
    foolbox = import_module("foolbox")
    some = {"candidates": values["candidates"], "overshoot": values["overshoot"]}
    attack = foolbox.attacks.L2DeepFoolAttack(steps=values["rounds"], **some)
    return attack(foolbox.PyTorchModel(module, bounds=(0, 1)), x, labels, epsilons=None)[1]


def torchattacks_deepfool(module: nn.Module, x: Tensor, labels: Tensor, values: Values) -> Tensor:
    attack = import_module("torchattacks").DeepFool(module, steps=values["rounds"], overshoot=values["overshoot"])
    return attack(x, labels)


PEERS: dict[str, dict[str, Attack]] = {
    "pgd": {"captum": captum_pgd, "foolbox": foolbox_pgd, "torchattacks": torchattacks_pgd},
    "deepfool": {"foolbox": foolbox_deepfool, "torchattacks": torchattacks_deepfool},
}


def missing() -> list[str]:
    """The packages that are compared with and are not installed here."""
    return sorted({name for attacks in PEERS.values() for name in attacks if not find_spec(name)})


def attacks(
    craft: str, module: nn.Module, x: Tensor, labels: Tensor, values: Values
) -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """What the packages that are installed do to the images of a craft: names, and calls that give images (n,3,H,W)."""
    warnings.filterwarnings("ignore", "Input Tensor")  # captum's, about what it does to its inputs
    for name, attack in PEERS.get(craft, {}).items():
        if find_spec(name):
            yield name, lambda attack=attack: attack(module, x, labels, values)
