"""The victim that somebody brings, as whoever trains on it gets it."""

from dataclasses import dataclass

from torch import nn

from qurd_core.benchmarks.base import benchmark
from qurd_core.runtime import Runtime


@dataclass(frozen=True)
class Mine:
    """A model of a folder, by name.

    Attributes:
        folder: its path.
        model: its name there.
        lineage: its text, with which those of thefts begin.
        architecture: of its weights, or the kind of its file.
    """

    folder: str
    model: str
    lineage: str
    architecture: str

    def module(self) -> nn.Module:
        """Read anew, so that what is trained on it changes nothing for anybody else."""
        bench = benchmark(self.folder)
        found = bench.oracle(self.model, Runtime()).module.requires_grad_()
        found.architecture, found.classes = self.architecture, len(bench.classes)
        return found
