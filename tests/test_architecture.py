"""The layers of the house: who may import whom."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from qurd_core.registry import crafts, detectors, representations, seed_rules
from qurd_core.schemes import NAMED

ROOT = Path(__file__).parents[1]
MOST = 15  # files of one folder: more are several rooms
TORCH_FREE = ("records", "views", "findings", "plots", "statistics", "paper", "jobs", "schemes", "akh", "catalogue")
NEED_TORCH = tuple(f"qurd_core.jobs.kinds.{kind}_job" for kind in ("rate", "query", "check", "own", "upload"))

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
    "qurd_core.benchmarks.registered": 2.1,
    "qurd_core.benchmarks.own.uploads": 2.2,
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
    "qurd_core.suspects": 5.75,
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


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """The syntax of a file, which several rules read."""
    return [*ast.walk(ast.parse(path.read_text()))]


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports at any depth, with the names of `from` imports that may be modules."""
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def misplaced(module: str, imported: str) -> bool:
    """Whether a module imports another one of a layer that is not below its own."""
    mine, theirs = home_of(module), home_of(imported)
    if theirs is None or theirs == mine or LAYERS[mine] == 7:
        return False
    return not (LAYERS[theirs] < LAYERS[mine] or LAYERS[mine] == LAYERS[theirs] == 1)


def test_every_file_imports_its_own_package_and_lower_layers_only():
    modules = {module_of(path): path for path in SOURCES if module_of(path) != "qurd_core"}
    homeless = [module for module in modules if not home_of(module)]
    assert not homeless, "they have no layer: add them to LAYERS"
    assert not [
        f"{module} imports {imported}"
        for module, path in modules.items()
        for imported in imports_of(path)
        if misplaced(module, imported)
    ]


def test_streamlit_stays_in_the_pages_and_plotly_in_the_plots():
    for path in SOURCES:
        if "qurd_core" in path.parts:
            libraries = {name.split(".")[0] for name in imports_of(path)}
            assert "streamlit" not in libraries, path
            assert "plotly" not in libraries or "plots" in path.parts, path


SOCKETS = {"socket", "ssl", "socketserver", "asyncio", "urllib.request", "http.client", "http.server", "requests", "httpx"}
LISTENING = {"qurd_core.cli.launch": "a free port of this machine for the app"}


def test_one_module_opens_connections():
    """Whoever else needs the network asks `egress`; the model hub is reached by its own library."""
    opening = {
        module_of(path)
        for path in SOURCES
        for name in imports_of(path)
        if {name, ".".join(name.split(".")[:1]), ".".join(name.split(".")[:2])} & SOCKETS
    }
    assert opening == {"qurd_core.suspects.elsewhere.egress", *LISTENING}


def test_pages_do_not_compute():
    for path in ROOT.glob("pages/*.py"):
        libraries = {name.split(".")[0] for name in imports_of(path)}
        assert not libraries & {"torch", "numpy", "pandas", "sklearn", "scipy"}, path


def test_nothing_seeds_a_global_generator_or_opens_a_pickle():
    for path in SOURCES:
        called = {ast.unparse(node.func) for node in nodes_of(path) if isinstance(node, ast.Call)}
        refused = {"torch.manual_seed", "np.random.seed", "random.seed", "torch.load", "eval", "exec"}
        assert not called & refused, path
        assert not [name for name in called if name.startswith(("pickle.", "np.random."))], path


def test_a_folder_holds_few_enough_files_to_be_one_room():
    for folder in {path.parent for path in SOURCES}:
        files = [path.name for path in folder.glob("*.py") if not path.name.startswith("__")]
        assert len(files) <= MOST, f"{folder} holds {len(files)} files. Which rooms are these?"


def test_pages_show_what_was_computed():
    computing = ("qurd_core.evaluation", "qurd_core.samplers", "qurd_core.benchmarks.patchwork", "qurd_core.benchmarks.base")
    for path in SOURCES:
        if "pages" in path.parts:
            assert not [name for name in imports_of(path) if name.startswith(computing)], path


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
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) in ("oracle", "logits", "gradient")
    }
    assert {name for name in asking if f"{name}`" not in told} == set()
    assert {"query_job", "speed", "plausibility"} <= asking, "named there, and asks nobody"


NAMES = {  # of components and named schemes; but for words that also mean a kind of pair, a seed set, a column or an access
    *(name for kind in (seed_rules, crafts, representations, detectors) for name in kind),
    *NAMED,
} - {"negative", "noise", "labels", "topk", "rank", "probits", "logits", "correct", "accuracy"}
NAMING = {  # what may name components, and why
    **dict.fromkeys((f"qurd_core.{name}" for name in ("samplers", "representations", "detectors")), "its own file"),
    "qurd_core.schemes": "named schemes are made of them",
    "qurd_core.paper": "the paper's own words for its schemes",
    "qurd_core.plots.drawing.theme": "colours that were checked together",
    "qurd_core.suspects.elsewhere.egress": "a word of HTTP",
    "qurd_core.evaluation.timing.peers": "what other packages call by the same name",
    "pages.ui.queries.asking": "the default view",
    "pages.ui.compose.compose_controls": "the default view",
    "pages.ui.queries.gallery": "superpixels, in the caption of a picture",
}


def named_by(path: Path) -> list[str]:
    """The components that a file names, each with its line."""
    docs = {id(node.value) for node in nodes_of(path) if isinstance(node, ast.Expr)}
    return [
        f"{module_of(path)}, line {node.lineno}: ask what '{name}' declares, or `schemes`"
        for node in nodes_of(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        for name in (part.partition("(")[0] for part in re.split(r" \| |->", node.value))
        if name in NAMES
    ]


def test_no_module_names_a_component_of_another():
    """Whoever needs to know something of a component asks what it declares."""
    for path in SOURCES:
        if not module_of(path).startswith(tuple(NAMING)):
            assert not named_by(path)
