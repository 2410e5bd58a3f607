"""The passes of a recorded run and nothing else: python -m tests.benchmarks.replay PASSES.json (see `limit`).

Two processes of one thread take models from a common list, the longest first. A model is loaded once and makes its forward
and backward passes with batches of the recorded sizes, in channels_last, on random images.
"""

import json
import multiprocessing
import sys
from pathlib import Path

PROCESSES = 2
BACKWARD = 3  # a gradient takes about as long as three forward passes; decides the order of the models only


def play(job: tuple[str, dict[str, dict[str, int]]]) -> None:
    """All passes of one model: `{"forward" | "gradient": {batch size: how many}}`."""
    import torch

    from qurd_core.benchmarks.patchwork.protocol import FOLDER, WORLD
    from qurd_core.benchmarks.zoo.models import load

    torch.set_num_threads(1)
    name, passes = job
    model = load(FOLDER, name, WORLD).eval().requires_grad_(False).to(memory_format=torch.channels_last)
    largest = max(int(size) for sizes in passes.values() for size in sizes)
    images = torch.rand(largest, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    images = images.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        for size, times in passes.get("forward", {}).items():
            for _ in range(times):
                model(images[: int(size)])
    for size, times in passes.get("gradient", {}).items():
        for _ in range(times):
            x = images[: int(size)].clone().requires_grad_()
            torch.autograd.grad(model(x).sum(), x)


def images_of(passes: dict[str, dict[str, int]]) -> int:
    """How much work a model has, in forward passes of one image."""
    weights = {"forward": 1, "gradient": BACKWARD}
    return sum(weights[kind] * int(size) * times for kind, sizes in passes.items() for size, times in sizes.items())


def main() -> None:
    jobs = sorted(json.loads(Path(sys.argv[1]).read_text()).items(), key=lambda job: -images_of(job[1]))
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for _ in pool.imap_unordered(play, jobs):
            pass


if __name__ == "__main__":
    main()
