"""What the manifest of forged models takes from the victim's."""

from types import SimpleNamespace

import pytest

from qurd_core.benchmarks.forge import writing
from qurd_core.benchmarks.forge.plan import Planned
from qurd_core.errors import QurdError

MINE = {"lineage": "train(res,mine)", "architecture": "resnet18", "weights": "mine.safetensors"}


def test_a_copy_of_the_victims_weights_has_its_stem_and_head_and_names_tensors_as_the_network_does():
    given = MINE | {"stem": "cifar", "head": ["dropout", "linear"], "rename": {"module.": ""}}
    copied = Planned("train(res,mine)->finetune(theirs)", "stolen", "finetune", "all of theirs", "the victim's", 10, 1)
    entry = writing.entry_of(copied, "stolen", 0.5, given)
    assert (entry["architecture"], entry["stem"], entry["head"]) == ("resnet18", "cifar", ["dropout", "linear"])
    assert "rename" not in entry
    student = Planned("train(res,mine)->label_extraction(vgg,theirs)", "stolen", "", "all of theirs", "vgg", 10, 1)
    assert not {"stem", "head"} & {*writing.entry_of(student, "stolen", 0.5, given)}


@pytest.mark.parametrize("kind", [{"source": "transformers", "folder": "vit"}, {"source": "api", "api": "shop.yaml"}])
def test_a_victim_without_one_file_is_refused_and_other_such_models_stay_behind(monkeypatch, tmp_path, kind):
    other = {"lineage": "train(vgg,theirs)", **kind}
    monkeypatch.setattr(writing, "read_manifest", lambda folder: {"models": [MINE, other]})
    bench = SimpleNamespace(
        suspects=(), pairs_of=lambda name: [SimpleNamespace(suspect="train(vgg,theirs)", kind="negative")]
    )
    found, left_out = writing.entries(tmp_path, bench, "train(res,mine)")
    assert ([entry["lineage"] for entry in found], left_out) == (["train(res,mine)"], ["train(vgg,theirs)"])
    with pytest.raises(
        QurdError, match=r"Expected a victim in one file, weights or ONNX, to forge from\. 'train\(vgg,theirs\)'"
    ):
        writing.entries(tmp_path, bench, "train(vgg,theirs)")
