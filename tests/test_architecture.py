"""The layers of the house: who may import whom."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qurd_core.registry import crafts, detectors, representations, seed_rules
from qurd_core.schemes import NAMED

ROOT = Path(__file__).parents[1]
MOST = 15  # files of one folder: more are several rooms
TORCH_FREE = ("records", "views", "findings", "plots", "statistics", "paper", "jobs", "schemes", "akh", "catalogue")
NEED_TORCH = ("qurd_core.jobs.kinds.rate_job", "qurd_core.jobs.kinds.query_job", "qurd_core.jobs.speed")

LAYERS = {
    "qurd_core.errors": 0,
    "qurd_core.access": 0,
    **dict.fromkeys(
        (f"qurd_core.{name}" for name in ("grammar", "types", "registry", "randomness", "runtime", "store", "executors")), 1
    ),
    **dict.fromkeys((f"qurd_core.{name}" for name in ("files", "declarations")), 1),
    "qurd_core.records.runs": 1,
    "qurd_core.lineage": 2,
    "qurd_core.oracle": 2,
    "qurd_core.benchmarks.photographs": 2,
    "qurd_core.benchmarks.published": 2,
    "qurd_core.benchmarks.saved_benchmarks": 2,
    "qurd_core.benchmarks": 3,
    "qurd_core.samplers": 3,
    "qurd_core.representations": 3,
    "qurd_core.detectors": 3,
    "qurd_core.catalogue": 3.5,
    "qurd_core.schemes": 4,
    "qurd_core.akh": 4,
    "qurd_core.statistics": 4.5,
    "qurd_core.records": 5,
    "qurd_core.findings.language": 5.1,
    "qurd_core.views": 5.2,
    "qurd_core.paper": 5.3,
    "qurd_core.findings": 5.4,
    "qurd_core.plots": 5.5,
    "qurd_core.evaluation": 5.7,
    "qurd_core.jobs": 5.8,
    "qurd_core.cli": 5.9,
    "qurd_core.__main__": 5.95,
    "pages": 7,
    "app": 7,
}
SOURCES = sorted([*ROOT.glob("qurd_core/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"])


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def home_of(module: str) -> str | None:
    """The entry of `LAYERS` that a module belongs to."""
    fitting = [name for name in LAYERS if module == name or module.startswith(f"{name}.")]
    return max(fitting, key=len, default=None)


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports at any depth, with the names of `from` imports that may be modules."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_every_file_imports_its_own_package_and_lower_layers_only(path):
    module = module_of(path)
    if module == "qurd_core":
        return
    mine = home_of(module)
    assert mine, f"{module} has no layer: add it to LAYERS"
    for imported in imports_of(path):
        theirs = home_of(imported)
        if theirs is None or theirs == mine:
            continue
        same_vocabulary = LAYERS[mine] == LAYERS[theirs] == 1
        assert LAYERS[theirs] < LAYERS[mine] or same_vocabulary or LAYERS[mine] == 7, f"{module} imports {imported}"


@pytest.mark.parametrize("path", [path for path in SOURCES if "qurd_core" in path.parts], ids=module_of)
def test_streamlit_stays_in_the_pages_and_plotly_in_the_plots(path):
    libraries = {name.split(".")[0] for name in imports_of(path)}
    assert "streamlit" not in libraries
    assert "plotly" not in libraries or "plots" in path.parts


@pytest.mark.parametrize("path", sorted(ROOT.glob("pages/*.py")), ids=module_of)
def test_pages_do_not_compute(path):
    assert not {name.split(".")[0] for name in imports_of(path)} & {"torch", "numpy", "pandas", "sklearn", "scipy"}


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_nothing_seeds_a_global_generator_or_opens_a_pickle(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"torch.manual_seed", "np.random.seed", "random.seed", "torch.load", "eval", "exec"}
            assert not called.startswith(("pickle.", "np.random."))


@pytest.mark.parametrize("folder", sorted({path.parent for path in SOURCES}), ids=lambda folder: folder.name)
def test_a_folder_holds_few_enough_files_to_be_one_room(folder):
    files = [path.name for path in folder.glob("*.py") if not path.name.startswith("__")]
    assert len(files) <= MOST, f"{folder} holds {len(files)} files. Which rooms are these?"


@pytest.mark.parametrize("path", [path for path in SOURCES if "pages" in path.parts], ids=module_of)
def test_pages_show_what_was_computed(path):
    computing = ("qurd_core.evaluation", "qurd_core.samplers", "qurd_core.benchmarks.patchwork", "qurd_core.benchmarks.base")
    assert not [name for name in imports_of(path) if name.startswith(computing)]


def test_whoever_only_reads_imports_no_torch():
    """All modules in one process of its own: this one has imported torch for other tests."""
    reading = [
        name for name in map(module_of, SOURCES) if name.startswith(tuple(f"qurd_core.{part}" for part in TORCH_FREE))
    ]
    loaded = "\n".join(f"import {name}" for name in reading if name not in NEED_TORCH)
    script = f"import sys\n{loaded}\nprint(*sorted({{'torch', 'torchvision', 'captum'}} & {{*sys.modules}}))"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


def test_models_are_asked_where_the_docstring_of_the_workbench_says_and_nowhere_else():
    """Benchmarks hold models and crafts get the victim; whoever else asks one is named there."""
    told = ast.get_docstring(ast.parse((ROOT / "qurd_core" / "evaluation" / "workbench.py").read_text()))
    apart = ("qurd_core.benchmarks", "qurd_core.samplers", "qurd_core.oracle", "qurd_core.evaluation.workbench")
    asking = {
        path.stem
        for path in SOURCES
        if not module_of(path).startswith(apart)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) in ("oracle", "logits", "gradient")
    }
    assert {name for name in asking if f"{name}`" not in told} == set()
    assert {"query_job", "sparing", "speed", "plausibility"} <= asking, "named there, and asks nobody"


NAMES = {  # of components and named schemes; but for words that also mean a kind of pair, a seed set, a column or an access
    *(name for kind in (seed_rules, crafts, representations, detectors) for name in kind),
    *NAMED,
} - {"negative", "noise", "labels", "topk", "rank", "probits", "logits", "correct", "accuracy"}
NAMING = {  # what may name components, and why
    **dict.fromkeys((f"qurd_core.{name}" for name in ("samplers", "representations", "detectors")), "its own file"),
    "qurd_core.schemes": "named schemes are made of them",
    "qurd_core.paper": "the paper's own words for its schemes",
    "qurd_core.plots.drawing.theme": "colours that were checked together",
    "pages.ui.queries.asking": "the default view",
    "pages.ui.compose.compose_controls": "the default view",
    "pages.ui.queries.gallery": "superpixels, in the caption of a picture",
}


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_no_module_names_a_component_of_another(path):
    """Whoever needs to know something of a component asks what it declares."""
    module = module_of(path)
    if any(module.startswith(name) for name in NAMING):
        return
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            for part in re.split(r" \| |->", node.value):
                name = part.partition("(")[0]
                assert name not in NAMES, f"{module}, line {node.lineno}: ask what '{name}' declares, or `schemes`"
