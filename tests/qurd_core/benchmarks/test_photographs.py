import hashlib

import numpy as np
import pytest
import torch

from qurd_core.benchmarks.patchwork.patches import JITTER, PER_CLASS, SHARES, patches, region_map
from qurd_core.benchmarks.photographs import CLASSES, COLOUR, REGIONS, SIDE, photograph, photograph_names
from qurd_core.errors import QurdError

DISJOINT = ("victim", "attacker", "test")


def pixels_of(region):
    """Per photograph, which of its pixels the patches of a region show."""
    shown = {name: np.zeros(photograph(name).shape[:2], bool) for name in photograph_names()}
    for photo, top, left, side, _ in patches(region).places.tolist():
        shown[photograph_names()[photo]][top : top + side, left : left + side] = True
    return shown


@pytest.mark.parametrize("region", DISJOINT)
def test_a_region_has_as_many_patches_of_every_class(region):
    found = patches(region)
    assert found.pixels.shape == (PER_CLASS[region] * len(CLASSES), 3, SIDE, SIDE)
    assert found.pixels.dtype == torch.uint8
    assert torch.bincount(found.truth).tolist() == [PER_CLASS[region]] * len(CLASSES)


def test_no_pixel_is_seen_by_two_regions():
    shown = [pixels_of(region) for region in DISJOINT]
    for name in COLOUR:
        assert (sum(part[name].astype(int) for part in shown) <= 1).all()
        assert all(part[name].any() for part in shown)


def test_no_patch_occurs_twice_in_any_region():
    every = torch.cat([patches(region).pixels for region in (*DISJOINT, "mono")]).flatten(1).numpy()
    assert len({row.tobytes() for row in every}) == len(every)


def test_blocks_are_shared_out_as_declared():
    for name in COLOUR:
        found = np.bincount(region_map(name).ravel(), minlength=3) / region_map(name).size
        assert np.abs(found - list(SHARES.values())).max() < 0.08, name


def test_a_patch_is_the_place_it_remembers():
    found = patches("test")
    from PIL import Image

    for row in range(0, len(found), 397):
        photo, top, left, side, turn = found.places[row].tolist()
        source = Image.fromarray(photograph(photograph_names()[photo]))
        again = np.asarray(source.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
        again = np.rot90(again, turn % 4)
        again = again[:, ::-1] if turn >= 4 else again
        # To the last bit: a filter that reads one pixel beyond the square would let two regions share it.
        assert np.array_equal(again, found.pixels[row].permute(1, 2, 0).numpy())


def test_jitter_changes_light_and_colour_but_not_what_is_shown():
    before, after = patches("attacker"), patches("jittered")
    assert torch.equal(before.truth, after.truth)
    assert torch.equal(before.places, after.places)
    assert not torch.equal(before.pixels, after.pixels)
    means = [part.pixels.float().mean((1, 2, 3)) for part in (before, after)]
    ratio = (means[1] / means[0])[means[0] > 50]  # rounding moves the mean of dark patches by much
    assert 0.95 < float(ratio.median()) < 1.05
    assert 1 - JITTER - 0.02 <= float(ratio.min()) < 0.85
    assert 1.15 < float(ratio.max()) <= 1 + JITTER + 0.02


def test_public_joins_attacker_and_mono_as_twenty_classes():
    found = patches("public")
    assert found.truth.unique().tolist() == list(range(20))
    assert torch.equal(found.pixels[:3500], patches("attacker").pixels)


def test_noise_has_no_truth():
    assert patches("noise").truth.unique().tolist() == [-1]


def test_the_digest_is_of_images_and_truth():
    found = patches("test")
    assert found.digest == hashlib.sha256(found.pixels.numpy().tobytes() + found.truth.numpy().tobytes()).hexdigest()


def test_every_region_is_explained_and_unknown_ones_are_refused():
    for region in REGIONS:
        assert len(patches(region))
    with pytest.raises(QurdError, match="Did you mean 'attacker'"):
        patches("atacker")
