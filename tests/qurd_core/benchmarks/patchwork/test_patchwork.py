"""The shipped models are what their manifest says, and what a thief or an innocent would have made."""

import json
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from qurd_core.benchmarks.base import benchmark, register_benchmarks
from qurd_core.benchmarks.patchwork.patches import patches
from qurd_core.benchmarks.patchwork.protocol import FOLDER, SPLITS, WORLD
from qurd_core.benchmarks.photographs import REGIONS
from qurd_core.benchmarks.thefts import pruning, tuning
from qurd_core.benchmarks.zoo import models
from qurd_core.benchmarks.zoo.models import Zoo, digest, file_of, load
from qurd_core.errors import QurdError
from qurd_core.executors import Inline, ProcessPool
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime, silent

register_benchmarks()
SHIPPED = Zoo(FOLDER, WORLD)
MEGABYTES = 45
NAMES = ("patchwork-sac", "patchwork-reuse", "patchwork-reuse(negatives=lineage)")


def labels(lineage, split="test", every=1):
    images = patches(SPLITS[split]).pixels[::every].float() / 255
    return Oracle(SHIPPED.module(lineage), classes=10).labels(images)


@pytest.mark.slow
def test_every_weight_file_is_the_one_of_the_manifest():
    for lineage, record in SHIPPED.records.items():
        assert digest(load(FOLDER, lineage, WORLD).state_dict()) == record.sha256, lineage


def test_the_folder_holds_the_manifest_and_its_files_and_is_small():
    stored = {file_of(lineage) for lineage, record in SHIPPED.records.items() if record.stored}
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(files) == {*stored, models.MANIFEST}
    assert sum(files.values()) < MEGABYTES * 2**20


@pytest.mark.slow
def test_the_images_are_those_that_the_models_were_made_with():
    assert {region: patches(region).digest for region in REGIONS} == SHIPPED.manifest["data"]


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_names_models_that_exist_and_every_pair_once(name):
    bench = benchmark(name)
    assert bench.name == name
    assert set(bench.models) <= set(SHIPPED.records)
    assert len({(pair.victim, pair.suspect) for pair in bench.pairs}) == len(bench.pairs)


def test_patchwork_sac_has_the_pairs_of_the_protocol():
    bench = benchmark("patchwork-sac")
    for victim in bench.victims:
        pairs = bench.pairs_of(victim)
        stolen = Counter(pair.tasks[0] for pair in pairs if pair.kind == "positive")
        assert stolen == {
            "same": 1,
            "finetune": 5,
            "transfer": 5,
            "prune": 5,
            **dict.fromkeys(("probit_extraction", "label_extraction", "adv_label_extraction"), 8),
            **dict.fromkeys(("labelfew", "labeltrain", "labelood"), 4),
        }
        serving = Counter(task for pair in pairs if pair.kind == "negative" for task in pair.tasks)
        assert serving["transfer"] == 20
        assert all(serving[task] == 40 for task in bench.tasks if task != "transfer")
        assert sum(pair.kind == "hard" for pair in pairs) == 4


def test_patchwork_reuse_has_the_pairs_of_the_protocol():
    bench = benchmark("patchwork-reuse")
    assert len(bench.victims) == 8
    for victim in bench.victims:
        pairs = bench.pairs_of(victim)
        stolen = Counter(pair.tasks[0] for pair in pairs if pair.kind == "positive")
        assert stolen == {"same": 1, "prune": 3, "quantize": 2, "label_extraction": 2, "probit_extraction": 1}
        assert sum(pair.kind == "negative" for pair in pairs) == 40


def test_the_papers_lineage_rule_counts_as_modelreuse_does():
    bench = benchmark("patchwork-reuse(negatives=lineage)")
    for victim in bench.victims:
        unrelated = [pair.suspect for pair in bench.pairs_of(victim) if pair.kind == "negative"]
        assert len(unrelated) == (45 if "public" in victim else 63)
        assert all(bench.root(model) != bench.root(victim) for model in unrelated)


@pytest.mark.parametrize("name", NAMES[:2])
def test_no_unrelated_model_shares_a_root_with_its_victim(name):
    bench = benchmark(name)
    for pair in bench.pairs:
        assert (bench.root(pair.suspect) == bench.root(pair.victim)) == (pair.kind == "positive")


@pytest.mark.parametrize("name", NAMES[:2])
@pytest.mark.slow
def test_victims_are_good_and_no_pruned_model_is_a_constant(name):
    bench = benchmark(name)
    assert min(SHIPPED.record(victim).accuracy for victim in bench.victims) >= 0.75
    for pair in bench.pairs:
        if "prune" in pair.tasks and pair.kind == "positive":
            assert labels(pair.suspect, every=8).bincount(minlength=10).max() < 1_500 / 8, pair.suspect


