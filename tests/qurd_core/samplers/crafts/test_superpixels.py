"""LIME neighbourhoods against loops over pixels."""

import numpy as np
import pytest
import torch
from skimage.segmentation import quickshift

from qurd_core.benchmarks.patchwork.patches import patches
from qurd_core.samplers.crafts.superpixels import OFF, SEGMENTS, segment
from qurd_core.types import Queries


@pytest.fixture
def queries(craft):
    return craft("superpixels", masks=20, segmentation="quickshift")  # which gives images different numbers of superpixels


def test_pixels_are_those_of_the_seed_or_the_mean_colour(queries, seeds):
    expected = torch.empty_like(queries.x)
    for row in range(len(queries)):
        group = row // 20
        for i, j in np.ndindex(8, 8):
            on = queries.aux["masks"][row, queries.aux["segments"][group, i, j]]
            expected[row, :, i, j] = seeds.x[group, :, i, j] if on else OFF
    assert torch.equal(queries.x, expected)
    assert (queries.x == OFF).any()


def test_the_first_query_of_a_group_is_the_seed(queries, seeds):
    assert torch.equal(queries.x[::20], seeds.x)
    assert queries.group.tolist() == seeds.group.repeat_interleave(20).tolist()


def test_coins_are_fair_and_stay_within_an_images_own_superpixels(queries):
    masks, segments = queries.aux["masks"].unflatten(0, (-1, 20)), queries.aux["segments"]
    counts = segments.flatten(1).amax(1) + 1
    assert len(counts.unique()) > 1  # some are padded
    own = torch.arange(masks.shape[2]) < counts[:, None]
    assert torch.equal(masks[:, 0], own)
    assert not masks[~own[:, None].expand_as(masks)].any()
    tossed = masks[:, 1:][own[:, None].expand(-1, 19, -1)]
    assert tossed.float().mean() == pytest.approx(0.5, abs=4 * 0.5 / len(tossed) ** 0.5)


def test_the_mean_colour_is_zero_behind_the_normalisation(linear, craft):
    victim = linear("victim", bias=torch.tensor([1.0, 2.0, 3.0]))
    torch.testing.assert_close(victim.logits(torch.full((1, 3, 8, 8), OFF)), torch.tensor([[1.0, 2.0, 3.0]]))


def test_images_are_segmented_on_the_authors_scale(seeds):
    settings = {"kernel_size": 4, "max_dist": 200, "ratio": 0.2, "rng": 0}
    images = [(image, image.permute(1, 2, 0).double().numpy()) for image in seeds.x]
    found = [(segment(image, "quickshift").numpy(), pixels) for image, pixels in images]
    assert all(np.array_equal(segments, quickshift(255 * pixels, **settings)) for segments, pixels in found)
    assert any(not np.array_equal(segments, quickshift(pixels, **settings)) for segments, pixels in found)


@pytest.mark.parametrize("region", ["test", "noise"])
def test_every_image_has_at_least_eight_superpixels_numbered_without_gaps(region):
    plain = [torch.zeros(3, 32, 32), torch.ones(3, 32, 32), torch.full((3, 224, 224), 0.5)]
    images = [*(patches(region).pixels[::40].float() / 255), *plain]
    for image in images:
        numbers = segment(image).unique()
        assert 8 <= len(numbers) <= SEGMENTS
        assert torch.equal(numbers, torch.arange(len(numbers)))


def test_the_authors_segmentation_leaves_few_distinct_queries_of_plain_images(craft, seeds):
    plain = Queries(torch.full((1, 3, 32, 32), 0.2), seeds.group[:1], seeds.seed[:1], seeds.truth[:1])
    ours, theirs = (craft("superpixels", on=plain, masks=100, segmentation=how) for how in ("slic", "quickshift"))
    assert len(theirs.x.unique(dim=0)) <= 4
    assert len(ours.x.unique(dim=0)) > 90


def test_an_image_has_the_same_neighbours_whatever_comes_after_it(craft, seeds):
    how = "quickshift"
    order = torch.stack([segment(image, how).max() for image in seeds.x]).argsort()  # from few superpixels to many

    def neighbours(rows: torch.Tensor) -> Queries:
        some = Queries(seeds.x[rows], seeds.group[: len(rows)], seeds.seed[rows], seeds.truth[rows])
        return craft("superpixels", on=some, segmentation=how)

    few, all_of_them = neighbours(order[:3]), neighbours(order)
    assert few.aux["masks"].shape[1] < all_of_them.aux["masks"].shape[1]
    assert torch.equal(all_of_them.x[: len(few)], few.x)
