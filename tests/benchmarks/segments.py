"""How images should be cut into superpixels: what every choice costs in repeated queries, and what it catches.

    python -m tests.benchmarks.segments

Of all patches: the least number of superpixels and the share with fewer than 8. Of ZestOfLIME on patchwork-sac: distinct
queries of 100 and TPR@5% at 100 and 400 queries (1 and 4 images), means over victims and query seeds. Takes ten minutes.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from qurd_core.benchmarks.patchwork.patches import patches
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.runtime import Runtime
from qurd_core.samplers.crafts import superpixels
from qurd_core.store import Store

CHOICES = (("quickshift", 0), ("slic", 16), ("slic", 25), ("slic", 36), ("slic", 64))
BUDGETS = [100, 400]
SEEDS = 5


def main() -> None:
    images = np.concatenate([patches(region).pixels[::8] for region in ("victim", "test", "mono")])
    rows = []
    for segmentation, segments in CHOICES:
        superpixels.SEGMENTS = segments or superpixels.SEGMENTS
        started = time.perf_counter()
        counts = [_count(image, segmentation) for image in images]
        seconds = (time.perf_counter() - started) / len(images)
        scheme = f"uniform(train)->superpixels(segmentation={segmentation}) | lime(of=logits) | l2"
        with tempfile.TemporaryDirectory() as folder:
            found = evaluate(
                "patchwork-sac", [scheme], budgets=BUDGETS, seeds=SEEDS, store=Store(Path(folder)), runtime=Runtime("cpu")
            ).set_index("budget")
        rows.append(
            {"segmentation": segmentation, "segments": segments or "", "least": min(counts)}
            | {"below 8": np.mean(np.array(counts) < 8), "median": np.median(counts), "ms": 1000 * seconds}
            | {"distinct of 100": found.loc[100, "distinct"]}
            | {f"{rate} {budget}": found.loc[budget, rate] for budget in BUDGETS for rate in ("tpr", "sd", "auc")}
        )
        print(pd.DataFrame(rows).round(3).to_string(index=False), flush=True)


def _count(image: np.ndarray, segmentation: superpixels.Segmentation) -> int:

    return int(superpixels.segment(torch.from_numpy(image).float() / 255, segmentation).max()) + 1


if __name__ == "__main__":
    sys.exit(main())
