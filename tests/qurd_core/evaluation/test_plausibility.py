"""What answers say against what is declared: in the check, before a run, and in Python."""

import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.zoo import architectures
from qurd_core.errors import QurdError
from qurd_core.evaluation import plausibility
from qurd_core.evaluation.checks import check
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.plan import ask_natural
from qurd_core.evaluation.scores import score_table
from qurd_core.evaluation.workbench import workbench
from qurd_core.randomness import stream
from qurd_core.runtime import Runtime
from qurd_core.store import Store

ITEMS, CLASSES, STRANGERS = 300, 4, 20
VICTIM = "train(forest,mine)"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def off(labels, share, rng):
    """Labels of which a share is replaced by other ones."""
    return np.where(rng.random(ITEMS) < share, (labels + rng.integers(1, CLASSES, ITEMS)) % CLASSES, labels)


@pytest.fixture
def table(tmp_path):
    """Writes a table of a victim, a thief and strangers: `table(change)`, where `change(models, truth, rng)` edits it."""

    def write(change=lambda models, truth, rng: None, **declared):
        rng = np.random.default_rng(0)
        truth = rng.integers(CLASSES, size=ITEMS)
        mine = off(truth, 0.3, rng)
        models = {VICTIM: mine, f"{VICTIM}->finetune": off(mine, 0.1, rng)}
        models |= {f"train(forest,theirs,seed={n})": off(truth, 0.3, rng) for n in range(STRANGERS)}
        change(models, truth, rng)
        rows = [
            pd.DataFrame({"item": range(ITEMS), "truth": truth, "model": model, "label": labels})
            for model, labels in models.items()
        ]
        found = pd.concat(rows)
        if declared:
            found["accuracy"] = found["model"].map(lambda model: declared["accuracy"].get(model, ""))
        found.to_csv(tmp_path / "answers.csv", index=False)
        return str(tmp_path / "answers.csv")

    return write


