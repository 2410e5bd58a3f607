"""The job that makes queries for the app, on the toy benchmark, and what a page reads of it."""

from pathlib import Path

import pytest
import torch

from qurd_core.evaluation.workbench import Workbench
from qurd_core.jobs.kinds import query_job, rate_job
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from qurd_core.views import query_sets
from tests.toy import VICTIMS, toy

VICTIM, SUSPECT = VICTIMS[0], f"{VICTIMS[0]}->finetune(seed=1)"
CLASSES = ("a", "b", "c")


@pytest.fixture
def desk(tmp_path: Path) -> Workbench:
    return Workbench(toy(), Store(tmp_path), Runtime(batch_size=64))


@pytest.fixture
def make(tmp_path: Path):
    """Runs a job and gives what the page reads."""

    def run(sampler: str, budget: int = 40, **more):
        told = []
        stem = tmp_path / "job"
        args = {"benchmark": "toy", "victim": VICTIM, "suspect": SUSPECT, "query_seed": 1, "budget": budget}
        query_job.run(tmp_path, stem, lambda *step: told.append(step), sampler=sampler, **args, **more)
        path = stem.with_suffix(".safetensors")
        return (query_sets.tensors(path) if more else query_sets.read(path, sampler, CLASSES)), told

    return run


def test_the_queries_are_those_of_the_pipeline_and_no_other_model_is_asked(desk):
    scheme = Scheme.parse("uniform(test)->pgd | labels | hamming")
    queries = query_job.sample(desk, VICTIM, "uniform(test)->pgd", 1, 40)
    assert set(desk.oracles) == {VICTIM}
    parts = list(desk.parts(VICTIM, scheme, 1, 40))
    assert torch.equal(torch.cat([part.queries.x for part in parts])[:40], queries.x)


def test_whoever_cancels_is_heard_within_a_part(tmp_path):
    """One part of 64 pairs takes many passes, and each of them asks whether to go on."""
    told = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if len(told) == 5:
            raise InterruptedError

    args = {"benchmark": "toy", "victim": VICTIM, "suspect": SUSPECT, "query_seed": 1, "budget": 40}
    with pytest.raises(InterruptedError):
        query_job.run(tmp_path, tmp_path / "job", progress, sampler="uniform(test)->pgd", **args)
    assert told == [(0, 40)] * 5
    assert rate_job.desk_of(str(tmp_path), "toy")[1].listener is None


def test_a_set_holds_what_both_models_say(make, desk):
    found, told = make("uniform(test)->pgd")
    assert told[-1] == (40, 40)
    queries = query_job.sample(desk, VICTIM, "uniform(test)->pgd", 1, 40)
    for role, model in (("victim", VICTIM), ("suspect", SUSPECT)):
        oracle = desk.oracle(model)
        assert getattr(found, role).tolist() == oracle.labels(queries.x).tolist()
        assert torch.allclose(torch.from_numpy(found.more[f"{role}_probits"]), oracle.probits(queries.x))
        # The first of a pair is the seed itself.
        assert getattr(found, f"{role}_on_seed")[::2].tolist() == getattr(found, role)[::2].tolist()
    assert abs(found.pixels[1::2] - found.seed_pixels[1::2] / 255).max() <= 0.03 + 1e-3
    assert abs(found.pixels[::2] - found.seed_pixels[::2] / 255).max() < 1e-3


def test_a_small_set_is_the_beginning_of_a_large_one(make):
    small, large = make("uniform(test)->pgd", 20)[0], make("uniform(test)->pgd", 40)[0]
    assert (large.pixels[:20] == small.pixels).all()


def test_noise_has_no_truth(make):
    found, _ = make("noise", 10)
    assert (found.facts(10)["truth"] == -1).all()


def test_blends_come_with_their_partner_and_box_after_the_seeds(make):
    found, _ = make("negative(train)->cutmix", 90)
    box = found.more["box"]
    blended = (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
    originals = int((~blended).argmin())
    assert 0 < originals < 90
    assert not blended[:originals].any()
    for row in blended.nonzero()[0][:5]:
        left, top, right, bottom = box[row]
        inside = found.pixels[row, top:bottom, left:right]
        mirrored = found.more["partner_pixels"][row]
        ways = [mirrored, mirrored[:, ::-1], mirrored[::-1]]
        assert min(abs(inside - way[top:bottom, left:right] / 255).max() for way in ways) < 1e-3
    assert (found.truth[blended] == -1).all()


def test_masked_images_are_one_card_of_a_whole_image_and_its_masks(make):
    found, _ = make("uniform(test)->superpixels(masks=8)", 16)
    facts = found.facts(15)
    assert len(facts) == 2
    assert facts["kept"].tolist() == [True, False]
    assert (facts["last"] - facts["first"] + 1).tolist() == [8, 8]
    assert found.more["segments"].shape == (2, 8, 8)
    assert abs(found.pixels[facts["main"]] - found.seed_pixels[facts["main"]] / 255).max() < 1e-3


@pytest.mark.parametrize("look", ["integrated_gradients", "saliency", "occlusion"])
def test_where_the_victim_looked_is_found_for_the_rows_asked_for(make, look):
    found, told = make("uniform(test)", look=look, rows=[0, 3])
    assert found["attribution"].shape == (2, 8, 8)
    assert found["attribution"].min() >= 0
    assert found["attribution"].max() > 0
    assert told[-1] == (2, 2)


def test_saliency_is_the_gradient_of_the_answer(desk):
    x = query_job.sample(desk, VICTIM, "uniform(test)", 0, 3).x
    oracle = desk.oracle(VICTIM)
    goal = oracle.labels(x)
    gradient, _ = oracle.gradient(lambda logits: logits.gather(1, goal[:, None]).sum(), x)
    assert torch.allclose(query_job.looked_at(oracle, x, "saliency"), gradient.abs().sum(1))


def test_integrated_gradients_add_up_on_a_linear_model(desk):
    """Of a linear model they are weight times distance from grey, whatever the number of steps."""
    x = query_job.sample(desk, VICTIM, "uniform(test)", 0, 3).x
    oracle = desk.oracle(VICTIM)
    goal = oracle.labels(x)
    gradient, _ = oracle.gradient(lambda logits: logits.gather(1, goal[:, None]).sum(), x)
    wanted = (gradient * (x - query_job.GREY)).abs().sum(1)
    assert torch.allclose(query_job.looked_at(oracle, x, "integrated_gradients"), wanted, atol=1e-5)


def test_a_victim_without_mistakes_gives_an_empty_set(desk, monkeypatch):
    pool, draw = desk.draw(VICTIM, Scheme.parse("AKH"), 0)
    nothing = type(draw)(draw.indices[:0], draw.looked[:0])
    monkeypatch.setattr(Workbench, "draw", lambda *_: (pool, nothing))
    queries = query_job.sample(desk, VICTIM, "negative(test)", 0, 10)
    assert len(queries) == 0
    found = query_job.query_set(desk, queries, VICTIM, SUSPECT, "negative(test)")
    assert found["pixels"].shape == (0, 8, 8, 3)
    assert found["victim"].shape == (0, 3)
