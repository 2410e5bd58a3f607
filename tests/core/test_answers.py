import torch

from qurd_core.answers import answer


def test_a_model_is_asked_once_per_query_about_the_pixels_themselves(linear, seeds):
    suspect = linear("stranger")
    found = answer(suspect, seeds)
    assert suspect.asked == len(seeds)
    torch.testing.assert_close(found, ((seeds.x - 0.45) / 0.25).flatten(1) @ suspect._module.weight.T)
    assert not found.requires_grad


def test_no_queries_have_no_answers(linear, seeds):
    assert answer(linear("stranger"), seeds.take(0)).shape == (0, 3)
    torch.testing.assert_close(answer(linear("stranger"), seeds.take(5)), answer(linear("stranger"), seeds)[:5])
