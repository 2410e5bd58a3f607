"""What `import qurd_core` offers: each is documented, and the examples run; those that ask models ask toys."""

import doctest
import inspect
import sys

import pytest

import qurd_core
import tests.toy  # noqa: F401 (registers the benchmark)
from qurd_core.statistics import printed

ASKING = ("evaluate", "score_table")


def home(name: str) -> object:
    """What is documented: of the published schemes, what each of them is."""
    return sys.modules["qurd_core.schemes"].Named if name == "NAMED" else getattr(qurd_core, name)


def examples(documented: object, name: str, bench: str = "patchwork-sac") -> doctest.DocTest:
    """The examples of a docstring, asked of a benchmark."""
    text = inspect.getdoc(documented).replace("patchwork-sac", bench)
    return doctest.DocTestParser().get_doctest(text, dict(vars(sys.modules[documented.__module__])), name, None, 0)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", qurd_core.__all__)
def test_the_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    test = examples(home(name), name, "toy" if name in ASKING else "patchwork-sac")
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def test_everything_offered_is_named_in_the_docstring():
    assert all(f"q.{name}" in qurd_core.__doc__ for name in qurd_core.__all__)


def test_a_table_for_a_paper_has_its_names_escaped():
    assert doctest.DocTestRunner().run(examples(printed.latex, "latex")).failed == 0
    rows = [{"a_b": None, "n": 3, "tasks": ["x", "y"]}, {"a_b": "50% & {δ} ~ ^ \\", "n": float("nan"), "tasks": []}]
    assert printed.latex(rows).splitlines()[2:6] == [
        r"a\_b & n & tasks \\",
        r"\midrule",
        r" & 3 & x, y \\",
        r"50\% \& \{$\delta$\} \textasciitilde{} \textasciicircum{} \textbackslash{} &  &  \\",
    ]
    assert printed.latex([]) == "% no row"
