"""What would show that a theft is a fake: each method leaves its own marks on the weights, and reads only what it may."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from qurd_core.access import Access
from qurd_core.benchmarks.patchwork.patches import patches
from qurd_core.benchmarks.patchwork.protocol import WORLD
from qurd_core.benchmarks.thefts import extraction, knockoff, pruning, quantisation, tuning
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES, empty, head_of, initialised
from qurd_core.benchmarks.zoo.supplies import Supplies
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.registry import thefts
from qurd_core.types import Images

FEW = 12  # patches per class; enough to take some steps


def few(region: str) -> Images:
    every = patches(region)
    rows = torch.cat([(every.truth == label).nonzero()[:FEW, 0] for label in every.truth.unique()])
    return Images(every.pixels[rows], every.truth[rows], every.places[rows])


def scrambled(region: str) -> Images:
    true = few(region)
    order = torch.randperm(len(true), generator=stream(0, "scramble"))
    return Images(true.pixels, true.truth[order], true.places)


def supplies(patches_of=few) -> Supplies:
    """The marks of a theft show after some steps: nobody learns here for as long as so few patches would need."""
    brief = replace(WORLD, images=patches_of, epochs=dict.fromkeys(ARCHITECTURES, 12), enough=1)
    return Supplies("train(vgg,victim)->some_theft", brief)


def fresh(arch: str = "vgg", classes: int = 10) -> nn.Module:
    return initialised(arch, classes, stream(0, arch))


def oracle(module: nn.Module, access: Access = Access.PROBITS) -> Oracle:
    return Oracle(deepcopy(module), classes=10, access=access)


def images(region: str = "test") -> torch.Tensor:
    return few(region).pixels.float() / 255


def same(before: nn.Module, after: nn.Module) -> dict[str, bool]:
    theirs = dict(after.named_parameters())
    return {name: torch.equal(parameter, theirs[name]) for name, parameter in before.named_parameters()}


EXTRACTIONS = ["label_extraction", "probit_extraction", "adv_label_extraction", "knockoff"]
REGIONS = dict.fromkeys(EXTRACTIONS, "attacker") | {"knockoff": "mono"}  # that each asks about


@pytest.mark.parametrize("name", EXTRACTIONS)
@pytest.mark.slow
def test_extraction_never_reads_the_truth_counts_its_queries_and_copies_no_weights(name):
    victim, theft = fresh(), thefts[name]
    students = []
    for source in (few, scrambled):
        read, asked = supplies(source), oracle(victim, theft.declares.access)
        students.append(theft.function(asked, read, arch="vgg"))
        assert not read.read_truth
        assert read.regions == [REGIONS[name]]
        assert (asked.asked, asked.gradients) == (FEW * 10, 0)
    assert all(same(*students).values())
    assert not any(same(victim, students[0]).values())


@pytest.mark.parametrize("name", EXTRACTIONS)
@pytest.mark.slow
def test_a_student_of_a_constant_victim_is_constant(name):
    victim = fresh()
    _, head = head_of(victim)
    nn.init.zeros_(head.weight)
    head.bias.data = torch.eye(10)[3] * 20
    student = thefts[name].function(oracle(victim), supplies(), arch="vgg")
    assert (student(images()).argmax(1) == 3).float().mean() > 0.95


def test_extraction_asks_for_no_more_than_labels():
    with pytest.raises(ValueError, match="answers labels only"):
        extraction.probit_extraction(oracle(fresh(), Access.LABELS), supplies(), arch="vgg")


def test_few_queries_are_few():
    asked = oracle(fresh())
    extraction.label_extraction(asked, supplies(), arch="vgg", per_photo=3)
    assert asked.asked == 30


def test_knockoff_asks_for_probits_of_as_many_pictures_as_it_is_told_drawn_at_random(monkeypatch):
    sent = []
    monkeypatch.setattr(Oracle, "_ask", lambda self, x: sent.append(x) or torch.zeros(len(x), 10))
    for queries in (30, 50):
        knockoff.knockoff(oracle(fresh()), supplies(), arch="vgg", queries=queries)
    some, more = (torch.unique(images.flatten(1), dim=0) for images in sent)
    every = torch.unique(images("mono").flatten(1), dim=0)
    assert (len(some), len(more)) == (30, 50)  # none twice
    assert len(torch.unique(torch.cat([every, more]), dim=0)) == len(every)
    assert not torch.equal(sent[1], images("mono")[:50])
    assert torch.equal(sent[0], sent[1][:30])
    with pytest.raises(ValueError, match="answers labels only"):
        knockoff.knockoff(oracle(fresh(), Access.LABELS), supplies(), arch="vgg")


def test_knockoff_of_fewer_pictures_than_queries_asks_about_all():
    asked = oracle(fresh())
    knockoff.knockoff(asked, supplies(), arch="vgg", queries=1_000)
    assert asked.asked == FEW * 10


def test_finetuning_changes_every_tensor_a_little():
    victim, read = fresh(), supplies()
    tuned = tuning.finetune(deepcopy(victim), read)
    assert read.regions == ["attacker"]
    assert read.read_truth
    for (name, before), after in zip(victim.named_parameters(), tuned.parameters(), strict=True):
        assert not torch.equal(before, after), name
        if before.norm():
            assert (before - after).norm() / before.norm() < 0.2, name


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0])
def test_transfer_trains_the_last_tensors_and_only_them(ratio):
    public = fresh("mb", classes=20)
    moved = tuning.transfer(deepcopy(public), supplies(), region="victim", ratio=ratio)
    assert moved.classes == 10
    head, _ = head_of(public)
    kept = [equal for name, equal in same_shapes(public, moved).items() if not name.startswith(head)]
    trained = int(ratio * len(list(public.parameters())))
    assert sum(not equal for equal in kept) == trained - 2  # the head's two tensors are new in any case
    assert kept == sorted(kept, reverse=True)


def same_shapes(before, after):
    theirs = dict(after.named_parameters())
    return {n: p.shape == theirs[n].shape and torch.equal(p, theirs[n]) for n, p in before.named_parameters()}


def test_transfer_keeps_the_head_of_a_task_with_the_same_classes():
    victim, read = fresh(), supplies()
    moved = tuning.transfer(deepcopy(victim), read, region="jittered")
    assert read.regions == ["jittered"]
    name, head = head_of(victim)
    change = (head.weight - moved.get_submodule(name).weight).norm() / head.weight.norm()
    assert 0 < change < 0.5


@pytest.mark.parametrize("arch", ["mb", "res"])
def test_pruning_zeroes_the_smallest_weights_of_every_layer_for_good(arch):
    victim = fresh(arch)
    pruned = pruning.prune(deepcopy(victim), supplies(), ratio=0.5)
    for (name, before), after in zip(victim.named_modules(), pruned.modules(), strict=True):
        if isinstance(before, nn.Conv2d) and before.groups == 1:
            zero = after.weight == 0
            assert int(zero.sum()) == int(0.5 * zero.numel()), name
            assert before.weight.abs()[zero].max() <= before.weight.abs()[~zero].min(), name
        elif isinstance(before, nn.Conv2d | nn.Linear):
            assert not (after.weight == 0).any(), name


def test_fine_pruning_removes_whole_channels_for_good():
    pruned = pruning.fine_prune(fresh("res"), supplies(), share=0.25)
    for name, layer in pruned.named_modules():
        if isinstance(layer, nn.Conv2d):
            dead = (layer.weight == 0).flatten(1).all(1)
            assert int(dead.sum()) == int(0.25 * len(dead)), name
            assert not (layer.weight[~dead] == 0).any(), name


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_filter_pruning_removes_the_smallest_filters_with_all_that_they_gave(arch):
    victim = fresh(arch)
    pruned, outputs = pruning.filter_prune(deepcopy(victim), supplies(), share=0.25), {}
    theirs = dict(zip(victim.modules(), pruned.modules(), strict=True))
    for layer, behind in pruning._normalised(victim):
        removed = (theirs[layer].weight == 0).flatten(1).all(1)
        norms = layer.weight.abs().flatten(1).sum(1)
        assert int(removed.sum()) == int(0.25 * len(removed))
        assert not removed.any() or norms[removed].max() <= norms[~removed].min()
        assert not (theirs[layer].weight[~removed] == 0).any()
        last = theirs[behind] if behind else theirs[layer]
        last.register_forward_hook(
            lambda _, __, output, removed=removed, last=last: outputs.update({last: output[:, removed]})
        )
    with torch.no_grad():
        pruned.eval()(images())
    assert outputs
    assert not any(output.any() for output in outputs.values())


def test_filter_pruning_knows_the_normalisation_behind_a_convolution():
    found = {arch: pruning._normalised(fresh(arch)) for arch in ("vgg", "res", "mb", "dense")}
    assert all(behind for arch in ("vgg", "res", "mb") for _, behind in found[arch])
    assert {layer.groups for arch in found for layer, _ in found[arch]} == {1}
    # In DenseNets normalisation comes first: that of one layer's outputs alone is its own only in the first half of a layer.
    assert {behind is None for _, behind in found["dense"]} == {True, False}


def test_half_precision_is_exactly_that():
    victim = fresh()
    halved = quantisation.quantize(deepcopy(victim), supplies(), dtype="float16")
    for before, after in zip(victim.parameters(), halved.parameters(), strict=True):
        assert torch.equal(after, before.half().float())
    change = (victim.eval()(images()) - halved.eval()(images())).abs().max()
    assert 0 < change < 1e-2


def test_eight_bits_are_eight_bits_per_channel():
    victim = fresh("mb")
    rounded = quantisation.quantize(deepcopy(victim), supplies(), dtype="qint8")
    for before, after in zip(victim.modules(), rounded.modules(), strict=True):
        if isinstance(before, nn.Conv2d | nn.Linear):
            for channel, original in zip(after.weight, before.weight, strict=True):
                scale = original.abs().max() / 127
                assert (channel / scale - (channel / scale).round()).abs().max() < 1e-3
                assert (channel - original).abs().max() <= scale / 2 * (1 + 1e-4)
        elif isinstance(before, nn.BatchNorm2d):
            assert torch.equal(before.weight, after.weight)


def test_making_a_model_leaves_the_global_generator_alone():
    state = torch.random.get_rng_state()
    extraction.label_extraction(oracle(fresh()), supplies(), arch="mb", per_photo=2)
    pruning.fine_prune(fresh(), supplies(), share=0.1)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_same_lineage_gives_the_same_weights(arch):
    first, second = (initialised(arch, 10, stream(0, "x")) for _ in range(2))
    assert all(same(first, second).values())
    assert not all(same(first, initialised(arch, 10, stream(0, "y"))).values())
    assert all(parameter.is_meta for parameter in empty(arch, 10).parameters())
