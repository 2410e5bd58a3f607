"""What the manifest of forged models takes from the victim's."""

from qurd_core.benchmarks.forge import writing
from qurd_core.benchmarks.forge.plan import Planned

MINE = {"lineage": "train(res,mine)", "architecture": "resnet18", "weights": "mine.safetensors"}


def test_a_copy_of_the_victims_weights_has_its_stem_and_head_and_names_tensors_as_the_network_does():
    given = MINE | {"stem": "cifar", "head": ["dropout", "linear"], "rename": {"module.": ""}}
    copied = Planned("train(res,mine)->finetune(theirs)", "stolen", "finetune", "all of theirs", "the victim's", 10, 1)
    entry = writing.entry_of(copied, "stolen", 0.5, given)
    assert (entry["architecture"], entry["stem"], entry["head"]) == ("resnet18", "cifar", ["dropout", "linear"])
    assert "rename" not in entry
    student = Planned("train(res,mine)->label_extraction(vgg,theirs)", "stolen", "", "all of theirs", "vgg", 10, 1)
    assert not {"stem", "head"} & {*writing.entry_of(student, "stolen", 0.5, given)}
