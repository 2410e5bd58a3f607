import numpy as np
import pytest
import torch

from qurd_core.access import Access
from qurd_core.representations.lime import lime, superpixels
from qurd_core.types import Answers, Queries

SIZE, COUNTS = 40, (5, 9, 7)  # masks per image, superpixels of each image


def make(masks_per_image: int = SIZE, counts: tuple[int, ...] = COUNTS) -> Queries:
    """Queries with masks of three images, padded as the craft pads them; the images do not matter."""
    rng = torch.Generator().manual_seed(0)
    masks = torch.zeros(len(counts), masks_per_image, max(counts), dtype=torch.bool)
    for rows, count in zip(masks, counts, strict=True):
        rows[:, :count] = torch.rand(masks_per_image, count, generator=rng) < 0.5
        rows[0, :count] = True
    s = len(counts) * masks_per_image
    group = torch.arange(len(counts)).repeat_interleave(masks_per_image)
    return Queries(torch.zeros(s, 3, 0, 0), group, group, None, {"masks": masks.flatten(0, 1)})


def weights(models: int = 3, counts: tuple[int, ...] = COUNTS) -> torch.Tensor:
    """(M,n,S_max,4), zero beyond an image's own superpixels."""
    found = torch.randn(models, len(counts), max(counts), 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for image, count in enumerate(counts):
        found[:, image, count:] = 0
    return found


def rows(of_weights: torch.Tensor, counts: tuple[int, ...] = COUNTS) -> torch.Tensor:
    """(M,superpixels of all images,4)."""
    return torch.cat([of_weights[:, image, :count] for image, count in enumerate(counts)], 1)


def outputs(queries: Queries, of_weights: torch.Tensor) -> torch.Tensor:
    masks = queries.aux["masks"].double().unflatten(0, (of_weights.shape[1], -1))
    return (masks @ of_weights).flatten(1, 2)


def test_a_model_linear_in_the_masks_is_recovered():
    queries, expected = make(), weights()
    found = lime(Answers(queries, Access.LOGITS, outputs(queries, expected)), of="logits")
    torch.testing.assert_close(found, rows(expected), atol=1e-10, rtol=0)


def test_it_is_least_squares_without_intercept():
    queries = make()
    answers = Answers(queries, Access.LOGITS, torch.randn(2, len(queries), 4, generator=torch.Generator().manual_seed(2)))
    found = lime(answers, of="probits")
    for model in range(2):
        for image, (count, own) in enumerate(zip(COUNTS, found[model].split(COUNTS), strict=True)):
            asked = slice(image * SIZE, (image + 1) * SIZE)
            masks = queries.aux["masks"][asked, :count].double().numpy()
            expected = np.linalg.lstsq(masks, answers.probits[model, asked].double().numpy(), rcond=None)[0]
            np.testing.assert_allclose(own.numpy(), expected, atol=1e-10)


def test_an_image_has_as_many_rows_as_superpixels_whatever_others_have():
    queries = make()
    answers = Answers(queries, Access.LOGITS, torch.randn(2, len(queries), 4, generator=torch.Generator().manual_seed(2)))
    assert superpixels(queries).tolist() == list(COUNTS)
    alone = Answers(queries.take(SIZE), Access.LOGITS, answers.outputs[:, :SIZE])
    torch.testing.assert_close(lime(alone, of="logits"), lime(answers, of="logits")[:, : COUNTS[0]])


def test_with_fewer_masks_than_superpixels_it_is_the_shortest_solution():
    queries, truth = make(6, (9, 9)), weights(counts=(9, 9))
    answers = outputs(queries, truth)
    found = lime(Answers(queries, Access.LOGITS, answers), of="logits")
    found = found.unflatten(1, (2, 9))
    torch.testing.assert_close(outputs(queries, found), answers)  # explains the answers
    assert (found.flatten(1).norm(dim=1) < truth.flatten(1).norm(dim=1)).all()  # with less weight
    assert (found - truth).abs().max() > 0.1  # and cannot know the true weights


def test_scaled_outputs_have_scaled_weights():
    queries = make()
    answers = torch.randn(2, len(queries), 4, generator=torch.Generator().manual_seed(2))
    one, three = (lime(Answers(queries, Access.LOGITS, scale * answers), of="logits") for scale in (1, 3))
    torch.testing.assert_close(three, 3 * one, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("masks", [30, 200])
def test_the_masks_of_the_craft_fit(craft, ask, masks):
    queries = craft("superpixels", masks=masks)
    found = lime(ask(queries), of="logits")
    assert found.shape == (6, int(superpixels(queries).sum()), 3)
    assert superpixels(queries).tolist() == (queries.aux["segments"].flatten(1).amax(1) + 1).tolist()


def test_a_linear_classifier_is_explained_exactly(craft, ask, linear, seeds):
    """Its logits are linear in the masks: a superpixel's weight is the sum of w (x - mean) / std over its pixels."""
    queries = craft("superpixels", masks=200)
    found = lime(ask(queries), of="logits")[0]
    terms = ((seeds.x - 0.45) / 0.25)[:, None] * linear("victim")._module.weight.view(1, 3, 3, 8, 8)
    segments = queries.aux["segments"]
    expected = torch.cat(
        [
            torch.stack([own.sum(1).mul(of == k).sum((1, 2)) for k in range(int(of.max()) + 1)])
            for own, of in zip(terms, segments, strict=True)
        ]
    )
    torch.testing.assert_close(found, expected.double(), atol=1e-5, rtol=0)
