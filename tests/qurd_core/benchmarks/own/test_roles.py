"""What models are to whoever brings them: roles decide where there are any, lineages where there are none."""

import numpy as np
import pandas as pd
import pytest
import yaml

from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.own.kinship import pairs_by_lineage, questions, read_lineages
from qurd_core.benchmarks.own.roles import Cast, cast, faults
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.store import Store

MINE = {"mine": "train(vgg,mine)", "copy": "train(vgg,mine)->prune(0.5)"}
OTHERS = {"u1": "train(res,theirs)", "u2": "train(res,theirs,seed=1)", "u3": "u3"}
ASKED = {"shop": "shop", "app": "app"}
ROLES = {"mine": "victim", "u1": "unrelated", "u2": "unrelated", "u3": "unrelated", "shop": "suspect", "app": "suspect"}


def played(texts, roles) -> Cast:
    return cast(read_lineages(texts), roles)


def found(texts, roles) -> list[str]:
    return list(faults(read_lineages(texts), roles))


def kinds(parts: Cast) -> dict[tuple[str, str], str]:
    return {(pair.victim, pair.suspect): pair.kind for pair in parts.pairs}


def test_without_roles_lineages_decide_as_ever():
    texts = MINE | OTHERS
    assert played(texts, {}) == Cast(pairs_by_lineage(read_lineages(texts)), tuple(texts))


def test_suspects_stand_in_no_pair_and_change_none():
    parts = played(MINE | OTHERS | ASKED, ROLES)
    assert parts.suspects == ("shop", "app")
    assert not {"shop", "app"} & {*parts.models}
    without = played(MINE | OTHERS, {name: role for name, role in ROLES.items() if role != "suspect"})
    assert (parts.pairs, parts.models) == (without.pairs, without.models)
    assert kinds(parts)["mine", "u3"] == "negative"  # a bare name is a lineage of its own, because somebody says unrelated
    assert kinds(parts)["mine", "copy"] == "positive"  # by its arrow


def test_a_victim_without_thieves_has_unrelated_models_and_no_task():
    parts = played({"mine": "mine"} | OTHERS, {name: ROLES[name] for name in ("mine", *OTHERS)})
    assert kinds(parts) == {("mine", name): "negative" for name in OTHERS}
    assert all(pair.tasks == () for pair in parts.pairs)


def test_hard_is_who_is_called_so_or_differs_by_its_seed_or_shares_a_training():
    texts = {
        "mine": "train(vgg,mine)",
        "seed": "train(vgg,mine,seed=1)",
        "told": "train(res,mine)",
        "u": "train(res,theirs)",
    }
    roles = {"mine": "victim", "seed": "unrelated", "told": "hard", "u": "unrelated"}
    assert kinds(played(texts, roles)) == {("mine", "seed"): "hard", ("mine", "told"): "hard", ("mine", "u"): "negative"}
    kin = {"mine": "pretrain(res,web)->finetune(pets)", "kin": "pretrain(res,web)->finetune(cars)", "u": "train(vgg,theirs)"}
    parts = played(kin, {"mine": "victim", "kin": "unrelated", "u": "unrelated"})
    assert kinds(parts)["mine", "kin"] == "hard"
    assert any(
        "'kin' shares its first training with the victim 'mine', so it counts as hard" in note for note in parts.notes
    )


def test_victims_and_their_thieves_calibrate_for_nobody():
    texts = MINE | {"yours": "train(res,ours)", "theft": "train(res,ours)->finetune"} | OTHERS
    unrelated = dict.fromkeys(OTHERS, "unrelated")
    parts = played(texts, {"mine": "victim", "yours": "victim", "theft": "stolen"} | unrelated)
    assert [suspect for victim, suspect in kinds(parts) if victim == "mine"] == ["mine", "copy", "u1", "u2", "u3"]
    assert [suspect for victim, suspect in kinds(parts) if victim == "yours"] == ["yours", "theft", "u1", "u2", "u3"]


def test_what_is_made_of_an_unrelated_model_is_one_and_a_failed_theft_is_none():
    texts = MINE | OTHERS | {"u1b": "train(res,theirs)->prune(0.5)", "try": "train(vgg,mine)->label_extraction(res)"}
    parts = played(texts, {name: role for name, role in ROLES.items() if role != "suspect"} | {"try": "failed"})
    assert kinds(parts)["mine", "u1b"] == "negative"
    assert "try" not in parts.models
    assert any("1 failed theft(s), such as 'try'" in note for note in parts.notes)


@pytest.mark.parametrize(
    ("texts", "roles", "says"),
    [
        (
            {"m17": "m17"},
            {},
            "'m17' has neither a role nor an arrow. Write role: unrelated if you know that it was not stolen",
        ),
        ({}, {"mine": "unrelated"}, "No model has the role victim. Give it to the one that is yours."),
        (
            {"x": "train(vgg,mine)->prune"},
            {"x": "unrelated"},
            "'x' is called unrelated, but its lineage descends from the vic",
        ),
        (
            {"x": "train(vgg,mine)->prune"},
            {"x": "hard"},
            "'x' is called hard, but its lineage descends from the victim 'mine'",
        ),
        ({"x": "train(res,web)"}, {"x": "stolen"}, "'x' is called stolen, but its lineage descends from no victim."),
        ({}, {"u1": "thief"}, "Unknown role 'thief'. Known: failed, hard, stolen, suspect, unrelated, victim."),
        ({"twin": "train(res,theirs)"}, {"twin": "unrelated"}, "have the same lineage 'train(res,theirs)'"),
        ({"again": "train(res,theirs)"}, {"again": "suspect"}, None),
    ],
)
def test_what_roles_and_lineages_do_not_allow_is_a_sentence(texts, roles, says):
    faults = found(MINE | OTHERS | ASKED | texts, ROLES | roles)
    assert (says is None) == (faults == [])
    assert says is None or any(says in fault for fault in faults), faults


