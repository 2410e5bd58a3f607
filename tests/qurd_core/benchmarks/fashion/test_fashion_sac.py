"""The shipped models of fashion-sac are what their manifest says, and reach what the benchmark promises."""

from collections import Counter

import numpy as np
import pytest
import torch

from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.fashion import seeds
from qurd_core.benchmarks.fashion.fashion_sac import FOLDER, unrelated
from qurd_core.benchmarks.fashion.making import world
from qurd_core.benchmarks.zoo import models
from qurd_core.benchmarks.zoo.models import Zoo, digest, file_of, load
from qurd_core.files import ROOT
from qurd_core.findings.language.model_names import readable
from qurd_core.lineage import Lineage
from qurd_core.runtime import Runtime
from qurd_core.statistics.printed import fixed
from qurd_core.types import Images

MEGABYTES = 45  # of all models, those of the grid, too
BENCH = benchmark("fashion-sac")
WORLD = world(FOLDER)
SHIPPED = Zoo(FOLDER, WORLD)


def accuracy(names) -> list[float]:
    return [SHIPPED.record(name).accuracy for name in names]


def stolen(task: str) -> list[str]:
    return [pair.suspect for pair in BENCH.pairs if pair.kind == "positive" and task in pair.tasks]


def test_the_benchmark_has_the_pairs_of_the_protocol():
    assert len(BENCH.victims) == 12
    assert len({BENCH.root(victim) for victim in BENCH.victims}) == 12
    for victim in BENCH.victims:
        pairs = BENCH.pairs_of(victim)
        counts = Counter(pair.tasks[0] for pair in pairs if pair.kind == "positive")
        assert counts == {
            "same": 1,
            **dict.fromkeys(("quantize", "finetune", "transfer", "prune", "adv_label_extraction"), 2),
            **dict.fromkeys(("probit_extraction", "label_extraction"), 4),
            **dict.fromkeys(("labelfew", "labeltrain", "labelood"), 1),
        }
        serving = Counter(task for pair in pairs if pair.kind == "negative" for task in pair.tasks)
        assert serving["transfer"] == 20
        assert all(serving[task] == 60 for task in BENCH.tasks if task != "transfer")
        assert {pair.suspect for pair in pairs if pair.kind == "hard"} == set(BENCH.victims) - {victim}


def test_half_of_the_unrelated_models_are_weak():
    regions = Counter(SHIPPED.record(name).regions[0].rstrip("1234") for name in unrelated())
    assert regions == {"attacker": 28, "quarter": 16, "tenth": 16}


def test_every_model_has_a_name_of_its_own():
    assert len({readable(name) for name in SHIPPED.records}) == len(SHIPPED.records)
    assert {*BENCH.models} <= {*SHIPPED.records}


def test_victims_and_thieves_are_as_good_as_promised():
    victims = accuracy(BENCH.victims)
    assert np.mean(victims) >= 0.89
    assert min(victims) >= 0.87
    assert min(accuracy(stolen("probit_extraction") + stolen("label_extraction"))) >= 0.8
    assert min(accuracy(name for name in unrelated() if "attacker" in name)) >= 0.8


def test_the_accuracies_of_the_documentation_are_those_of_the_manifest():
    page = (ROOT / "assets" / "docs" / "fashion.md").read_text()
    groups = {task: accuracy(set(stolen(task))) for task in BENCH.tasks if task != "same"}
    groups |= {
        region: accuracy(name for name in unrelated() if region in name) for region in ("attacker", "quarter", "tenth")
    }
    groups |= {"victims": accuracy(BENCH.victims)}
    groups |= {"shifted": accuracy(name for name in BENCH.models if "jittered" in name and "->" not in name)}
    for group, values in groups.items():
        mean, low, high = (fixed(value, 3).removeprefix("0") for value in (np.mean(values), min(values), max(values)))
        assert f"{mean} ({low} to {high})" in page, group


def test_the_records_say_who_read_what():
    asked = {"attacker": 20_000, "few": 2_000, "victim": 15_000, "cutouts": 14_000}
    for record in map(SHIPPED.record, BENCH.models):
        last = Lineage.parse(record.lineage).last
        extracted = last.name.endswith("_extraction")
        assert record.read_truth == (not extracted and last.name != "quantize"), record.lineage
        assert record.victim_queries == (asked[record.regions[0]] if extracted else 0), record.lineage
        assert "test" not in record.regions


def test_the_folder_holds_the_manifest_its_files_the_pictures_and_their_licence_and_is_small():
    stored = {file_of(lineage) for lineage, record in SHIPPED.records.items() if record.stored}
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(sizes) == {*stored, models.MANIFEST, seeds.FILE, "LICENSE"}
    assert sum(sizes[name] for name in stored) < MEGABYTES * 2**20


def test_the_pictures_are_those_that_the_models_were_made_with():
    for split in BENCH.splits:
        assert BENCH.images(split).digest == BENCH.images_digest(split)


def test_the_shipped_models_were_made_by_the_recipes_of_this_code():
    assert SHIPPED.manifest["recipes"] == {name: models.recipe(name, WORLD) for name in SHIPPED.records}


@pytest.mark.slow
def test_every_weight_file_is_the_one_of_the_manifest():
    for lineage, record in SHIPPED.records.items():
        assert digest(load(FOLDER, lineage, WORLD).state_dict()) == record.sha256, lineage


@pytest.mark.slow
def test_what_ships_is_what_was_measured():
    test = BENCH.images("test")
    some = Images(test.pixels[::20], test.truth[::20])
    for name in (BENCH.victims[0], stolen("quantize")[1], stolen("labelood")[0]):
        oracle = BENCH.oracle(name, Runtime())
        right = float((oracle.labels(some.pixels.float() / 255) == some.truth).double().mean())
        assert right == pytest.approx(SHIPPED.record(name).accuracy, abs=4 * (0.25 / len(some)) ** 0.5), name
        assert all(values.dtype != torch.float16 for values in oracle.module.state_dict().values())


def test_an_int4_model_has_sixteen_values_a_channel_at_most():
    (name,) = {pair.suspect for pair in BENCH.pairs_of(BENCH.victims[0]) if pair.suspect.endswith("(int4)")}
    weight = next(values for values in SHIPPED.module(name).parameters() if values.ndim == 4)
    assert all(len(channel.unique()) <= 15 for channel in weight)
