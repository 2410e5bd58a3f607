"""Models that are at hand in Python: networks, functions that answer labels, probits or logits, and what is refused."""

import numpy as np
import pytest
import torch

from qurd_core.access import Access
from qurd_core.errors import QurdError
from qurd_core.runtime import Runtime
from qurd_core.suspects.callables import bench_of
from qurd_core.suspects.checking import check

IMAGES = torch.randint(0, 256, (400, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
TRUTH = torch.arange(400) % 3


def net(seed: int) -> torch.nn.Module:
    made = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
    weights = torch.randn(3, 48, generator=torch.Generator().manual_seed(seed))
    made[1].weight.data, made[1].bias.data = weights, torch.zeros(3)
    return made


def labels(seed: int):
    return lambda x: net(seed)(x).argmax(1)


def probits(seed: int):
    return lambda x: net(seed)(x).softmax(1).detach().numpy()


def ask(suspects=None, victim=None, **how):
    unrelated = how.pop("unrelated", {f"u{seed}": net(seed) for seed in range(1, 40)})
    how = {"images": (IMAGES, TRUTH), "budget": 60} | how
    return check(victim=victim or net(0), suspects=suspects or {"copy": net(0)}, unrelated=unrelated, **how)


@pytest.mark.parametrize("kind", [net, labels, probits])
def test_networks_and_functions_are_asked_alike(kind):
    found = ask({"copy": kind(0), "other": kind(99)}, level=0.1)
    assert [one.said for one in found.each] == ["closer", "not_distinguished"]
    assert found.each[0].score == 0


def test_what_all_reveal_decides_which_schemes_go():
    def bench(suspect):
        return bench_of(net(0), {"shop": suspect}, {"u": net(1)}, {}, (IMAGES, TRUTH), None)

    assert bench(net(0)).access is Access.GRADIENTS
    assert bench(labels(0)).access is Access.LABELS
    assert bench(probits(0)).access is Access.PROBITS
    assert bench(lambda x: net(0)(x)).access is Access.LOGITS
    assert ask({"shop": probits(0)}, scheme="negative(test) | probits | l1").each[0].said == "closer"
    with pytest.raises(QurdError, match="needs probits, and models at hand reveals labels only"):
        ask({"shop": labels(0)}, scheme="negative(test) | probits | l1")


def test_what_the_first_answers_are_taken_as_holds_for_all_and_is_said():
    def peaked(seed):
        """Logits of which one image in four looks like probits."""
        sure = torch.tensor([1.0, 0.0, 0.0])
        return lambda x: torch.where((x[:, :1, 0, 0] < 0.25), sure, net(seed)(x))

    bench = bench_of(net(0), {"shop": peaked(0)}, {"u": probits(1), "v": labels(2)}, {}, (IMAGES, TRUTH), None)
    assert bench.notes == (
        "Taken as labels: the answers of v.",
        "Taken as probits: the answers of u.",
        "Taken as logits: the answers of shop.",
    )
    x = (IMAGES[:200].float() / 255)[IMAGES[:200, 0, 0, 0] < 60]
    sure = bench.oracle("shop", Runtime()).logits(x)  # every row of which alone would be taken for probits
    assert torch.equal(sure, torch.tensor([1.0, 0.0, 0.0]).expand(len(x), 3))
    found = ask({"shop": probits(0)})
    assert found.notes == ("Taken as probits: the answers of shop.",)


def test_a_function_that_answers_in_another_way_later_is_a_sentence():
    def turns(x):
        return probits(0)(x) if len(x) == 8 else net(0)(x)

    with pytest.raises(QurdError, match=r"Expected probits from 'shop', as its first answers were. Got logits later"):
        ask({"shop": turns})
    with pytest.raises(QurdError, match=r"Expected labels from 'shop', as its first answers were. Got probits later"):
        ask({"shop": lambda x: labels(0)(x) if len(x) == 8 else probits(0)(x)})


def test_queries_are_crafted_on_a_network_and_not_on_a_function():
    scheme = "negative(test)->pgd | labels | hamming"
    assert ask({"copy": labels(0)}, scheme=scheme, budget=20).each[0].said == "closer"
    with pytest.raises(QurdError, match="the victim answers logits only, gradients were asked for"):
        ask(victim=labels(0), scheme=scheme, budget=20)


def test_nothing_of_a_function_is_stored(tmp_path, monkeypatch):
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    ask()
    assert not list(tmp_path.iterdir())


def test_pixels_between_two_bytes_are_rounded_to_one():
    x = torch.full((400, 3, 4, 4), 0.5)
    bench = bench_of(net(0), {"s": net(1)}, {"u": net(2)}, {}, (x, TRUTH), ["a", "b", "c"])
    assert bench.images("test").pixels.unique().tolist() == [128]
    every = torch.arange(256, dtype=torch.uint8)
    exact = torch.cat([every, every[:144]])[:, None, None, None].expand(-1, 3, 4, 4)
    again = bench_of(net(0), {"s": net(1)}, {"u": net(2)}, {}, (exact.float() / 255, TRUTH), None)
    assert torch.equal(again.images("test").pixels, exact)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"unrelated": {}}, "Expected a victim, suspects and unrelated models by name"),
        ({"images": (IMAGES.float(), TRUTH)}, "Expected images from 0 to 1, or bytes. Got 0 to 255"),
        ({"images": (IMAGES[:, 0], TRUTH)}, r"Expected images \(n,3,H,W\)"),
        ({"images": (IMAGES, TRUTH.float())}, "as whole numbers from 0"),
        ({"images": (IMAGES, TRUTH[:9])}, r"Expected images \(n,3,H,W\)"),
        ({"classes": ["a", "b"]}, "Expected a name for each of the 3 classes"),
        ({"suspects": {"u1": net(0)}}, "Expected every model under a name of its own"),
        ({"suspects": {"shop": 7}}, "Expected a network or a function as 'shop'. Got a int"),
        ({"suspects": {"shop": lambda x: "cat"}}, r"Expected labels \(n,\) or numbers \(n,C\) from 'shop'. Got a str"),
        ({"suspects": {"shop": lambda x: torch.zeros(len(x), 4)}}, r"\(8,3\) probits or logits, from 'shop'. Got"),
        ({"suspects": {"shop": lambda x: torch.full((len(x),), 9)}}, "Expected labels from 0 to 2 from 'shop'. Got 9 to 9"),
        ({"suspects": {"shop": lambda x: np.full((len(x), 3), np.nan)}}, "Expected finite logits from shop"),
        ({"bench": "patchwork-sac"}, "Expected names of models of the benchmark, or models and images without one"),
    ],
)
def test_what_is_no_model_or_no_image_is_a_sentence(how, says):
    with pytest.raises(QurdError, match=says):
        ask(**how)
