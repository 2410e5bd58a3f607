import pytest
import torch

from qurd_core.access import Access
from qurd_core.errors import QurdError
from qurd_core.types import Answers, Pool, Prefixes, Queries, check_images, concatenate, seeds_as_queries


def queries(groups: list[int], **options) -> Queries:
    """Queries whose pixels tell them apart."""
    n = len(groups)
    x = torch.linspace(0, 1, max(n, 1))[:n, None, None, None].expand(n, 3, 2, 2).contiguous()
    return Queries(x, torch.tensor(groups, dtype=torch.long), torch.arange(n), **options)


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(2, 1, 4, 4),
        torch.zeros(3, 4, 4),
        torch.zeros(2, 3, 4, 4, dtype=torch.float64),
        torch.full((2, 3, 4, 4), -0.01),
        torch.full((2, 3, 4, 4), 1.01),
        torch.full((2, 3, 4, 4), torch.nan),
    ],
    ids=["grey", "one image", "double", "negative", "above one", "nan"],
)
def test_images_are_float32_rgb_in_the_unit_interval(x):
    with pytest.raises(QurdError, match="Expected images"):
        check_images(x)
    check_images(torch.rand(2, 3, 4, 4))
    check_images(torch.zeros(0, 3, 4, 4))


@pytest.mark.parametrize("noise", [-1e-8, 1.0000001, -9e-6])
def test_the_noise_of_arithmetic_is_cut_off(noise):
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    assert check_images(x) is x
    x[1, 2, 3, 3] = noise
    before, found = x.clone(), check_images(x)
    assert torch.equal(found, before.clamp(0, 1))
    assert torch.equal(x, before)
    assert torch.equal(Queries(x, torch.arange(2), torch.arange(2)).x, found)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (torch.full((2, 3, 4, 4), 200, dtype=torch.uint8), r"Got torch.uint8 \(2, 3, 4, 4\): convert with .float\(\) / 255"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.float64), r"Got torch.float64 .*: convert with .float\(\)\."),
        (torch.zeros(2, 4, 4, 3), r"Got torch.float32 \(2, 4, 4, 3\): move the colours"),
        (torch.zeros(2, 1, 4, 4), "bring three colours"),
        (torch.zeros(3, 4, 4), "a single one with"),
        (torch.linspace(0, 255, 96).view(2, 3, 4, 4), "Got values from 0 to 255: divide by 255"),
        (torch.linspace(-2.1, 2.6, 96).view(2, 3, 4, 4), r"Got values from -2.1 to 2.6: undo the normalisation"),
        (torch.full((2, 3, 4, 4), 1.0001), "Got values from 1.0001 to 1.0001"),
        (torch.full((2, 3, 4, 4), torch.nan), "Got NaN"),
        (torch.full((2, 3, 4, 4), torch.inf), "Got values from inf to inf"),
    ],
)
def test_what_is_no_image_is_named_with_what_to_do(x, says):
    with pytest.raises(QurdError, match=says):
        check_images(x)


def test_access_levels_are_ordered_and_have_names():
    assert Access.LABELS < Access.TOPK < Access.PROBITS < Access.LOGITS < Access.GRADIENTS
    assert [str(level) for level in Access] == ["labels", "top-k labels", "probits", "logits", "gradients"]


def test_a_pool_holds_bytes_and_gives_floats():
    pool = Pool(torch.tensor([0, 51, 255], dtype=torch.uint8)[:, None, None, None].expand(3, 3, 2, 2), torch.arange(3))
    assert len(pool) == 3
    torch.testing.assert_close(pool.images(torch.tensor([2, 1]))[:, 0, 0, 0], torch.tensor([1.0, 0.2]))
    with pytest.raises(QurdError, match="uint8"):
        Pool(torch.zeros(3, 3, 2, 2), torch.arange(3))
    with pytest.raises(QurdError, match="Expected 3 labels"):
        Pool(pool.pixels, torch.arange(3), torch.arange(2))


def test_queries_are_checked_when_they_are_made():
    with pytest.raises(QurdError, match="adjacent"):
        queries([0, 1, 0])
    with pytest.raises(QurdError, match="one 'truth' per query"):
        queries([0, 1], truth=torch.zeros(3))
    with pytest.raises(TypeError):
        queries([0]).aux["new"] = torch.zeros(1)


@pytest.mark.parametrize(("budget", "used"), {0: 0, 1: 0, 2: 2, 3: 2, 4: 2, 5: 5, 6: 6, 99: 6}.items())
def test_a_budget_buys_whole_groups(budget, used):
    some = queries([3, 3, 4, 4, 4, 9], truth=torch.arange(6), aux={"masks": torch.arange(6), "segments": torch.arange(3)})
    taken = some.take(budget)
    assert some.prefix(budget) == len(taken) == used
    assert torch.equal(taken.x, some.x[:used])
    assert taken.truth.tolist() == taken.aux["masks"].tolist() == list(range(used))
    assert taken.aux["segments"].tolist() == list(range(len(taken.group_ends)))


def test_numbers_per_group_are_zero_where_a_craft_gave_none():
    assert queries([0, 0, 1, 1]).per_group("gradients").tolist() == [0, 0]
    assert queries([0, 0, 1, 1], aux={"gradients": torch.tensor([4, 5])}).per_group("gradients").tolist() == [4, 5]


