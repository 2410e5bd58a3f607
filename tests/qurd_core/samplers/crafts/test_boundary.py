"""IPGuard's points against its own definition, torch's Adam and one image at a time."""

import pytest
import torch

from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.samplers.crafts.boundary import cross, losses, total_loss
from qurd_core.samplers.crafts.kept import charge
from qurd_core.samplers.crafts.targets import least_likely, random_target

LABEL = {"lr": 0.01, "steps": 300, "stop": "label", "margin": 10.0}
MARGIN = {"lr": 0.01, "steps": 1000, "stop": "margin", "margin": 1.0}


@pytest.fixture
def many(pool):
    """64 images: the largest chunk that a craft sees."""
    return pool.images(torch.arange(64))


def ends(victim: Oracle, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The classes to leave and to enter."""
    source = victim.labels(x)
    return source, random_target(source, victim.classes, stream(0, "target"))


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_with_the_margin_rule_every_point_of_a_linear_model_converges_to_where_it_should(linear, many, classes):
    victim = linear("many classes", classes=classes)
    source, goal = ends(victim, many)
    x, arrived, _ = cross(victim, many, source, goal, **MARGIN)
    assert arrived.all()
    logits = victim.logits(x)
    assert torch.equal(logits.topk(2, dim=1).indices, torch.stack([goal, source], 1))
    gaps = logits.gather(1, goal[:, None]) - logits.gather(1, source[:, None])
    assert gaps.min() >= 1 - 1e-5


def test_without_a_margin_the_goal_is_at_least_even(linear, many):
    victim = linear("victim")
    source, goal = ends(victim, many)
    x, arrived, _ = cross(victim, many, source, goal, **MARGIN | {"margin": 0.0})
    assert arrived.all()
    logits = victim.logits(x)
    assert (logits.gather(1, goal[:, None]) - logits.gather(1, source[:, None])).min() >= -1e-5


@pytest.mark.parametrize("options", [LABEL, MARGIN], ids=["label", "margin"])
def test_all_at_once_is_one_at_a_time(curved, many, options):
    """In labels, arrivals and steps; not in pixels, whose first steps follow the sign of rounding errors."""
    source, goal = ends(curved, many)
    x, arrived, spent = cross(curved, many, source, goal, **options)
    alone = [cross(curved, many[[row]], source[[row]], goal[[row]], **options) for row in range(len(many))]
    assert torch.equal(torch.cat([one[1] for one in alone]), arrived)
    assert torch.equal(torch.cat([one[2] for one in alone]), spent)
    assert arrived.all()
    assert torch.equal(torch.cat([curved.labels(one[0]) for one in alone]), goal)
    assert torch.equal(curved.labels(x), goal)


def test_the_victim_agrees_with_itself_on_the_queries(craft, linear):
    queries = craft("boundary")
    assert torch.equal(linear("victim").labels(queries.x), queries.aux["target"])


@pytest.mark.parametrize("target", ["random", "least_likely"])
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_target_is_never_the_source(linear, craft, seeds, target, classes):
    victim = linear("targets", classes=classes)
    source = victim.labels(seeds.x)
    for rng in range(5):
        queries = craft("boundary", victim=victim, rng=rng, target=target, steps=500)
        assert len(queries)
        kept = torch.isin(seeds.seed, queries.seed)
        assert (queries.aux["target"] != source[kept]).all()
    if target == "least_likely":
        assert torch.equal(queries.aux["target"], least_likely(victim.logits(seeds.x), source)[kept])


def test_the_loss_is_the_papers(linear):
    logits = torch.tensor([[-1.0, -4.0, -2.0, -9.0], [3.0, 1.0, 0.0, -1.0], [0.0, 5.0, -3.0, -7.0]])
    source, goal = torch.tensor([0, 0, 0]), torch.tensor([1, 1, 1])
    # max of the others is -2, 0 and -3: never the 0 that masking by multiplication would give.
    assert losses(logits, source, goal, margin=2.0).tolist() == [-1 + 4 + 2 + 0, 3 - 1 + 2 + 0, 0]
    assert losses(logits[:, [2, 3, 0, 1]], source, goal, margin=0.0).tolist() == [-2 + 9 + 1, 1 + 3, 4 + 8]


def test_two_classes_leave_no_third_and_no_nan(linear):
    logits = torch.tensor([[2.0, 1.0], [-3.0, 1.0]], requires_grad=True)
    total_loss(logits, torch.tensor([0, 0]), torch.tensor([1, 1]), margin=10.0).backward()
    assert logits.grad.tolist() == [[1, -1], [1, -1]]


def test_negative_logits_do_not_keep_points_from_converging(linear, many):
    victim = linear("victim", bias=torch.full((3,), -50.0))
    source, goal = ends(victim, many)
    assert cross(victim, many, source, goal, **MARGIN)[1].all()


def test_a_step_is_torchs_adam(curved, many):
    source, goal = ends(curved, many)
    steps = 25
    x = many.clone().requires_grad_()
    optimiser = torch.optim.Adam([x], lr=0.002)
    for _ in range(steps):
        x.grad, _ = curved.gradient(lambda z: total_loss(z, source, goal, 50.0), x.detach())
        optimiser.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    seen = []
    spy = Oracle(curved._module, classes=3)
    spy.logits = lambda x: seen.append(x) or curved.logits(x)  # asked once, after the last step
    _, arrived, spent = cross(spy, many, source, goal, lr=0.002, steps=steps, stop="margin", margin=50.0)
    assert not arrived.any()
    assert (spent == steps).all()
    torch.testing.assert_close(seen[0], x.detach(), atol=1e-5, rtol=0)
    assert (seen[0] - many).abs().mean() > 0.01


def test_those_that_arrive_cost_nothing_more(linear, many):
    victim = linear("victim")
    source, goal = ends(victim, many)
    before = victim.gradients
    _, arrived, spent = cross(victim, many, source, goal, **LABEL)
    assert arrived.all()
    assert victim.gradients - before == int(spent.sum())
    assert spent.min() < spent.max()


def test_a_point_that_arrived_does_not_drift_while_others_go_on(linear, many):
    victim = linear("victim")
    source, goal = ends(victim, many)
    x, _, spent = cross(victim, many, source, goal, **LABEL)
    first = int(spent.argmin())
    early, _, _ = cross(victim, many, source, goal, **LABEL | {"steps": int(spent.min())})
    torch.testing.assert_close(x[first], early[first], atol=1e-5, rtol=0)
    assert int(victim.labels(x[[first]])) == goal[first]


def test_the_image_returned_is_the_one_whose_label_was_tested(linear, many):
    victim = linear("victim")
    source, goal = ends(victim, many)
    _, _, spent = cross(victim, many, source, goal, **LABEL)
    needed = int(spent.max()) - 1  # the last evaluation only found that it had arrived
    x, arrived, _ = cross(victim, many, source, goal, **LABEL | {"steps": needed})
    assert arrived.all()
    assert torch.equal(victim.labels(x), goal)
    assert not cross(victim, many, source, goal, **LABEL | {"steps": needed - 1})[1].all()


def test_failures_are_dropped_in_draw_order_and_their_cost_is_kept(linear, craft, seeds):
    victim = linear("victim")
    _, _, spent = cross(victim, seeds.x, *ends(victim, seeds.x), **LABEL)
    victim = linear("victim")
    some = craft("boundary", victim=victim, steps=int(spent.median()) - 1)
    assert 0 < len(some) < len(seeds)
    assert (some.group.diff() > 0).all()
    assert torch.equal(some.seed, seeds.seed[torch.isin(seeds.group, some.group)])
    assert int(some.aux["gradients"].sum()) == victim.gradients


def test_a_chunk_may_come_to_nothing(craft, linear):
    nothing = craft("boundary", steps=1, lr=1e-6)
    assert len(nothing) == 0
    assert nothing.aux["gradients"].tolist() == []


@pytest.mark.parametrize(
    ("kept", "charged"),
    [([1, 1, 1, 1], [1, 2, 3, 4]), ([0, 1, 0, 1], [3, 7]), ([1, 0, 1, 0], [1, 9]), ([0, 0, 1, 0], [10]), ([0] * 4, [])],
)
def test_what_is_dropped_is_paid_by_the_next_that_is_kept(kept, charged):
    assert charge(torch.tensor([1, 2, 3, 4]), torch.tensor(kept, dtype=torch.bool)).tolist() == charged