def told(path, store, scheme="AKH"):
    """What a run warns of."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        evaluate(path, [scheme], budgets=[20], seeds=1, store=store)
    return [str(one.message) for one in heard]


def asked(path, store):
    """What the check asks, which is what a run warns of as well."""
    notes = check(path, store).notes
    heard = told(path, store)
    assert set(heard) <= {*notes, *(one for one in heard if "AUC" in one)}
    assert [one for one in notes if "Labels only" not in one and "train split" not in one and "craft" not in one] == [
        one for one in heard if "AUC" not in one
    ]
    return heard


def test_nothing_is_asked_about_a_sound_table(table, store):
    assert asked(table(), store) == []


def test_accuracies_and_agreement_are_those_by_hand(table, store):
    kept = {}
    path = table(lambda models, truth, rng: kept.update(models, truth=truth))
    report = check(path, store)
    assert [row["model"] for row in report.models] == [name for name in kept if name != "truth"]
    for row in report.models:
        assert row["accuracy_test"] == pytest.approx((kept[row["model"]] == kept["truth"]).mean())
    (row,) = report.stolen
    mine, theirs = kept[VICTIM], kept[row["suspect"]]
    by_chance = sum((mine == k).mean() * (theirs == k).mean() for k in range(CLASSES))
    assert row["agreement"] == pytest.approx((mine == theirs).mean())
    assert row["kappa"] == pytest.approx((row["agreement"] - by_chance) / (1 - by_chance))


def test_a_failed_theft_is_asked_about(table, store):
    def fail(models, truth, rng):
        models[f"{VICTIM}->random"] = rng.integers(CLASSES, size=ITEMS)
        models[f"{VICTIM}->constant"] = np.zeros(ITEMS, int)

    first, second = asked(table(fail), store)
    assert first.startswith(
        f"Did the theft fail? '{VICTIM}->random' and '{VICTIM}' agree about as often as by chance (kappa"
    )
    assert first.endswith(f"and it counts as stolen from '{VICTIM}'. If it failed, leave it out.")
    assert f"'{VICTIM}->constant' gives one answer to every test item" in second


def test_a_copy_that_is_declared_unrelated_is_asked_about(table, store):
    def hide(models, truth, rng):
        models["train(forest,other)"] = off(models[VICTIM], 0.05, rng)
        models["train(tree,other)"] = models[VICTIM]

    first, second = asked(table(hide), store)
    assert (
        f"'train(forest,other)' is declared unrelated, and may be nearly the same model as '{VICTIM}': they agree on 9"
        in first
    )
    assert f"'train(tree,other)' is declared unrelated, and is the same model as '{VICTIM}': they agree on 100 %" in second
    assert "the median unrelated model" in first


def test_a_good_model_among_weak_ones_is_no_copy(table, store):
    def weaken(models, truth, rng):
        for name in models:
            models[name] = off(truth, 0.1 if name == VICTIM or name.endswith("seed=0)") else 0.5, rng)
        models[f"{VICTIM}->finetune"] = off(models[VICTIM], 0.02, rng)

    assert asked(table(weaken), store) == []


def test_a_victim_or_an_unrelated_model_near_chance_is_said(table, store):
    def spoil(models, truth, rng):
        models[VICTIM] = off(truth, 0.74, rng)
        models[f"{VICTIM}->finetune"] = off(models[VICTIM], 0.1, rng)
        models["train(forest,theirs,seed=3)"] = off(truth, 0.75, rng)

    first, second = asked(table(spoil), store)
    assert f"'{VICTIM}' is right on 2" in first
    assert "which is near chance (30 % for the most frequent class)" in first
    assert "'train(forest,theirs,seed=3)', an unrelated model, answer near chance" in second


def test_a_suspect_of_unknown_origin_moves_no_threshold_and_is_named(table, store):
    path = table()
    before = evaluate(path, ["AKH"], budgets=[20], seeds=1, store=store)
    path = table(lambda models, truth, rng: models.update({"suspect-x": off(models[VICTIM], 0.05, rng)}))
    (note,) = asked(path, store)
    assert "Of unknown origin: 'suspect-x', whose lineage names no training." in note
    after = evaluate(path, ["AKH"], budgets=[20], seeds=1, store=store)
    pd.testing.assert_frame_equal(before, after)
    with pytest.warns(UserWarning, match="Of unknown origin: 'suspect-x'"):
        score_table(path, ["AKH"], budgets=[20], seeds=1, store=store)


def test_thieves_that_lie_farther_away_than_unrelated_models_are_said(table, store):
    def turn(models, truth, rng):
        models[f"{VICTIM}->finetune"] = np.where(models[VICTIM] == truth, truth, (models[VICTIM] + 1) % CLASSES)

    heard = told(table(turn), store)
    assert heard[-1].startswith("AKH: thieves lie farther from the victim than unrelated models (AUC 0.")
    assert heard[-1].endswith("on finetune at 20 queries).")


def test_an_accuracy_far_below_the_declared_one_is_refused(table, store):
    path = table(accuracy={VICTIM: 0.95})
    (problem,) = check(path, store).problems
    assert problem.startswith(f"'{VICTIM}' is right on ")
    assert "of 300 test items, and 95 % are declared. Compare its normalisation and the order of its classes" in problem
    for door in (evaluate, score_table):
        with pytest.raises(QurdError, match="and 95 % are declared"):
            door(path, ["AKH"], budgets=[20], seeds=1, store=store)
    assert check(table(accuracy={VICTIM: 0.72}), store).models[0]["declared"] == 0.72
    assert asked(table(accuracy={VICTIM: 0.72}), store) == []


def test_another_order_of_the_classes_is_named_as_the_cause(table, store):
    def turn(models, truth, rng):
        models[VICTIM] = np.array([1, 0, 3, 2])[models[VICTIM]]

    (problem,) = check(table(turn, accuracy={VICTIM: 0.7}), store).problems
    assert "The likely cause is the order of the classes: its '0' is '1' here" in problem
    assert "with all classes in its order it is right on 7" in problem


def test_an_unrelated_model_with_its_classes_in_another_order_is_said(table, store):
    """Two of four are swapped, so that it is far from chance, and nothing is declared."""

    def swap(models, truth, rng):
        models["train(forest,theirs,seed=3)"] = np.array([0, 2, 1, 3])[models["train(forest,theirs,seed=3)"]]

    (said,) = asked(table(swap), store)
    assert said.startswith("'train(forest,theirs,seed=3)' is right on")
    assert "The likely cause is the order of the classes: its '1' is '2' here, and with all classes in its order" in said


@pytest.mark.parametrize("value", ["75 %", "75", "-0.1"])
def test_a_declared_accuracy_is_a_share(table, value):
    with pytest.raises(QurdError, match="Expected 'accuracy' as a share from 0 to 1"):
        benchmark(table(accuracy={VICTIM: value}))


SIDE, PIXELS = 32, 120
CLASSES_OF_FOLDER = ["cat", "dog", "owl"]
NORMALISATION = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


@pytest.fixture(scope="module")
def parts():
    """Weights of a victim and strangers, and pictures whose truth is what the victim answers."""
    nets = [architectures.initialised("res", 3, stream(seed, "plausible")) for seed in range(4)]
    blocks = torch.randint(256, (PIXELS, 3, 4, 4), generator=stream(0, "blocks"), dtype=torch.uint8)
    pixels = blocks.repeat_interleave(8, 2).repeat_interleave(8, 3)
    mean, std = (torch.tensor(NORMALISATION[name]).view(3, 1, 1) for name in ("mean", "std"))
    x = (pixels.float() / 255 - mean) / std
    states = []
    for net in nets:
        network = net.network
        with torch.no_grad():
            network.train()
            for _ in range(40):
                network(x)  # statistics of these pictures
            network.eval()
            logits = network(x)
            network[-1].weight *= 4
            network[-1].bias.copy_(network[-1].bias - 4 * (logits.mean(0) - network[-1].bias))  # answers every class
        states.append({name: tensor.clone().contiguous() for name, tensor in network.state_dict().items()})
    with torch.no_grad():
        truth = nets[0].network(x).argmax(1)
    assert truth.bincount(minlength=3).min() > PIXELS // 10
    return pixels, truth, states


@pytest.fixture
def folder(parts, tmp_path):
    """Writes a folder of models: `folder(pixels=..., normalisation=..., state=..., **declared)`."""
    pixels, truth, states = parts

    def write(pixels=pixels, normalisation=NORMALISATION, state=None, accuracy=0.95):
        save_file({"pixels": pixels, "truth": truth}, tmp_path / "test.safetensors")
        names = [VICTIM, f"{VICTIM}->finetune", *(f"train(forest,theirs,seed={n})" for n in range(3))]
        held = [state or states[0], state or states[0], *states[1:]]
        models = []
        for number, (name, weights) in enumerate(zip(names, held, strict=True)):
            save_file(weights, tmp_path / f"{number}.safetensors")
            models.append({"lineage": name, "architecture": "patchwork/res", "weights": f"{number}.safetensors"})
        models[0]["accuracy"] = accuracy
        manifest = {"classes": CLASSES_OF_FOLDER, "images": {"test": "test.safetensors"}, "models": models}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"normalisation": normalisation}))
        return str(tmp_path)

    return write


@pytest.mark.slow
def test_a_sound_folder_is_measured_once_and_nothing_is_asked_twice(folder, store, qurd):
    path = folder()
    report = check(path, store)
    assert report.problems == []
    assert report.models[0] == {"model": VICTIM, "accuracy_test": 1.0, "declared": 0.95}
    desk = workbench(benchmark(path), store, Runtime())
    before = {name: oracle.asked for name, oracle in desk.oracles.items()}
    evaluate(path, ["uniform(test) | labels | hamming"], budgets=[20], seeds=1, store=store)
    assert {name: oracle.asked for name, oracle in desk.oracles.items()} == before
    code, out, _ = qurd("models", "-b", path, "--json", "--device", "cpu", "--workers", "1")
    assert code == 0
    assert [row["accuracy_test"] for row in json.loads(out)][:2] == [1.0, 1.0]


@pytest.mark.slow
def test_the_weights_of_the_victim_that_are_declared_unrelated_are_said_however_they_are_saved(folder, parts, store):
    """All three unrelated models are the victim, so that none stands out among them."""
    path = folder()
    for number in (2, 3, 4):
        save_file(parts[2][0], Path(path) / f"{number}.safetensors", {"saved": str(number)})
    notes = [note for note in check(path, store).notes if "is declared unrelated" in note]
    assert len(notes) == 3
    assert all(f"and is the same model as '{VICTIM}': they agree on 100 %" in note for note in notes)


def test_wrong_normalisation_is_named_as_the_cause(folder, store):
    (problem,) = check(folder(normalisation={"mean": [0, 0, 0], "std": [0.003, 0.003, 0.003]}), store).problems
    assert "and 95 % are declared" in problem
    assert "The likely cause is the normalisation: with the mean and std of ImageNet it is right on 100 % of 120" in problem


def test_statistics_that_were_never_updated_are_named_as_the_cause(folder, parts, store):
    state = {name: tensor.clone() for name, tensor in parts[2][0].items()}
    for name in state:
        if name.endswith("running_mean"):
            state[name].zero_()
        if name.endswith("running_var"):
            state[name].fill_(1)
    (problem,) = check(folder(state=state), store).problems
    assert "layers hold mean 0 and variance 1, as before any training" in problem


def as_pictures(path, parts, levels):
    """The folder with a PNG per picture, of so many grey levels, in place of one file."""
    home = Path(path)
    for number, (pixels, truth) in enumerate(zip(parts[0], parts[1].tolist(), strict=True)):
        folder = home / "pictures" / CLASSES_OF_FOLDER[truth]
        folder.mkdir(parents=True, exist_ok=True)
        rows = (pixels.int() * levels // 256).to(torch.uint8).permute(1, 2, 0).numpy()
        Image.fromarray(rows).save(folder / f"{number}.png")
    manifest = json.loads((home / "manifest.json").read_text())
    (home / "manifest.json").write_text(json.dumps(manifest | {"images": {"test": "pictures"}, "side": SIDE}))
    return path


def test_pictures_of_0_and_1_and_pictures_of_one_colour_are_said(folder, parts, store):
    report = check(as_pictures(folder(), parts, levels=2), store)
    assert "No pixel of the test pictures is above 1 of 255" in " ".join(report.notes)
    assert "The pictures are the likely cause" in report.problems[0]
    plain = parts[0].clone()
    plain[:40] = 7
    assert "40 of 120 test pictures have one value in all pixels" in " ".join(check(folder(pixels=plain), store).notes)


def test_another_declaration_is_noticed_in_the_same_process(folder, store):
    assert check(folder(), store).models[0]["declared"] == 0.95
    assert check(folder(accuracy=0.9), store).models[0]["declared"] == 0.9


def test_a_run_that_does_not_send_the_items_says_that_nothing_was_measured(folder, store):
    heard = told(folder(), store, "uniform(test)->pgd(steps=1) | labels | hamming")
    assert any("the accuracy of the models was not measured. 'check-benchmark' does so." in one for one in heard)
    ask_natural(benchmark(folder()), "test", store, Runtime())
    assert not any("not measured" in one for one in told(folder(), store, "uniform(test)->pgd(steps=1) | labels | hamming"))


@pytest.mark.parametrize(("items", "refused"), [(100, True), (1000, False)])
def test_a_sample_refuses_no_model_that_chance_may_have_put_there(monkeypatch, items, refused):
    """86 of 100 are right and 98 % are declared: 12 points, and two standard errors are 2.8."""
    monkeypatch.setattr(plausibility, "_cause", lambda *_: None)
    bench = SimpleNamespace(record=lambda model: {plausibility.DECLARED: 0.98}, classes=CLASSES_OF_FOLDER)
    desk = SimpleNamespace(bench=bench, images=lambda split: range(items))
    labels = (torch.arange(100) >= 86).long()
    known = plausibility.Labels(desk, "test", torch.arange(100), torch.zeros(100, dtype=torch.long), {"m": labels})
    assert (plausibility._far_below(known, "m") is not None) == refused


def test_a_run_measures_models_on_some_items_and_a_check_on_all(folder, store, monkeypatch):
    monkeypatch.setattr(plausibility, "SAMPLE", 50)
    path = folder(accuracy=0.95)
    told(path, store, "Random")
    desk = workbench(benchmark(path), store, Runtime())
    strangers = [pair.suspect for pair in benchmark(path).pairs if pair.kind == "negative"]
    assert 50 <= max(desk.oracles[model].asked for model in strangers) < 120
    check(path, store)
    assert {desk.oracles[model].asked for model in strangers} == {120}  # what was known is asked no more


def test_the_pool_is_chosen_by_any_spelling_of_a_lineage(table, store):
    def rename(models, truth, rng):
        for n in range(STRANGERS):
            models[f"train(forest,theirs,lr=1.0,seed={n})"] = models.pop(f"train(forest,theirs,seed={n})")

    pool = [f"train(forest, theirs, seed={n}, lr=1)" for n in range(5)]
    found = evaluate(table(rename), ["AKH"], budgets=[20], seeds=1, pool=pool, store=store)
    assert found.iloc[0]["n_negatives"] == 5


def test_the_commands_say_it(qurd, table):
    def fail(models, truth, rng):
        models[f"{VICTIM}->random"] = rng.integers(CLASSES, size=ITEMS)

    path = table(fail)
    few = ["--budget", "20", "--seeds", "1", "--device", "cpu", "--workers", "1"]
    code, out, _ = qurd("check-benchmark", path)
    assert code == 0
    assert "- Did the theft fail?" in out
    assert "accuracy_test" in out
    assert "kappa" in out
    code, out, err = qurd("run", "-b", path, "-s", "AKH", *few)
    assert code == 0
    assert "Note: Did the theft fail?" in err
    assert "n_positives" in out
    code, out, err = qurd("check-benchmark", table(accuracy={VICTIM: 0.99}))
    assert code == 2
    assert "99 % are declared" in out
    assert "accuracy_test" in out


def test_honest_prints_the_reason_and_no_blank_row(qurd, table):
    def thin(models, truth, rng):
        for n in range(5, STRANGERS):
            del models[f"train(forest,theirs,seed={n})"]

    few = ["--budget", "10,200", "--seeds", "1", "--device", "cpu", "--workers", "1", "--honest"]
    code, out, _ = qurd("run", "-b", table(thin), "-s", "AKH", *few, "--json")
    assert code == 0
    rows = json.loads(out)
    assert [row["budget"] for row in rows] == [10, 200]
    assert all(row["tpr"] is None and row["reason"] for row in rows)
    assert "gives" in rows[1]["reason"]
    code, out, _ = qurd("run", "-b", table(thin), "-s", "AKH", *few)
    assert rows[0]["reason"] in out
