"""Sets of model pairs, and how their models are made."""

from qurd_core.benchmarks import thefts  # noqa: F401 (registers the thefts that benchmarks name)
from qurd_core.benchmarks.base import OF_HUB, benchmark, component, kind_of  # noqa: F401
from qurd_core.registry import discover

discover(__name__, __path__)