def test_a_victim_alone_can_be_opened_and_is_told_what_it_lacks():
    assert not found({"mine": "mine"}, {"mine": "victim"})
    parts = played({"mine": "mine"}, {"mine": "victim"})
    assert kinds(parts) == {("mine", "mine"): "positive"}
    assert "'mine' stands alone. Add unrelated models" in parts.notes[0]


def answers(roles: dict[str, str], *, lineage=True) -> pd.DataFrame:
    """A table of six items on which every model but the victim is wrong in a place of its own."""
    rows = [
        {"item": f"i{item}", "truth": item % 3, "model": model, "label": str((item + (item == place)) % 3), "role": role}
        for place, (model, role) in enumerate(roles.items())
        for item in range(6)
    ]
    table = pd.DataFrame(rows)
    if lineage:
        table["lineage"] = table["model"].map(lambda name: "" if roles[name] in ("suspect", "failed") else name)
    return table


def bench_of(table: pd.DataFrame, path):
    table.to_csv(path, index=False)
    return benchmark(str(path))


def test_a_table_takes_roles(tmp_path):
    bench = bench_of(answers({"mine": "victim", "u1": "unrelated", "u2": "hard", "shop 1": "suspect"}), tmp_path / "a.csv")
    assert {(pair.suspect, pair.kind) for pair in bench.pairs} == {("u1", "negative"), ("u2", "hard")}
    assert bench.suspects == ("shop 1",)
    assert bench.record("shop 1")["role"] == "suspect"


def test_a_table_of_answers_without_lineages_says_whose_are_needed(tmp_path):
    with pytest.raises(QurdError, match="Expected a lineage of 'mine', which is called victim"):
        bench_of(answers({"mine": "victim", "u1": "unrelated", "shop": "suspect"}, lineage=False), tmp_path / "a.csv")


def thieves(extra: dict[str, str]) -> pd.DataFrame:
    table = answers({"mine": "victim", "copy": "stolen", "u1": "unrelated", "u2": "unrelated"} | extra)
    return table.assign(lineage=table["lineage"].mask(table["model"] == "copy", "mine->prune"))


def test_what_a_suspect_lacks_or_answers_beside_the_classes_changes_nothing_of_a_run(tmp_path):
    store, how = Store(tmp_path / "store"), {"budgets": [1, 2], "seeds": 2}
    before = evaluate(bench_of(thieves({}), tmp_path / "a.csv"), ["Random", "FBI:labels"], store=store, **how)
    table = thieves({"shop": "suspect", "app": "suspect"})
    table.loc[(table["model"] == "app") & (table["item"] == "i1"), "label"] = "something else"
    gone = table[(table["model"] != "shop") | (table["item"] > "i2")]
    bench = bench_of(gone, tmp_path / "b.csv")
    assert bench.missing == 0
    assert bench.classes == ("0", "1", "2")
    assert bench.answers("shop", "test").argmax(1).eq(3).tolist() == [True] * 3 + [False] * 3
    assert bench.answers("app", "test").argmax(1)[1] == 3
    assert bench.answers("copy", "test").shape == (6, 3)
    after = evaluate(bench, ["Random", "FBI:labels"], store=Store(tmp_path / "other"), **how)
    pd.testing.assert_frame_equal(before.drop(columns="benchmark"), after.drop(columns="benchmark"))


def test_a_manifest_takes_roles_and_asks_for_them(tmp_path):
    def manifest(models):
        held = {"classes": 3, "images": {"test": "t.safetensors"}, "normalisation": {"mean": [0] * 3, "std": [1] * 3}}
        (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(held | {"models": models}))

    for name in ("t", "w"):
        (tmp_path / f"{name}.safetensors").write_bytes(b"{}")
    net = {"architecture": "resnet18", "weights": "w.safetensors"}
    manifest([{"model": "mine", "role": "victm", **net}])
    with pytest.raises(QurdError, match=r"Unknown role 'victm'\. Did you mean 'victim'"):
        benchmark(str(tmp_path))
    manifest([{"model": "mine", "role": "victim", **net}])
    with pytest.raises(QurdError, match="Expected a lineage of 'mine', which is called victim"):
        benchmark(str(tmp_path))


def test_what_a_suspect_lacks_changes_nothing_of_a_table_with_probits(tmp_path):
    def with_probits(table):
        for number in range(3):
            table[f"p_{number}"] = np.where(table["label"] == str(number), 0.8, 0.1)
        return table

    before = bench_of(with_probits(thieves({})), tmp_path / "a.csv")
    table = with_probits(thieves({"shop": "suspect"}))
    after = bench_of(table[(table["model"] != "shop") | (table["item"] != "i3")], tmp_path / "b.csv")
    assert [before.digest(model) for model in before.models] == [after.digest(model) for model in before.models]
    assert after.answers("shop", "test").shape == (6, 4)


def test_only_models_of_unknown_origin_are_said_to_be_so():
    texts = MINE | {"yours": "train(res,ours)"} | OTHERS
    lineages = read_lineages(texts)
    judged = {name for name in texts if name != "yours"}
    assert not list(questions(lineages, ["mine"], judged))
