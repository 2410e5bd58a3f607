"""What every scheme that looks at labels keeps to: near-boundary queries are answered the same however many go at a time."""

import pytest
import torch

from qurd_core.access import Access
from qurd_core.oracle import Oracle
from qurd_core.registry import crafts, detectors, representations
from qurd_core.runtime import Runtime
from qurd_core.schemes import NAMED, Scheme
from qurd_core.types import Answers, Prefixes

BATCHES = (1, 7, 256)
LABELS = [name for name in NAMED if Scheme.parse(name).access == Access.LABELS]

SMALL = {"boundary": {"steps": 200}, "sensitive": {"steps": 10}, "erosion": {"eps": 0.4, "steps": 6, "agree": 0.5}}
pytestmark = [pytest.mark.parametrize("batch_size", BATCHES), pytest.mark.parametrize("name", LABELS)]


@pytest.fixture
def queries(name, craft, curved):
    """What the scheme sends of a victim that is not linear: points just across its boundaries, where there are any."""
    call = Scheme.parse(name).craft
    return craft(call.name, victim=curved, **crafts[call.name].bind(call) | SMALL.get(call.name, {}))


def test_the_victim_gives_its_own_labels_whatever_the_batch_size(queries, curved, batch_size):
    assert len(queries) > 1
    again = Oracle(curved.module, classes=curved.classes, runtime=Runtime(batch_size=batch_size))
    assert torch.equal(again.labels(queries.x), curved.labels(queries.x))


def test_the_victim_is_at_distance_zero_from_itself_whatever_the_batch_size(name, queries, curved, batch_size):
    scheme = Scheme.parse(name)
    again = Oracle(curved.module, classes=curved.classes, runtime=Runtime(batch_size=batch_size))
    logits = torch.stack([curved.logits(queries.x), again.logits(queries.x)])
    look, compare = representations.bound(scheme.representation), detectors.bound(scheme.detector)
    seen = look(Answers(queries, Access.LABELS, logits))
    distances = compare(seen[0], seen, Prefixes((len(queries),)))
    assert torch.equal(distances[1], distances[0]), "it is answered as before"
    if not detectors[scheme.detector.name].declares.control:
        assert float(distances.abs().max()) == 0
