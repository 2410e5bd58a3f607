"""What every registered obfuscation keeps to, on made-up answers or images."""

import pytest
import torch
from torch import Tensor

from qurd_core.access import Access
from qurd_core.benchmarks.base import register_benchmarks
from qurd_core.benchmarks.serving import EXACT, Step
from qurd_core.randomness import stream
from qurd_core.registry import obfuscations

register_benchmarks()
ROWS, CLASSES, SIDE = 300, 10, 24  # Pillow equalises nothing of fewer than 256 pixels
BATCHES = (1, 7, 256)


@pytest.fixture(params=list(obfuscations))
def component(request):
    return obfuscations[request.param]


def step_of(component, **values) -> Step:
    return Step(component, {name: one.default for name, one in component.parameters.items()} | values)


def given(component) -> Tensor:
    """Answers from unsure to sure, or images in 8 bits, fewer where each is asked several times."""
    rng = stream(0, "obfuscation", component.name)
    if component.declares.changes == "answers":
        logits = torch.randn(ROWS, CLASSES, generator=rng, dtype=torch.float64)
        return (torch.logspace(-1, 1.3, ROWS, dtype=torch.float64)[:, None] * logits).softmax(-1)
    images = 20 if component.declares.changes == "model" else ROWS
    return torch.randint(256, (images, 3, SIDE, SIDE), generator=rng).float() / 255


def ask(images: Tensor) -> Tensor:
    """A linear model: (n,C) logits."""
    return images.flatten(1) @ torch.randn(3 * SIDE * SIDE, CLASSES, generator=stream(0, "linear")) / 4


def answers(component, some: Tensor, **values) -> Tensor:
    """What is answered behind an obfuscation: logits, or probits."""
    step = step_of(component, **values)
    if step.declares.changes == "answers":
        return step.of_answers(some, given(component))
    return step.of_model(ask, some, CLASSES) if step.declares.changes == "model" else ask(step.of_images(some))


def test_its_answers_are_what_it_declares(component):
    some = given(component)
    found = answers(component, some)  # which refuses what breaks the declaration
    assert found.shape == (len(some), CLASSES)
    assert bool(found.isfinite().all())
    assert not torch.equal(found, some if component.declares.changes == "answers" else ask(some))


def test_rows_sum_to_one_and_labels_stay_where_that_is_declared(component):
    if component.declares.changes != "answers":
        pytest.skip("it does not change answers")
    some = given(component)
    remembered = (some,) if component.declares.recalls else ()
    found = component.function(some, *remembered, **step_of(component).values)
    if component.declares.sums_to_one:
        assert float((found.sum(-1) - 1).abs().max()) < EXACT
    if component.declares.keeps_label:
        assert bool((found.gather(-1, some.argmax(-1, keepdim=True))[:, 0] >= found.amax(-1) - EXACT).all())


def test_nothing_changes_at_the_declared_values(component):
    counted = component.declares.counts_classes
    null = dict(component.declares.null) | ({counted: CLASSES} if counted else {})
    if not null:
        pytest.skip("there are no such values")
    some = given(component)
    clean = some if component.declares.changes == "answers" else ask(some)
    torch.testing.assert_close(answers(component, some, **null), clean, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.slow
def test_an_answer_is_the_same_alone_among_others_and_backwards(component, batch):
    some = given(component)
    together = answers(component, some)
    parts = torch.cat([answers(component, part) for part in some.split(batch)])
    backwards = torch.cat([answers(component, part) for part in some.flip(0).split(batch)]).flip(0)
    torch.testing.assert_close(parts, together, atol=1e-4, rtol=1e-3)  # processors round batches otherwise
    torch.testing.assert_close(backwards, together, atol=1e-4, rtol=1e-3)


def test_it_repeats_itself_and_leaves_what_it_got_and_the_global_generator_alone(component):
    some, state = given(component), torch.random.get_rng_state()
    before = some.clone()
    first = answers(component, some)
    assert torch.equal(first, answers(component, some))
    assert torch.equal(some, before)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_it_says_who_published_it_and_what_was_chosen_here(component):
    declares = component.declares
    assert declares.source
    assert declares.reconstruction is None or (declares.reconstruction[0].isupper() and declares.reconstruction[-1] == ".")
    assert declares.access < Access.GRADIENTS
    assert all(not one.required for one in component.parameters.values()), "it runs by its name alone"