def test_the_records_say_who_read_what():
    for record in SHIPPED.records.values():
        last = Lineage.parse(record.lineage).last
        extracted = last.name.endswith("_extraction")
        assert record.read_truth == (not extracted and last.name != "quantize"), record.lineage
        options = dict(last.options)
        wanted = options.get("per_photo", 350) * 10 if extracted else 0
        assert record.victim_queries == wanted, record.lineage
        if extracted:
            assert record.regions == (options.get("region", "attacker"),)
        assert "test" not in record.regions


def test_students_follow_their_victim_more_than_a_stranger_does():
    victim = labels("train(vgg,victim)")
    student = labels("train(vgg,victim)->label_extraction(res)")
    stranger = labels("train(res,attacker)")
    truth = patches("test").truth
    wrong = victim != truth
    assert (student == victim)[wrong].float().mean() > (stranger == victim)[wrong].float().mean() + 0.1


def test_adversarial_training_made_students_robust():
    test = patches("test")
    x, truth = test.pixels[::8].float() / 255, test.truth[::8]

    def robust(lineage):
        oracle = Oracle(SHIPPED.module(lineage), classes=10)
        ascent, _ = oracle.gradient(lambda z: F.cross_entropy(z, truth, reduction="sum"), x)
        attacked = (x + 4 / 255 * ascent.sign()).clamp(0, 1)
        return float((oracle.labels(attacked) == truth).float().mean())

    plain = robust("train(vgg,victim)->label_extraction(res)")
    assert robust("train(vgg,victim)->adv_label_extraction(res)") > plain + 0.1


def test_quantised_models_are_derived_when_loaded():
    lineage = "train(res,victim)->quantize(qint8)"
    assert not SHIPPED.record(lineage).stored
    assert digest(SHIPPED.module(lineage).state_dict()) == SHIPPED.record(lineage).sha256
    assert SHIPPED.record(lineage).sha256 != SHIPPED.record("train(res,victim)").sha256


def test_an_unknown_model_or_split_is_refused():
    bench = benchmark("patchwork-sac")
    with pytest.raises(QurdError, match="Did you mean 'train"):
        bench.oracle("train(vgg,victm)", Runtime())
    with pytest.raises(QurdError, match="Unknown split"):
        bench.images("validation")


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_a_damaged_weight_file_is_one_sentence(tmp_path, damage):
    lineage = "train(vgg,victim)"
    for name in (file_of(lineage), models.MANIFEST):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    path = tmp_path / file_of(lineage)
    good = path.read_bytes()
    path.write_bytes({"cut": good[:5000], "flip": good[:-2] + bytes([good[-2] ^ 64]) + good[-1:], "gone": b""}[damage])
    with pytest.raises(QurdError, match=r"weights of train\(vgg,victim\)"):
        Zoo(tmp_path, WORLD).module(lineage)


@pytest.mark.slow
def test_a_build_goes_on_where_it_was_killed(tmp_path, monkeypatch):
    made = []

    def note(lineage, folder, world=WORLD):
        made.append(lineage)
        (tmp_path / file_of(lineage)).write_bytes((FOLDER / file_of(lineage)).read_bytes())

    monkeypatch.setattr(models, "build_one", note)
    (tmp_path / models.MANIFEST).write_bytes((FOLDER / models.MANIFEST).read_bytes())
    names = ["train(vgg,victim)->finetune", "train(res,victim)->quantize(qint8)"]
    note("train(vgg,victim)", tmp_path)
    note("train(res,victim)", tmp_path)
    damaged = tmp_path / file_of("train(res,victim)")
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"\0" * 9)
    made.clear()
    models.build(names, tmp_path, WORLD, Inline(), silent)
    assert made == ["train(vgg,victim)->finetune", "train(res,victim)"]
    again = Zoo(tmp_path, WORLD)
    assert again.record("train(res,victim)->quantize(qint8)") == SHIPPED.record("train(res,victim)->quantize(qint8)")
    assert set(again.records) == {"train(vgg,victim)", *names, "train(res,victim)"}


