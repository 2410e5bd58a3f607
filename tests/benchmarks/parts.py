"""Our crafts and heads against plain versions of them, part by part: python -m tests.benchmarks.parts [--repeats N]

Everything runs on one CPU thread, in the sizes in which the pipeline calls the parts; both sides take turns and the table
gives medians of their CPU time. What both sides reach is printed beside their time. Nothing is scaled.
"""

import argparse
import warnings

import torch
from captum.robust import PGD
from torch import Tensor, nn

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark, benchmark
from qurd_core.detectors.norms import l2
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.representations.listwise import listwise
from qurd_core.runtime import Runtime
from qurd_core.samplers.crafts import boundary, pgd, superpixels
from qurd_core.samplers.crafts.targets import random_target
from qurd_core.types import Answers, Prefixes, Queries
from tests.benchmarks import one_at_a_time as plain
from tests.benchmarks.clock import BUDGETS, alternate, load, show
from tests.benchmarks.plain import plain_model

SEEDS = {"boundary": 64, "pgd": 32, "superpixels": 4}  # images; the pipeline calls superpixels with one at a time
COLUMNS = ("", "plain, ms", "ours, ms", "ratio", "target", "plain reaches", "ours reaches", "same")


def images(bench: Benchmark, n: int) -> Tensor:
    pixels = bench.images("train").pixels
    return pixels[torch.randperm(len(pixels), generator=stream(0, "parts"))[:n]].float() / 255


def crossing(oracle: Oracle, model: nn.Module, x: Tensor, repeats: int) -> tuple[object, ...]:
    """`boundary`: all images at once, or one after another, from the same images to the same classes."""
    source = oracle.labels(x)
    goal = random_target(source, oracle.classes, stream(0, "goal"))

    def ours() -> tuple[Tensor, Tensor]:
        rest = {"lr": plain.LR, "steps": plain.STEPS, "stop": "label", "margin": plain.MARGIN}
        return boundary.cross(oracle, x, source, goal, **rest)[:2]

    def theirs() -> tuple[Tensor, Tensor]:
        found = [plain.cross(model, *row) for row in zip(x, source.tolist(), goal.tolist(), strict=True)]
        return torch.stack([one.image for one in found]), torch.tensor([one.arrived for one in found])

    (x_ours, in_ours), (x_theirs, in_theirs) = ours(), theirs()
    both = in_ours & in_theirs
    same = (oracle.labels(x_ours) == oracle.labels(x_theirs))[both].float().mean()
    reached = [f"{float(arrived.float().mean()):.2f} at target" for arrived in (in_theirs, in_ours)]
    return alternate({"plain": theirs, "ours": ours}, repeats), ">= 3", *reached, f"labels {same:.2f}"


def climbing(oracle: Oracle, model: nn.Module, x: Tensor, repeats: int) -> tuple[object, ...]:
    """`pgd` with its 40 steps against captum's with the same eps, step and random start; both look up the labels."""
    seeds = Queries(x, torch.arange(len(x)), torch.arange(len(x)))
    attack = PGD(model, nn.CrossEntropyLoss(reduction="none"), lower_bound=0, upper_bound=1)
    step = pgd.STEP * plain.EPS

    def ours() -> Tensor:
        return pgd.pgd(seeds, oracle, stream(0, "pgd"), eps=plain.EPS, steps=plain.CLIMBS).x[1::2]

    def theirs() -> Tensor:
        with torch.no_grad():
            labels = model(x).argmax(1)
        return attack.perturb(x.clone(), plain.EPS, step, plain.CLIMBS, target=labels, random_start=True)

    labels = oracle.labels(x)
    flips = [oracle.labels(partners) != labels for partners in (theirs(), ours())]
    reached = [f"{float(flip.float().mean()):.2f} flipped" for flip in flips]
    same = (flips[0] == flips[1]).float().mean()
    return alternate({"plain": theirs, "ours": ours}, repeats), ">= 1", *reached, f"flips {same:.2f}"


