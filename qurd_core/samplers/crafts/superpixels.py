"""LIME neighbourhoods of seed images: the queries of Zest (Jia et al. 2022)."""

from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.types import Queries

Segmentation = Literal["slic", "quickshift"]

SEGMENTS, COMPACTNESS = 36, 10.0  # of SLIC; chosen by tests/benchmarks/segments.py
OFF = 0.45  # the mean colour: pixels switched off are zero behind our models' normalisation, as in the authors' code


@crafts.register(provides={"masks"}, drops={"aim"}, needs={"photo"}, group="masks", story="masked")
def superpixels(
    seeds: Queries,
    victim: Oracle,
    rng: torch.Generator,
    *,
    masks: Annotated[int, Range(2, 10_000)] = 100,
    segmentation: Segmentation = "slic",
) -> Queries:
    """Switch random superpixels of every seed off; the first query of each group is the whole image.

    `quickshift` is the authors' segmentation. It finds one or two superpixels in many small or plain images, whose masked
    versions are then few distinct queries; `slic` finds about `SEGMENTS` in every image.
    """
    segments = torch.stack([segment(image, segmentation) for image in seeds.x])
    on = draw_masks(segments, masks, rng)
    x = switch(seeds.x, segments, on)
    truth = None if seeds.truth is None else seeds.truth.repeat_interleave(masks)
    return Queries(
        x.flatten(0, 1),
        seeds.group.repeat_interleave(masks),
        seeds.seed.repeat_interleave(masks),
        truth,
        {"masks": on.flatten(0, 1), "segments": segments},
    )


def segment(image: Tensor, segmentation: Segmentation = "slic") -> Tensor:
    """(H,W) number of the superpixel of every pixel of an image (3,H,W)."""
    from skimage import segmentation as known  # slow to import, and needed only where images are cut

    pixels = image.permute(1, 2, 0).numpy().astype(np.float64)
    if segmentation == "quickshift":  # the authors segment floats from 0 to 255; the scale changes the outcome
        return torch.from_numpy(known.quickshift(pixels * 255, kernel_size=4, max_dist=200, ratio=0.2, rng=0)).long()
    # Superpixels need not be connected: joining small ones to their neighbours leaves a single one of a noisy image.
    how = {"compactness": COMPACTNESS, "enforce_connectivity": False, "start_label": 0}
    found = known.slic(pixels, n_segments=SEGMENTS, **how)
    return torch.from_numpy(np.unique(found, return_inverse=True)[1].reshape(found.shape)).long()  # numbers may skip


def draw_masks(segments: Tensor, masks: int, rng: torch.Generator) -> Tensor:
    """(n,masks,S_max) whether each superpixel is on: fair coins, all on in the first row, False beyond an image's own.

    Coins are tossed image by image, so that the masks of one do not depend on how many superpixels a later one has.
    """
    counts = (segments.flatten(1).amax(1) + 1).tolist()
    on = torch.zeros(len(segments), masks, max(counts), dtype=torch.bool)
    for rows, count in zip(on, counts, strict=True):
        rows[:, :count] = torch.rand(masks, count, generator=rng) < 0.5
        rows[0, :count] = True
    return on


def switch(x: Tensor, segments: Tensor, on: Tensor) -> Tensor:
    """(n,masks,3,H,W) the images (n,3,H,W) with the superpixels that are not on in the mean colour."""
    shown = on.gather(2, segments.flatten(1)[:, None].expand(-1, on.shape[1], -1))
    return torch.where(shown.unflatten(2, (1, *segments.shape[1:])), x[:, None], OFF)
