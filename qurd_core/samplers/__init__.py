"""Where queries come from: a seed rule picks images, a craft turns them into queries."""

from qurd_core.registry import discover

discover(__name__, __path__)