def masking(x: Tensor, repeats: int) -> tuple[object, ...]:
    """`superpixels` without its segmentation: whole rows of masks at once, or mask after mask."""
    segments = [superpixels.segment(image)[None] for image in x]
    rng = stream(0, "masks")
    on = [superpixels.draw_masks(one, plain.MASKS, rng) for one in segments]

    def ours() -> list[Tensor]:
        return [superpixels.switch(image[None], one, rows)[0] for image, one, rows in zip(x, segments, on, strict=True)]

    def theirs() -> list[Tensor]:
        return [plain.switch(image, one[0], rows[0]) for image, one, rows in zip(x, segments, on, strict=True)]

    equal = all(torch.equal(mine, other) for mine, other in zip(ours(), theirs(), strict=True))
    seconds = alternate({"plain": theirs, "ours": ours}, repeats)
    return seconds, ">= 2", "", "", "identical" if equal else "DIFFERENT"


def matrices(models: int, repeats: int) -> tuple[object, ...]:
    """`listwise | l2` of all suspects at all budgets, or suspect by suspect and budget by budget."""
    size = max(BUDGETS)
    logits = torch.randn(models, size, 10, generator=stream(0, "logits"))
    queries = Queries(torch.zeros(size, 3, 1, 1), torch.arange(size), torch.arange(size))

    def ours() -> Tensor:
        represented = listwise(Answers(queries, Access.LOGITS, logits), of="logits")
        return l2(represented[0], represented, Prefixes(BUDGETS, square=True, whole=True))

    def matrix(outputs: Tensor) -> Tensor:
        units = outputs / outputs.norm(dim=1, keepdim=True)
        return (1 - units @ units.T) / 2

    def distance(outputs: Tensor, victim: Tensor) -> float:
        return float((matrix(outputs) - victim).square().mean().sqrt())

    def theirs() -> Tensor:
        victims = {budget: matrix(logits[0, :budget]) for budget in BUDGETS}
        return torch.tensor([[distance(one[:budget], victims[budget]) for budget in BUDGETS] for one in logits])

    worst = float((ours() - theirs()).abs().max())
    return alternate({"plain": theirs, "ours": ours}, repeats), "", "", "", f"within {worst:.0e}"


def row(name: str, seconds: dict[str, float], target: str, *rest: object) -> tuple[object, ...]:
    slow, fast = (1000 * seconds[side] for side in ("plain", "ours"))
    return name, slow, fast, slow / fast, target, *rest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Input Tensor")  # captum's, about what it does to its inputs
    bench, rows = benchmark("patchwork-sac"), []
    for victim in bench.victims:
        oracle, module = bench.oracle(victim, Runtime()), plain_model(victim)
        last = plain_model(victim).to(memory_format=torch.channels_last)
        arch = bench.record(victim)["architecture"]
        x = images(bench, SEEDS["boundary"])
        rows.append(row(f"boundary, {len(x)} images, {arch}", *crossing(oracle, module, x, repeats)))
        x = images(bench, SEEDS["pgd"])
        for name, model in (("captum", module), ("captum in channels_last", last)):
            rows.append(row(f"pgd, {len(x)} images, {arch}, {name}", *climbing(oracle, model, x, repeats)))
    x = images(bench, SEEDS["superpixels"])
    rows.append(row(f"superpixels, {len(x)} x {plain.MASKS} masks", *masking(x, repeats)))
    models = len(bench.pairs_of(bench.victims[0]))
    rows.append(row(f"listwise | l2, {models} suspects, {len(BUDGETS)} budgets", *matrices(models, repeats)))
    print(f"patchwork-sac, one thread, medians of {repeats} alternating runs in CPU time; {load()}")
    show("parts (nothing is scaled)", COLUMNS, rows)
    segmenting = alternate({"both": lambda: [superpixels.segment(image) for image in x]}, repeats)["both"]
    print(f"\nsegmentation of {len(x)} images, the same library call on both sides: {1000 * segmenting:.1f} ms")


if __name__ == "__main__":
    main()