def test_chunks_are_numbered_on_where_they_start_anew():
    assert concatenate([queries([0, 0, 2]), queries([5, 5])]).group.tolist() == [0, 0, 2, 5, 5]
    assert concatenate([queries([0, 0, 2]), queries([0, 0, 3]), queries([0])]).group.tolist() == [0, 0, 2, 3, 3, 6, 7]
    assert concatenate([queries([]), queries([4]), queries([])]).group.tolist() == [4]
    assert len(concatenate([queries([]), queries([])])) == 0


def test_rows_of_chunks_grow_to_the_widest():
    first = queries([0, 0], aux={"masks": torch.ones(2, 1, dtype=torch.bool), "segments": torch.full((1, 2, 2), 7)})
    second = queries([0, 0, 1, 1], aux={"masks": torch.ones(4, 3, dtype=torch.bool), "segments": torch.full((2, 2, 2), 8)})
    both = concatenate([first, second])
    assert both.aux["masks"].tolist() == [[True, False, False]] * 2 + [[True] * 3] * 4
    assert both.aux["segments"][:, 0, 0].tolist() == [7, 8, 8]


def test_rows_that_a_chunk_lacks_are_zero_and_the_truth_is_known_only_if_everywhere():
    plain, blended = queries([0, 1], truth=torch.tensor([4, 5])), queries([0, 1], aux={"box": torch.ones(2, 4)})
    both = concatenate([plain, blended])
    assert both.aux["box"].sum(1).tolist() == [0, 0, 4, 4]
    assert both.truth is None
    assert concatenate([plain, plain]).truth.tolist() == [4, 5, 4, 5]
    per_group = queries([0, 0], aux={"gradients": torch.tensor([3])})
    assert concatenate([queries([0, 0, 1, 1]), per_group]).aux["gradients"].tolist() == [0, 0, 3]


def test_seeds_become_groups_of_one():
    pool = Pool(torch.zeros(5, 3, 2, 2, dtype=torch.uint8), torch.arange(5))
    some = seeds_as_queries(pool, torch.tensor([4, 2]), first=10)
    assert some.group.tolist() == [10, 11]
    assert some.seed.tolist() == some.truth.tolist() == [4, 2]
    assert seeds_as_queries(Pool(pool.pixels, None), torch.tensor([1])).truth is None


@pytest.fixture
def outputs():
    return torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("access", [Access.LABELS, Access.TOPK, Access.PROBITS, Access.LOGITS])
def test_answers_show_no_more_than_was_granted(access, outputs):
    answers = Answers(queries([0, 1, 2, 3]), access, outputs)
    needs = {"labels": Access.LABELS, "probits": Access.PROBITS, "logits": Access.LOGITS}
    for name, needed in needs.items():
        if needed <= access:
            getattr(answers, name)
        else:
            with pytest.raises(QurdError, match=f"hold {access} only, {needed} were asked for"):
                getattr(answers, name)
    if access < Access.TOPK:
        with pytest.raises(QurdError, match="top-k labels were asked for"):
            answers.top(2)


def test_every_level_derives_from_the_logits(outputs):
    answers = Answers(queries([0, 1, 2, 3]), Access.LOGITS, outputs)
    torch.testing.assert_close(answers.probits.sum(-1), torch.ones(2, 4))
    assert torch.equal(answers.labels, answers.probits.argmax(-1))
    assert torch.equal(answers.top(1)[..., 0], answers.labels)
    assert torch.equal(answers.top(5).sort(-1).values, torch.arange(5).expand(2, 4, 5))
    with pytest.raises(QurdError, match="between 1 and the 5 classes"):
        answers.top(6)


def test_answers_fit_their_queries(outputs):
    with pytest.raises(QurdError, match=r"Expected answers \(M,3,C\)"):
        Answers(queries([0, 1, 2]), Access.LOGITS, outputs)
    structure = Queries(torch.zeros(4, 3, 0, 0), torch.arange(4), torch.arange(4))
    assert Answers(structure, Access.LOGITS, outputs).labels.shape == (2, 4)


@pytest.mark.parametrize("shape", [(3, 6), (3, 6, 2), (3, 6, 2, 4)], ids=str)
def test_prefixes_sum_what_each_budget_buys(shape):
    terms = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    budgets = Prefixes((4, 1, 6))
    for column, rows in enumerate(budgets.rows):
        block = terms[:, :rows].double().flatten(1)
        torch.testing.assert_close(budgets.sum(terms)[:, column], block.sum(1))
        torch.testing.assert_close(budgets.mean(terms)[:, column], block.mean(1))


def test_prefixes_of_a_square_are_its_leading_blocks():
    terms = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(0))  # not symmetric
    budgets = Prefixes((4, 1, 6), square=True)
    for column, rows in enumerate(budgets.rows):
        block = terms[:, :rows, :rows].double().flatten(1)
        torch.testing.assert_close(budgets.sum(terms)[:, column], block.sum(1))
        torch.testing.assert_close(budgets.mean(terms)[:, column], block.mean(1))


def test_sums_are_in_double_precision():
    assert Prefixes((3,)).sum(torch.tensor([[1.0, 1e8, -1e8]])).item() == 1
    assert Prefixes((2,)).mean(torch.tensor([[True, False]])).item() == 0.5
