"""The file of declarations stands for the components themselves."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from qurd_core import catalogue, files
from qurd_core.declarations import Detector
from qurd_core.files import ROOT
from qurd_core.registry import Registry
from qurd_core.types import Prefixes, Queries


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """A program whose shipped file is of other sources, and which has not started since."""
    monkeypatch.setattr(catalogue, "PATH", tmp_path / "shipped.json")
    monkeypatch.setattr(catalogue, "KEPT", tmp_path / "cache" / "kept.json")
    catalogue.PATH.write_text('{"sources": "of another time"}')


def declared():
    """What the components of this project declare, through a file."""
    return catalogue._declared(catalogue.PATH, catalogue.sources()) or catalogue._declared(
        catalogue.KEPT, catalogue.sources()
    )


def test_a_file_is_what_the_components_declare_or_says_that_it_is_of_other_sources():
    made = json.loads(json.dumps(catalogue.declarations()))
    found = [json.loads(path.read_text()) for path in (catalogue.PATH, catalogue.KEPT) if path.is_file()]
    fresh = [{name: of[name] for name in made} for of in found if of["sources"] == made["sources"]]
    assert fresh
    assert all(one == made for one in fresh)


def test_changed_components_are_imported_once_and_their_declarations_kept(changed, monkeypatch):
    shipped, imported = catalogue.PATH.read_text(), []
    monkeypatch.setattr(catalogue, "import_components", lambda: imported.append(1))
    for _ in range(3):
        catalogue.register_components()
    assert len(imported) == 1
    assert catalogue.PATH.read_text() == shipped
    assert declared()["detector"]
    catalogue.KEPT.write_text(catalogue.KEPT.read_text().replace("hamming", "humming"))
    catalogue.register_components()
    assert len(imported) == 2, "an altered file was believed"
    monkeypatch.setattr(catalogue, "sources", lambda: "of tomorrow")
    catalogue.register_components()
    assert len(imported) == 3


def test_where_nothing_can_be_kept_components_are_imported_again(changed, monkeypatch):
    monkeypatch.setattr(catalogue, "KEPT", catalogue.PATH / "below-a-file.json")
    catalogue.register_components()
    assert declared() is None


def test_a_changed_component_leaves_what_ships_as_it_was(changed):
    before = catalogue.PATH.stat().st_mtime_ns
    catalogue.register_components()
    assert catalogue.PATH.stat().st_mtime_ns == before
    assert not catalogue.KEPT.is_relative_to(files.ASSETS)


def test_a_declaration_differs_from_its_component_by_the_function_only():
    found_of = declared()
    assert {kind: [one.name for one in rows] for kind, rows in found_of.items()} == {
        kind.kind: [name for name in kind if catalogue._is_ours(kind[name])] for kind in catalogue.KINDS
    }
    for kind in catalogue.KINDS:
        for found in found_of[kind.kind]:
            real = kind[found.name]
            callables = {name: value for name, value in vars(real.declares).items() if callable(value)}
            assert replace(found, function=real.function, declares=replace(found.declares, **callables)) == real
            assert found.help == real.help
            assert found.function.__module__ == real.function.__module__


def test_a_declared_function_is_imported_when_it_is_called():
    hamming = next(one for one in declared()["detector"] if one.name == "hamming")
    labels = torch.tensor([[0, 1], [0, 2]])
    assert hamming.function(labels[0], labels, Prefixes((2,))).tolist() == [[0.0], [0.5]]
    pairwise = next(one for one in declared()["representation"] if one.name == "pairwise")
    queries = Queries(torch.zeros(4, 3, 2, 2), torch.tensor([0, 0, 1, 1]), torch.arange(4))
    assert pairwise.declares.rows(queries).tolist() == [1, 1]


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"sources": "of another time"}'])
def test_a_file_of_other_sources_is_not_believed(tmp_path, text):
    path = tmp_path / "components.json"
    assert catalogue._declared(path, catalogue.sources()) is None
    path.write_text(text)
    assert catalogue._declared(path, catalogue.sources()) is None


def test_an_imported_component_takes_the_place_of_its_declaration_and_no_other():
    registry, one = Registry("detector", Detector), declared()["detector"][0]
    registry.declare(one)
    registry.declare(replace(one, version=2))
    assert registry[one.name].version == 2
    with pytest.raises(Exception, match=f"Two detectors are named '{one.name}'"):
        registry.declare(replace(one, function=test_a_file_of_other_sources_is_not_believed))


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