@pytest.mark.slow
def test_a_model_is_made_again_when_its_recipe_has_changed_and_so_is_what_was_made_from_it(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(models, "build_one", lambda lineage, folder, world: made.append(lineage))
    names = ["train(vgg,victim)->finetune", "train(vgg,victim)->quantize(qint8)"]
    for name in ("train(vgg,victim)", names[0], "train(res,victim)"):
        (tmp_path / file_of(name)).write_bytes((FOLDER / file_of(name)).read_bytes())
    (tmp_path / models.MANIFEST).write_bytes((FOLDER / models.MANIFEST).read_bytes())
    models.build([*names, "train(res,victim)"], tmp_path, WORLD, Inline(), silent)
    assert made == []
    monkeypatch.setattr(tuning, "TUNING_EPOCHS", 3)
    models.build([*names, "train(res,victim)"], tmp_path, WORLD, Inline(), silent)
    assert made == [names[0]]
    made.clear()
    longer = replace(WORLD, epochs=WORLD.epochs | {"vgg": 11})
    models.build([*names, "train(vgg,victim)"], tmp_path, longer, Inline(), silent)
    assert made == ["train(vgg,victim)", names[0]]


ROOT = "train(vgg,victim)"
STUDENT = f"{ROOT}->label_extraction(res)"
STACKED = {  # steps one after another -> the nearest ancestor that has a file
    f"{ROOT}->quantize(qint8)->quantize(float16)": ROOT,
    f"{ROOT}->quantize(qint8)->finetune": ROOT,
    f"{ROOT}->finetune->quantize(float16)": f"{ROOT}->finetune",
    f"{STUDENT}->prune(0.4)": STUDENT,
    f"{STUDENT}->filter_prune(0.4)->quantize(qint8)": f"{STUDENT}->filter_prune(0.4)",
}


class Noting(Inline):
    """An executor that says what it was given."""

    def __init__(self):
        self.needs: dict[str, tuple[str, ...]] = {}

    def run(self, units):
        self.needs |= {unit.key: unit.needs for unit in units}
        return super().run(units)


def test_one_tampering_after_another_makes_models_derived_or_not(tmp_path, monkeypatch):
    def touched(model, *_, **__):
        """In place of training: the first weights become others."""
        with torch.no_grad():
            next(model.parameters()).mul_(1.01)
        return model.eval()

    for module in (tuning, pruning):
        monkeypatch.setattr(module, "fit", touched)
    monkeypatch.setattr(models, "_accuracy", lambda model, world: 0.5)
    for name in (file_of(ROOT), file_of(STUDENT), models.MANIFEST):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    first = Noting()
    models.build(STACKED, tmp_path, WORLD, first, silent)
    again = Zoo(tmp_path, WORLD)
    for name, ancestor in STACKED.items():
        record, parent = again.record(name), again.record(ancestor)
        assert parent.stored
        assert record.stored == (Lineage.parse(name).last.name != "quantize")
        assert (record.architecture, record.classes) == (parent.architecture, parent.classes)
        assert record.victim_queries == 0
        assert digest(again.module(name).state_dict()) == record.sha256 != parent.sha256
        assert record.stored is False or first.needs[name] == (ancestor,)
    second = Noting()
    models.build(STACKED, tmp_path, WORLD, second, silent)
    assert second.needs == {}, "all of it is there"


def test_what_was_made_from_a_derived_model_is_made_again_with_the_file_behind_it(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(models, "build_one", lambda lineage, folder, world: made.append(lineage))
    monkeypatch.setattr(models, "_stored_record", lambda folder, lineage: SHIPPED.record(ROOT))
    monkeypatch.setattr(models, "_derived_record", lambda folder, lineage, world: SHIPPED.record(ROOT))
    (tmp_path / models.MANIFEST).write_bytes((FOLDER / models.MANIFEST).read_bytes())
    noting, last = Noting(), f"{ROOT}->quantize(qint8)->finetune"
    models.build([last], tmp_path, WORLD, noting, silent)
    assert noting.needs == {ROOT: (), last: (ROOT,)}
    assert made == [ROOT, last]


def test_the_shipped_models_were_made_by_the_recipes_of_this_code():
    assert SHIPPED.manifest["recipes"] == {name: models.recipe(name, WORLD) for name in SHIPPED.records}


def test_a_build_does_not_bless_models_of_other_images(tmp_path):
    manifest = json.loads((FOLDER / models.MANIFEST).read_text())
    (tmp_path / models.MANIFEST).write_text(json.dumps(manifest | {"data": manifest["data"] | {"test": "0"}}))
    with pytest.raises(QurdError, match="have other pixels"):
        models.build([], tmp_path, WORLD, Inline(), silent)


@pytest.mark.slow
def test_a_process_of_its_own_knows_the_thefts(tmp_path):
    for name in (file_of("train(vgg,victim)"), models.MANIFEST):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    models.build(["train(vgg,victim)->finetune"], tmp_path, WORLD, ProcessPool(2), silent)
    assert file_of("train(vgg,victim)->finetune") in {path.name for path in tmp_path.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("lineage", ["train(vgg,victim)", "train(vgg,victim)->label_extraction(vgg,per_photo=70)"])
def test_a_model_can_be_made_again(tmp_path, lineage):
    parent = Lineage.parse(lineage).parent
    if parent:
        for name in (file_of(str(parent)), models.MANIFEST):  # the manifest tells by which recipe the parent was made
            (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    models.build([lineage], tmp_path, WORLD, Inline(), silent)
    again, shipped = Zoo(tmp_path, WORLD).record(lineage), SHIPPED.record(lineage)
    if again.sha256 != shipped.sha256:  # another processor rounds otherwise, be it of the same instruction set
        assert abs(again.accuracy - shipped.accuracy) < 0.02
        mine = Oracle(Zoo(tmp_path, WORLD).module(lineage), classes=10).labels(patches("test").pixels.float() / 255)
        assert (mine == labels(lineage)).float().mean() > 0.93
