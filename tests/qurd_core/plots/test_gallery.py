"""Pictures and sentences of the Queries page: pure functions."""

import base64
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from qurd_core import findings, plots, views
from qurd_core.views.query_sets import QuerySet


def make_set(sampler: str, victim: list[int], suspect: list[int], *, group: list[int] = ()) -> QuerySet:
    n = len(victim)
    pixels, zeros = np.zeros((n, 4, 4, 3), np.uint8), np.zeros(n, int)
    groups = np.array(group or range(n), int)
    labels = np.array(victim, int), np.array(suspect, int)
    places = np.zeros((n, 5), int)
    return QuerySet(sampler, ("a", "b"), pixels, pixels, groups, groups, zeros, places, *labels, zeros, zeros)


def test_an_address_holds_the_picture_unchanged():
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    address = plots.pictures.address(pixels)
    with Image.open(BytesIO(base64.b64decode(address.partition(",")[2]))) as image:
        assert (np.asarray(image) == pixels).all()
    assert plots.pictures.address(pixels / 255) == address


def test_no_difference_is_grey_and_a_small_one_is_amplified_with_its_sign():
    seed = np.full((1, 2, 3), 128, np.uint8)
    query = np.array([[[128 / 255] * 3, [128 / 255 + 0.03] * 3]])
    assert plots.pictures.difference(query, seed) == pytest.approx(np.array([[[0.5] * 3, [0.8] * 3]]))
    assert plots.pictures.difference(2 * query, seed).max() == 1
    assert plots.pictures.difference(0 * query, seed).min() == 0


def test_superpixels_have_borders_only_where_they_meet():
    segments = np.array([[0, 0], [1, 1]])
    shown = plots.pictures.cut_up(np.zeros((2, 2, 3), np.uint8), segments)
    assert shown.shape == (8, 8, 3)
    assert (shown[4] == 255).all()
    assert not shown[[0, 1, 2, 3, 5, 6, 7]].any()


def test_a_box_is_outlined_and_its_inside_kept():
    shown = plots.pictures.boxed(np.zeros((8, 8, 3), np.uint8), (2, 1, 6, 5))
    assert (shown[4, 8:24] == 255).all()
    assert not shown[8:16, 12:20].any()
    assert not shown[:4].any()


def test_what_counted_most_is_covered_and_nothing_is_covered_without_weight():
    pixels = np.full((10, 10, 3), 100, np.uint8)
    weight = np.zeros((10, 10))
    assert (plots.pictures.looked(pixels, weight) == 60).all()
    weight[0] = 1
    assert (plots.pictures.looked(pixels, weight)[0] == plots.pictures.WARM).all()
    assert (plots.pictures.looked(pixels, weight)[1:] == 60).all()


def test_the_place_of_a_patch_in_percent_of_its_photograph():
    width, height = plots.pictures.shape("cat")
    left, top, across, down = plots.pictures.spot("cat", height // 2, 0, 30)
    assert (left, top) == (0, pytest.approx(50, abs=0.5))
    assert across / down == pytest.approx(height / width)
    assert plots.pictures.thumbnail("cat").startswith("data:image/jpeg;base64,")


MISTAKES = make_set("negative(test)", [1, 1, 1], [1, 0, 1])
PAIRS = make_set("uniform(test)->pgd", [0, 1, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0], group=[0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize(
    ("left", "right", "budget", "said"),
    [
        (
            PAIRS,
            MISTAKES,
            100,
            "The suspect is fooled like the victim on 1 of 2 adversarial images, and repeats 2 of the victim's 3 mistakes",
        ),
        (
            PAIRS,
            MISTAKES,
            2,
            "The suspect is fooled like the victim on 1 of 1 adversarial image, and repeats 1 of the victim's 2 mistakes",
        ),
        (PAIRS, MISTAKES, 1, "The suspect repeats 1 of the victim's 1 mistake"),  # no pair for one query
        (None, MISTAKES, 100, "The suspect repeats 2 of the victim's 3 mistakes"),
        (
            PAIRS,
            PAIRS,
            100,
            "The suspect is fooled like the victim on 1 of 2 adversarial images on the left and 1 of 2 on the right",
        ),
        (
            make_set("uniform(test)", [0, 0], [0, 1]),
            make_set("noise", [0], [0]),
            100,
            "The suspect agrees on 1 of 2 images and 1 of 1 noise image",
        ),
        (None, None, 100, "The queries are being made"),
        (make_set("negative(test)", [], []),) * 2 + (100, "No query to compare the two models on"),
    ],
)
def test_the_headline_counts_what_is_on_screen(left, right, budget, said):
    for kind, who in (("positive", "stolen"), ("negative", "unrelated"), ("hard", "hard unrelated")):
        expected = said.replace("The suspect", f"The {who} model")
        assert findings.queries.headline(left, right, budget, kind) == expected


def test_what_models_of_the_other_kind_do_stands_beside_it():
    assert findings.queries.beside("mistakes", "positive", 2.81, 10) == "; unrelated models repeat 28% on average"
    assert findings.queries.beside("images", "hard", 7.0, 9) == "; stolen models agree on 78% on average"


def test_an_adversarial_image_that_moved_nothing_does_not_count():
    assert views.query_sets.counts(PAIRS, 100) == (1, 2)


def test_masked_images_are_counted_one_by_one():
    masked = make_set("uniform(test)->superpixels", [0, 0, 0, 1], [0, 1, 0, 1], group=[0, 0, 0, 0])
    assert views.query_sets.counts(masked, 4) == (3, 4)
    assert views.query_sets.counts(masked, 3) == (0, 0)


def test_telling_images_in_words():
    shares = {"stolen_chosen": [1.0] * 3, "unrelated_chosen": [0.0] * 3}
    table = pd.DataFrame(shares | {"stolen_reported": [0.9] * 3, "unrelated_reported": [0.1] * 3})
    assert findings.queries.telling_headline(table) == (
        "90% of stolen and 10% of unrelated models repeat the victim's 3 most discriminative mistakes"
    )
    counts = dict.fromkeys(("stolen_chosen", "unrelated_chosen", "stolen_reported", "unrelated_reported"), 7)
    assert "models, 100% and 0%. At most 2 images of a class" in findings.queries.telling_subline(table, counts)
    assert "no mistake" in findings.queries.telling_subline(table.iloc[:0], counts)
    assert (
        findings.queries.telling_headline(table.iloc[:0])
        == "No image separates stolen from unrelated models for this victim"
    )


def test_whether_both_sides_start_from_the_same_images_is_said():
    assert "Both sides start" in findings.queries.subline("negative", [], "noise", "noise->pgd", 10)
    said = findings.queries.subline("positive", ["prune"], "uniform(test)->pgd", "uniform(train)->pgd", 1)
    assert "stolen (pruning)" in said
    assert "1 query a side" in said
    assert "start from different seed images: uniform test images and uniform training images" in said


def test_the_code_of_a_view_is_python():
    compile(findings.queries.telling_code("patchwork-sac", "v'"), "snippet", "exec")
