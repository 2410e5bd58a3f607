"""Blends against their definition."""

import pytest
import torch

from qurd_core.randomness import stream
from qurd_core.samplers.crafts.cutmix import draw_box, draw_corner


def test_a_round_is_all_blends_then_all_mirrors_each_a_group(craft, seeds):
    queries, n = craft("cutmix"), len(seeds)
    blends, across, down = queries.x.split(n)
    assert torch.equal(across, blends.flip(3))
    assert torch.equal(down, blends.flip(2))
    assert queries.group.tolist() == list(range(3 * n))
    assert queries.seed.tolist() == 3 * seeds.seed.tolist()
    assert queries.aux["partner"].tolist() == 3 * seeds.seed.roll(1).tolist()


def test_a_query_shows_its_partner_in_its_box_and_its_seed_elsewhere(craft, seeds, pool):
    shown = 0
    for rng in range(6):
        queries, n = craft("cutmix", rng=rng), len(seeds)
        for row, flip in ((0, None), (n + 3, 3), (2 * n + 5, 2)):
            left, top, right, bottom = queries.aux["box"][row].tolist()
            seed, partner = pool.images(torch.stack([queries.seed[row], queries.aux["partner"][row]]))
            expected, pasted = (image if flip is None else image.flip(flip - 1) for image in (seed, partner))
            expected = expected.clone()
            expected[:, top:bottom, left:right] = pasted[:, top:bottom, left:right]
            assert torch.equal(queries.x[row], expected)
            shown += (right - left) * (bottom - top)
    assert shown > 0


def test_one_box_serves_all_seeds_of_a_round(craft, seeds):
    boxes = craft("cutmix").aux["box"].split(len(seeds))
    assert all(len(box.unique(dim=0)) == 1 for box in boxes)


def test_boxes_lie_in_the_image_and_cover_a_uniform_share_where_no_border_cuts_them():
    height, width, whole = 200, 300, 0
    for seed in range(400):
        left, top, right, bottom = draw_box(height, width, stream(seed, "box"))
        assert 0 <= left <= right <= width
        assert 0 <= top <= bottom <= height
        if left > 0 and top > 0 and right < width and bottom < height:
            share = float(torch.rand((), generator=stream(seed, "box")))  # Beta(1,1)
            assert (right - left) * (bottom - top) / (height * width) == pytest.approx(share, abs=0.02)
            whole += 1
    assert whole > 40  # a sixth is expected


def test_blends_have_no_truth(craft, seeds):
    assert seeds.truth is not None
    assert craft("cutmix").truth is None


def test_corner_boxes_lie_around_the_outer_sixths_and_are_a_fifth_wide():
    boxes = [draw_corner(32, 32, stream(number, "corner")) for number in range(300)]
    centres = set()
    for left, top, right, bottom in boxes:
        for low, high in ((left, right), (top, bottom)):
            assert 3 <= high - low <= 6
            centres.add(high - 3 if low == 0 else low + 3)
    assert centres == {*range(6), *range(27, 32)}


def test_a_corner_blend_is_the_seed_outside_its_box_and_its_partner_inside(craft, seeds):
    queries = craft("corner_cutmix")
    place = {int(seed): number for number, seed in enumerate(seeds.seed)}
    partners = seeds.x[[place[int(seed)] for seed in queries.aux["partner"]]]
    left, top, right, bottom = queries.aux["box"][0].tolist()
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[top:bottom, left:right] = True
    assert torch.equal(queries.x, torch.where(inside, partners, seeds.x))
    assert queries.aux["partner"].sort().values.tolist() == queries.seed.sort().values.tolist()
