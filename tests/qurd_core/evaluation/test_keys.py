"""What was stored is found again: a key changes with what it stands for, and with nothing else."""

import json

import pytest
import torch

from qurd_core import catalogue
from qurd_core.benchmarks.base import benchmark
from qurd_core.evaluation.workbench import Workbench
from qurd_core.registry import crafts, detectors, representations, seed_rules
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from qurd_core.types import Draw
from tests.toy import VICTIMS

KEYS = {  # scheme -> first digits of the keys of its scores and of its first crafted queries
    "negative(test) | labels | hamming": ("237847e51bca9187", None),
    "uniform(test) | labels | hamming": ("6f98448282a689bb", None),
    "uniform(train)->boundary | labels | hamming": ("79dce7b383894834", "1a394241f967d034"),
    "uniform(train)->pgd | pairwise(of=logits) | cosine": ("a1096de86486f28f", "9161e46c44121dc8"),
    "negative(train)->cutmix | listwise(of=logits) | l2": ("f119bd6301e35686", "baee54c680e4b689"),
    "uniform(train)->superpixels | lime(of=logits) | l2": ("a8cba322a759c14e", None),
    "uniform(test) | rank | mutual_information": ("c9c10ee13e52ab4d", None),
    "uniform(test) | rank(k=1) | mutual_information": ("7e2ae555fce29388", None),
    "uniform(train)->superpixels(segmentation=quickshift) | lime(of=logits) | l2": ("72568844702a6cfd", None),
    "uniform(test) | correct | accuracy": ("2f6e1134d2fe2e0f", None),
    "certain(right,by=gini)->evasion | correct | accuracy_gap": ("21d10341abf02bfd", "04c20bfc0090bc7c"),
    "certain(right,by=gini)->evasion(project=true) | correct | accuracy_gap": ("f9b4b67b20f1c9d3", "d15e5df30406df3c"),
    "certain(right,by=gini)->evasion | probits | jensen_shannon": ("a7e542ac6490a045", "04c20bfc0090bc7c"),
    "uniform(train)->deepfool | labels | hamming": ("2e235b7fdbdc17fa", "471de0cf36307542"),
    "uniform(train)->sensitive | labels | hamming": ("b7a55c8c186e95e6", "5a7b6dc51fd669fb"),
    "uniform(train)->paths | gradient_field | cosine": ("dd5a9cff257db0c8", "f7fa9a05a7a04431"),
    "uniform(train)->erosion | labels | hamming": ("4b6d7b315c30b5fa", "cde93599562f5220"),
    "noise->hinges | bend(of=logits) | cosine": ("5b27183b9faf3c99", "4ee41eeea17e45d2"),
    "uniform(train)->divergence | pairwise(of=logits) | cosine": ("5240fc4ea9e8fbc5", "a3130fe6c162b248"),
    "uniform(test)->corner_cutmix | listwise(of=logits) | l1": ("96c9a3e373c11486", "0fa9ce659688caaa"),
}


class Listening:
    """A store that tells which keys it was asked for."""

    def __init__(self, store):
        self.store, self.folder, self.asked = store, store.folder, []

    def get(self, key, make):
        self.asked.append(key)
        return self.store.get(key, make)

    def rows(self, key, wanted, make):
        self.asked.append(key)
        return self.store.rows(key, wanted, make)

    def known(self, key):
        return self.store.known(key)

    def has(self, key):
        return self.store.has(key)


@pytest.fixture
def desk(tmp_path):
    return Workbench(benchmark("toy"), Listening(Store(tmp_path)), Runtime())


def keys_of(desk, text):
    scheme = Scheme.parse(text)
    scores = desk._stored(VICTIMS[0], scheme, 0, (10, 20))[0].digest
    if KEYS[text][1]:
        list(desk.queries(VICTIMS[0], scheme, 0, 64))
    queries = [key.digest[:16] for key in desk.store.asked if key.kind == "queries"]
    return scores[:16], queries[0] if queries else None


@pytest.mark.parametrize("text", KEYS)
def test_what_was_stored_before_parts_were_added_is_still_found(desk, text):
    assert keys_of(desk, text) == KEYS[text]


def test_a_part_more_changes_neither_a_key_nor_what_is_declared_of_others(desk, monkeypatch):
    def declared():
        return {f"{kind.kind} {one}": json.dumps(catalogue._written(kind[one])) for kind in catalogue.KINDS for one in kind}

    for kind in (seed_rules, crafts, representations, detectors):
        monkeypatch.setattr(kind, "_components", dict(kind._components))
    before, keys = declared(), keys_of(desk, "uniform(train)->boundary | labels | hamming")

    @seed_rules.register(name="first_ones", provides={"photo"}, pool="test")
    def rule(pool, rng, n):
        """The first images."""
        return Draw(torch.arange(n), torch.zeros(n, dtype=torch.long))

    @crafts.register(name="left_alone", drops={"aim", "truth"})
    def craft(seeds, victim, rng):
        """Nothing is done."""
        return seeds

    after = declared()
    assert {name: after[name] for name in before} == before
    assert keys_of(desk, "uniform(train)->boundary | labels | hamming") == keys
