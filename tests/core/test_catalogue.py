"""The file of declarations stands for the components themselves."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from qurd_core import catalogue
from qurd_core.registry import Registry
from qurd_core.types import Prefixes, Queries

ROOT = Path(__file__).parents[2]


def test_the_shipped_file_is_what_the_components_declare():
    made = json.loads(json.dumps(catalogue.declarations()))
    assert json.loads(catalogue.PATH.read_text()) == made, "run: python -m qurd_core.catalogue"


def test_a_declaration_differs_from_its_component_by_the_function_only():
    declared = catalogue._declared()
    assert {kind: [one.name for one in rows] for kind, rows in declared.items()} == {
        kind.kind: [name for name in kind if catalogue._is_ours(kind[name])] for kind in catalogue.KINDS
    }
    for kind in catalogue.KINDS:
        for found in declared[kind.kind]:
            real = kind[found.name]
            callables = {name: value for name, value in real.extra.items() if callable(value)}
            assert replace(found, function=real.function, extra=found.extra | callables) == real
            assert found.help == real.help
            assert found.function.__module__ == real.function.__module__


def test_a_declared_function_is_imported_when_it_is_called():
    hamming = next(one for one in catalogue._declared()["detector"] if one.name == "hamming")
    labels = torch.tensor([[0, 1], [0, 2]])
    assert hamming.function(labels[0], labels, Prefixes((2,))).tolist() == [[0.0], [0.5]]
    pairwise = next(one for one in catalogue._declared()["representation"] if one.name == "pairwise")
    queries = Queries(torch.zeros(4, 3, 2, 2), torch.tensor([0, 0, 1, 1]), torch.arange(4))
    assert pairwise.extra["rows"](queries).tolist() == [1, 1]


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"sources": "of another time"}'])
def test_a_file_of_other_sources_is_not_believed(tmp_path, monkeypatch, text):
    monkeypatch.setattr(catalogue, "PATH", tmp_path / "components.json")
    assert catalogue._declared() is None
    catalogue.PATH.write_text(text)
    assert catalogue._declared() is None


def test_an_imported_component_takes_the_place_of_its_declaration_and_no_other():
    registry, declared = Registry("detector"), catalogue._declared()["detector"][0]
    registry.declare(declared)
    registry.declare(replace(declared, version=2))
    assert registry[declared.name].version == 2
    with pytest.raises(Exception, match=f"Two detectors are named '{declared.name}'"):
        registry.declare(replace(declared, function=test_a_file_of_other_sources_is_not_believed))


def test_schemes_are_read_without_torch():
    """In a process of its own: this one has imported torch for other tests."""
    code = """
import sys
from qurd_core.schemes import Scheme, combinations
scheme = Scheme.parse("negative(test)->pgd(eps=.1) | pairwise | cosine")
assert scheme.identity(0) and scheme.access.name == "PROBITS"
assert "needs" in Scheme.read("negative(test) | pairwise | cosine").reason
assert sum(scheme.reason is None for scheme in combinations()) > 100
print([name for name in ("torch", "numpy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
