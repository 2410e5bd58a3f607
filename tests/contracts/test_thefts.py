"""What every registered theft keeps to, on a few patches."""

from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from qurd_core.benchmarks.base import register_benchmarks
from qurd_core.benchmarks.patchwork.patches import patches
from qurd_core.benchmarks.patchwork.protocol import WORLD
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES, initialised
from qurd_core.benchmarks.zoo.supplies import Supplies
from qurd_core.grammar import Value
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.registry import Parameter, thefts
from qurd_core.types import Images

FEW = 3  # patches per class
SMALL = {"data_free": {"queries": 256}}  # parameters that keep thefts quick here

register_benchmarks()


class Stolen(NamedTuple):
    """Two thefts of one lineage, what was read for the first, and the victim before and after."""

    reads: str
    once: nn.Module
    again: nn.Module
    supplies: Supplies
    before: Tensor
    after: Tensor


def few(region: str) -> Images:
    every = patches(region)
    rows = torch.cat([(every.truth == label).nonzero()[:FEW, 0] for label in every.truth.unique()])
    return Images(every.pixels[rows], every.truth[rows], every.places[rows])


def some(parameter: Parameter) -> Value:
    """The first choice, or the middle of the range."""
    return parameter.choices[0] if parameter.choices else (parameter.range.low + parameter.range.high) / 2


def weights(model: nn.Module) -> Tensor:
    return torch.cat([values.detach().flatten().double() for values in model.state_dict().values()])


@pytest.fixture(scope="module", params=list(thefts))
def stolen(request) -> Stolen:
    theft = thefts[request.param]
    given = {key: some(parameter) for key, parameter in theft.parameters.items() if parameter.required}
    given |= SMALL.get(request.param, {})
    victim, made = initialised("vgg", 10, stream(0, "victim")), []
    before = weights(victim)
    # What holds after some steps holds after the many that so few patches need.
    brief = replace(WORLD, images=few, epochs=dict.fromkeys(ARCHITECTURES, 3), enough=1)
    for _ in range(2):
        supplies, model = Supplies("train(vgg,victim)->stolen", brief), deepcopy(victim)
        if theft.declares.reads == "answers":
            model = Oracle(victim, classes=10, access=theft.declares.access)
        made.append((theft.function(model, supplies, **given), supplies))
    (once, supplies), (again, _) = made
    return Stolen(theft.declares.reads, once, again, supplies, before, weights(victim))


@pytest.mark.slow
def test_a_theft_follows_its_lineage_alone(stolen):
    assert torch.equal(weights(stolen.once), weights(stolen.again))


@pytest.mark.slow
def test_a_stolen_model_is_another_one_and_answers(stolen):
    assert not torch.equal(weights(stolen.once), stolen.before)
    with torch.no_grad():
        answers = stolen.once.eval()(few("test").pixels.float() / 255)
    assert answers.shape == (10 * FEW, 10)
    assert bool(torch.isfinite(answers).all())


def test_who_reads_answers_reads_no_truth_and_leaves_the_victim_as_it_was(stolen):
    assert torch.equal(stolen.before, stolen.after)
    assert stolen.reads == "weights" or not stolen.supplies.read_truth
