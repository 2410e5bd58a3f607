"""A benchmark whose stolen models, or all suspects, are seen behind obfuscations; the owner's own model is not.

`obfuscated(patchwork-sac,"jpeg(quality=60)->topk(k=1)")` names one, wherever a benchmark is asked for. A model behind
them is another model, with the steps at the end of its lineage and answers of its own in the store; but for steps that only
change answers: what these make of the stored answers is worked out whenever it is needed.
"""

import hashlib
import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

from torch import Tensor

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark, Source, benchmark
from qurd_core.benchmarks.serving import Sending, Served, Server, Step, changing_answers, steps_of
from qurd_core.errors import QurdError
from qurd_core.grammar import Chain
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.registry import benchmarks
from qurd_core.runtime import Runtime
from qurd_core.types import Images

RECALLED = "test"  # the seed set that steps are told earlier answers to, where there is one


class Obfuscated(Source):
    """The models of another source, and some of them behind obfuscations.

    Args:
        source: everything else.
        models: name of a model behind steps to the name of the model, and the steps.
        classes: number of classes.
        recalled: the seed set that steps are told the earlier answers to.
    """

    def __init__(self, source: Source, models: dict[str, tuple[str, tuple[Step, ...]]], classes: int, recalled: str):
        self.source, self.models, self.classes, self.recalled = source, models, classes, recalled
        self.splits, self.kept, self.asks = source.splits, source.kept, source.asks

    def lineage(self, model: str) -> Lineage:
        name, steps = self._of(model)
        return Lineage(Chain((*self.source.lineage(name).chain.calls, *(step.call for step in steps))))

    def record(self, model: str) -> dict[str, Any]:
        """Of a model behind steps only what does not depend on its answers."""
        name, steps = self._of(model)
        known = self.source.record(name)
        if not steps:
            return known
        told = {key: None if key.startswith("accuracy") else value for key, value in known.items()}
        return told | {key: value for key, value in self._own(model).items() if key in known}

    def digest(self, model: str) -> str:
        name, steps = self._of(model)
        if not steps:
            return self.source.digest(name)
        about = [self.source.digest(name), self.classes, [step.identity for step in steps]]
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()

    def images(self, split: str) -> Images:
        return self.source.images(split)

    def images_digest(self, split: str) -> str:
        return self.source.images_digest(split)

    def answers(self, model: str, split: str) -> Tensor | None:
        name, steps = self._of(model)
        return None if steps else self.source.answers(name, split)

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        """The model behind an oracle that grants everything but gradients where steps stand before it."""
        name, steps = self._of(model)
        oracle = self.source.oracle(name, runtime)
        for step in steps:
            if step.declares.changes == "answers":
                server = Server(name, (step,))
                pixels = self.images(self.recalled).pixels if server.recalls else None
                module = Sending(oracle.module, server, None if pixels is None else oracle.logits(pixels.float() / 255))
            else:
                module = Served(oracle.module, step, self.classes)
            oracle = Oracle(module, classes=self.classes, access=Access.LOGITS, runtime=runtime, name=model)
        return oracle

    def _of(self, model: str) -> tuple[str, tuple[Step, ...]]:
        return self.models.get(model, (model, ()))

    def _own(self, model: str) -> dict[str, Any]:
        return {"lineage": str(self.lineage(model)), "model": model, "sha256": self.digest(model), "stored": False}


@benchmarks.register(made_of="of")
def obfuscated(*, of: str, by: str, pool: bool = False) -> Benchmark:
    """Another benchmark with its stolen models behind obfuscations; with pool=true all suspects, unrelated ones too."""
    return _behind(benchmark(of), str(Chain(tuple(step.call for step in steps_of(by)))), pool)


def name_of(of: str, by: str, *, pool: bool) -> str:
    """The name of a benchmark behind obfuscations."""
    found = benchmarks[obfuscated.__name__]
    return str(found.call({"of": of, "by": by, "pool": pool}))


@lru_cache(maxsize=64)
def _behind(bench: Benchmark, by: str, pool: bool) -> Benchmark:
    """
    Args:
        by: the obfuscations in canonical form.
    """
    steps = steps_of(by)
    _check(bench, steps)
    first = len(steps) - changing_answers(steps)  # those before it make models that have to be asked
    served = [pair.suspect for pair in bench.pairs if pool or pair.kind == "positive"]
    names = {model: _after(model, steps) for model in dict.fromkeys(served)}
    asked = {model: _after(model, steps[:first]) for model in names}
    pairs = tuple(
        replace(pair, suspect=names[pair.suspect]) if pool or pair.kind == "positive" else pair for pair in bench.pairs
    )
    models = {asked[model]: (model, steps[:first]) for model in names if first}
    models |= {names[model]: (model, steps) for model in names}
    recalled = RECALLED if RECALLED in bench.splits else bench.splits[0]
    counted = [step.counted for step in steps if step.counted]
    changed = [step for step in steps if step.declares.reconstruction]
    notes = tuple(f"{step.call} is a reconstruction. {step.declares.reconstruction}" for step in changed)
    return replace(
        bench,
        name=name_of(bench.name, by, pool=pool),
        pairs=pairs,
        models=tuple(dict.fromkeys(name for pair in pairs for name in (pair.victim, pair.suspect))),
        source=Obfuscated(bench.source, models, len(bench.classes), recalled),
        access=min(bench.access, *(step.access for step in steps)),
        part_of=name_of(bench.part_of, by, pool=pool) if bench.part_of else None,
        notes=(*bench.notes, *notes),
        behind=bench,
        servers={names[model]: Server(asked[model], steps[first:]) for model in names if first < len(steps)},
        recalled=recalled,
        costly=frozenset(asked.values()) if any(step.declares.changes == "model" for step in steps[:first]) else frozenset(),
        ranked=min(counted, default=None),
    )


def _after(model: str, steps: tuple[Step, ...]) -> str:
    """The name of a model behind steps."""
    return "->".join([model, *(str(step.call) for step in steps)])


def _check(bench: Benchmark, steps: tuple[Step, ...]) -> None:
    """Refuse what cannot stand before the models of a benchmark."""
    if bench.behind:
        raise QurdError(f"Expected a benchmark without obfuscations. Got {bench.name}: join them with '->'.")
    for step in steps:
        if step.declares.changes != "answers" and not bench.source.asks:
            raise QurdError(
                f"'{step.call}' has the models asked again, and {bench.name} holds answers only. Use an obfuscation that"
                " changes answers: 'obfuscations' lists them."
            )
        if step.declares.changes == "answers" and bench.access < Access.PROBITS:
            raise QurdError(
                f"'{step.call}' changes probits, and {bench.name} reveals {bench.access} only. Bring a table with probits."
            )
        if step.counted and step.counted > len(bench.classes):
            raise QurdError(
                f"The '{step.declares.counts_classes}' of '{step.component.name}' must be at most {len(bench.classes)}, the"
                f" classes of {bench.name}. Got {step.counted}."
            )
    if bench.missing:
        raise QurdError(
            f"Expected all answers, since an obfuscation cannot change what is missing. {bench.missing:,} are missing in"
            f" {bench.name}: leave out the items that not all models answer."
        )
