"""Where models are asked: about a natural image once per model, about crafted ones once per query set, everything kept in
the store.

Of a seed set a model is asked about the images that are sent to it, and about all of them only where somebody needs that: a
seed rule that chooses by its answers, a server that recalls them, delta and delta_C, records, and checks of a benchmark.

Besides, models answer to crafts (`samplers.crafts`), which get the victim, and where a number of a run is not the point:
`speed` and, in `timing`, `bare`, `crafted` and `growth` ask how fast they are, `plausibility` whether they are what their
owner says, `jobs.kinds.query_job` what they say of the images on screen, and `suspects.verifying` whether they say again
what evidence tells. No other module of a run asks.

The queries of a sampler come in parts. A part is one call of the craft on a constant number of seeds with a generator of
its own, so a small budget needs the first parts of a large one and nothing is asked twice. What a server makes of answers
is not stored: it follows from those of the model behind it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark, benchmark, reader
from qurd_core.benchmarks.own.pictures import BYTES
from qurd_core.errors import QurdError, doing
from qurd_core.evaluation.distances import Costs, costs_of, distances, represented
from qurd_core.executors.limited import MEMORY, limited
from qurd_core.oracle import Oracle
from qurd_core.randomness import stream
from qurd_core.registry import crafts, seed_rules
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import ROWS, Key, Store, digest
from qurd_core.types import Answers, Draw, Images, Pool, Queries, concatenate, interleave, seeds_as_queries

STEP = 10  # scores are stored at every tenth budget, which costs no query more than the largest one
LEVELS = (20, 50, 100, 200, 400, 1000)  # where scores at more budgets are looked for
HELD = 4 * 2**30  # bytes of models in memory: those of SACBench together are 30 GB
PIECE = 2**27  # numbers of a seed set that are made floats at a time
COSTS_VERSION = 2  # of what is stored beside distances: part of the key of every score
VETTING = MEMORY + 2 * BYTES  # of memory to read foreign models, and a seed set that is then written into the store
PART = 64  # queries made by one call of a craft; decides which generator draws what, so it is part of every key's version


class Part(NamedTuple):
    """Some queries with the answers of all models of a victim, (M,s,C)."""

    queries: Queries
    logits: Tensor


class Sent(NamedTuple):
    """The natural images that a query set sends: the first `budget` of what the seed rule of a scheme draws."""

    victim: str
    scheme: str
    query_seed: int
    budget: int


@dataclass
class Workbench:
    """One benchmark at one store: everything that needs a model or its stored answers.

    Attributes:
        rounded: crafted queries are sent as pictures of 8 bits, to everybody.
        told: models that are asked elsewhere, by what they answered there: pictures (n,3,H,W) uint8 to outputs (n,C+1), of
            which the last stands for no answer. Nothing of it goes into the store.
        oracles: the models in memory; they count what they were asked.
    """

    bench: Benchmark
    store: Store
    runtime: Runtime
    rounded: bool = False
    told: Mapping[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    oracles: dict[str, Oracle] = field(default_factory=dict)
    _images: dict[str, Images] = field(default_factory=dict)
    _drawn: dict[tuple[str, str, int], tuple[Pool, Draw]] = field(default_factory=dict, init=False)
    _sent_rows: dict["Sent", Tensor] = field(default_factory=dict, init=False)

    def models(self, victim: str) -> tuple[str, ...]:
        """The models that a victim's schemes ask: itself first, then every suspect."""
        return tuple(dict.fromkeys([victim, *(pair.suspect for pair in self.bench.pairs_of(victim))]))

    def images(self, split: str) -> Images:
        """The seed set of a split. One that takes long is made once per store and read by whoever comes after."""
        if split not in self._images:
            key = Key("images", {"images": self.bench.images_digest(split)})
            if self.bench.source.kept:
                self._images[split] = Images(**self.store.get(key, lambda: self.bench.images(split).tensors))
            else:
                self._images[split] = self.bench.images(split)
        return self._images[split]

    def vet(self) -> None:
        """Have the files of models that somebody brings read first by a process with limits, once for what they hold now:
        pictures are decoded by such processes only, weights are loaded and asked for an answer.

        Tables of answers are read so whenever they are opened.

        Raises:
            QurdError: a file cannot be read, or takes more than it may.
        """
        plain = self.bench.behind or self.bench
        found = reader(plain.whole)
        if found and plain.source.asks:
            kind, path = found
            key, read = Key("vetted", {"content": kind.content(path)}), replace(self, bench=plain)._read_all
            if self.store.known(key) is None:
                limited(read, path, memory=VETTING)
                with suppress(QurdError):  # a disk that takes nothing more: it is read again the next time
                    self.store.get(key, dict)

    def _read_all(self) -> None:
        few = [torch.zeros_like(self.images(split).pixels[:1], dtype=torch.float) for split in self.bench.splits]
        for model in (*self.bench.models, *self.bench.suspects):
            if model in self.bench.remote:
                continue
            with doing(f"asking '{model}'"):
                self.bench.oracle(model, Runtime()).logits(few[0])

    def natural(self, model: str, split: str) -> Tensor:
        """(n,C) logits of one model on a whole seed set: the answer bank."""
        return self._natural(model, split, lambda: self._pieces(split))

    def some(self, model: str, split: str, rows: Tensor) -> Tensor:
        """(k,C) logits of one model on some images of a seed set; those that nobody has asked about are asked.

        What is asked in other batches may differ in the last digit, and with it the scores of runs that asked for the same
        images in another order.

        Args:
            rows: (k,) places of the images.
        """
        if not len(rows):
            return torch.empty(0, len(self.bench.classes))
        if model in self.told:
            return torch.from_numpy(self.told[model](self.images(split).pixels[rows].numpy()))
        answering = self.bench.answering(model)
        if answering != model:
            return self._sent(model, self.some(answering, split, rows))
        if self.has_natural(model, split):
            return self.natural(model, split)[rows]

        def ask(lacking: Tensor) -> dict[str, Tensor]:
            return {"logits": torch.cat([self.oracle(model).logits(piece) for piece in self._pieces(split, lacking)])}

        return self.store.rows(self._some_key(model, split), rows, ask)["logits"]

    def fill_bank(self, models: Iterable[str], split: str) -> None:
        """Put the answers of some models on a whole seed set into the store; the images are prepared once for all."""
        once = cache(lambda: list(self._pieces(split)))
        for model in models:
            small = self.images(split).pixels.numel() <= PIECE
            self._natural(model, split, once if small else lambda: self._pieces(split))

    def has_natural(self, model: str, split: str) -> bool:
        model = self.bench.answering(model)
        return self.bench.answers(model, split) is not None or self.store.has(self._natural_key(model, split))

    def natural_needs(self, victim: str, scheme: Scheme) -> list[tuple[str, str]]:
        """Models and splits whose answers on the whole seed set a scheme takes and the store lacks."""
        found: dict[tuple[str, str], None] = {}
        for one, _ in scheme.ingredients:
            found |= {(model, one.split): None for model in self.choosing(victim, one)}
        servers = [self.bench.servers[model] for model in self.models(victim) if model in self.bench.servers]
        found |= {(server.behind, self.bench.recalled): None for server in servers if server.recalls}
        return [need for need in found if not self.has_natural(*need)]

    def sent_needs(self, victim: str, scheme: Scheme, query_seed: int, budget: int) -> Iterator[tuple[str, str, "Sent"]]:
        """Models, splits and what is sent of them where a scheme sends natural images and not all answers are there."""
        needed = zip(scheme.mixed, scheme.needed(budget), strict=True) if scheme.mixed else (((scheme, 1), budget),)
        for (one, _), need in needed:
            if one.sends_seeds:
                sent = Sent(victim, str(one), query_seed, need)
                for model in self._answering(self.models(victim)):
                    if not self.has_natural(model, one.split):
                        yield model, one.split, sent

    def ask_sent(self, split: str, asked: Mapping[str, Iterable["Sent"]]) -> None:
        """Put the answers of models on all images of a seed set that are sent to each into the store, at one go."""
        for model, sent in asked.items():
            self.some(model, split, torch.cat([self.sent(what) for what in sent]).unique())

    def lacking(self, model: str, split: str, rows: Tensor) -> int:
        """How many of some images of a seed set a model has not been asked about."""
        if self.has_natural(model, split):
            return 0
        some = self.store.known(self._some_key(self.bench.answering(model), split))
        return len(rows) - (int(torch.isin(rows, some[ROWS]).sum()) if some else 0)

    def sent(self, what: "Sent") -> Tensor:
        """(k,) places of the natural images that are sent."""
        if what not in self._sent_rows:
            draw = self.draw(what.victim, Scheme.parse(what.scheme), what.query_seed)[1]
            self._sent_rows[what] = draw.indices[: what.budget].clone()  # and not all of the draw
        return self._sent_rows[what]

    def choosing(self, victim: str, scheme: Scheme) -> tuple[str, ...]:
        """The models by whose natural answers the seed rule chooses: the victim, auxiliary ones, both or none."""
        needs = seed_rules[scheme.seeds.name].declares.needs
        looks = bool(needs & {"victim labels", "victim probits"})
        return (victim,) * looks + (self.bench.auxiliary(victim) if "pool labels" in needs else ())

    @property
    def where(self) -> "Where":
        return Where(self.bench.name, str(self.store.folder), self.runtime.device, self.runtime.batch_size, self.rounded)

    def draw(self, victim: str, scheme: Scheme, query_seed: int) -> tuple[Pool, Draw]:
        """The seed set as the victim sees it, and every image of it that the seed rule picks, in draw order."""
        what = victim, str(scheme.seeds), query_seed
        if what not in self._drawn:
            self._drawn = {what: self._draw(victim, scheme, query_seed)}  # the latest only: the next one is another
        return self._drawn[what]

    def _draw(self, victim: str, scheme: Scheme, query_seed: int) -> tuple[Pool, Draw]:
        images, declares = self.images(scheme.split), seed_rules[scheme.seeds.name].declares
        needs, looking = declares.needs, self.choosing(victim, scheme)
        truth = images.truth if "truth" in declares.provides else None
        seen = [self.natural(model, scheme.split) for model in looking if model == victim]
        others = [self.natural(model, scheme.split).argmax(1) for model in looking if model != victim]
        pool = Pool(
            images.pixels,
            truth,
            seen[0].argmax(1) if "victim labels" in needs else None,
            seen[0].double().softmax(1) if "victim probits" in needs else None,
            torch.stack(others) if others else None,
        )
        rng = stream(query_seed, "draw", *self._identity(victim, scheme), str(scheme.seeds))
        with doing(f"drawing {scheme.seeds} for {victim}"):
            return pool, seed_rules.bound(scheme.seeds)(pool, rng, len(pool))

    def parts(
        self, victim: str, scheme: Scheme, query_seed: int, budget: int, models: tuple[str, ...] | None = None
    ) -> Iterator[Part]:
        """Queries with answers, part after part, until they hold `budget` queries or the seed set has run out.

        Those of a mixture are asked sampler by sampler, so their answers are shared with the samplers alone.

        Args:
            models: who answers; the victim and all models that stand against it if not given.
        """
        asked = self.models(victim) if models is None else models
        for number, queries in enumerate(self.queries(victim, scheme, query_seed, budget)):
            natural = number == 0 and scheme.sends_seeds
            yield Part(queries, self._answers(asked, queries, scheme.split if natural else None))

    def queries(self, victim: str, scheme: Scheme, query_seed: int, budget: int) -> Iterator[Queries]:
        """The same queries without the suspects' answers: only the victim is asked. The first part may be empty."""
        if scheme.mixed:
            yield self._mixture(victim, scheme, query_seed, budget)[0]
            return
        pool, draw = self.draw(victim, scheme, query_seed)
        if not len(draw.indices):
            yield seeds_as_queries(pool, draw.indices)
            return
        seeds, sent = scheme.seeds_per_part(PART if scheme.nested else budget), 0
        if scheme.sends_seeds:
            firsts = draw.indices[:budget]
            sent = len(firsts)
            yield seeds_as_queries(pool, firsts)
        if scheme.natural:
            return
        chunks = draw.indices.split(seeds)
        number = 0
        while sent < budget and (number < len(chunks) or scheme.goes_round):
            chunk = number % len(chunks)
            start = seeds_as_queries(pool, chunks[chunk], first=chunk * seeds)
            queries = self._crafted(victim, scheme, query_seed, number if scheme.nested else (number, budget), start)
            if self.rounded:
                queries = replace(queries, x=eight_bits(queries.x).float() / 255)
            sent, number = sent + len(queries), number + 1
            yield queries

    def scores(
        self, victim: str, schemes: list[Scheme], query_seed: int, budgets: tuple[int, ...]
    ) -> dict[Scheme, dict[str, Tensor]]:
        """Distances of every model at every budget, for schemes that share a sampler.

        Returns:
            for each scheme `values` (M,B) float32 for `models(victim)`, NaN where the budget buys nothing or the seed set
            is too small, and the fields of `Costs`.
        """
        asked: dict[tuple[int, ...], tuple[Answers, Costs]] = {}
        latest: dict[tuple[str, tuple[int, ...]], Tensor] = {}

        def make(scheme: Scheme, grid: tuple[int, ...]) -> dict[str, Tensor]:
            if not scheme.nested and len(grid) > 1:
                each = [self.scores(victim, [scheme], query_seed, (budget,))[scheme] for budget in grid]
                return {name: torch.cat([one[name] for one in each], dim=-1) for name in each[0]}
            if grid not in asked:
                asked[grid] = self.ask(victim, scheme, query_seed, grid, self.models(victim))
            answers, costs = asked[grid]
            if not bool(costs.used.any()):
                return {"values": torch.full((len(answers.outputs), len(grid)), torch.nan), **costs._asdict()}
            look, used = (str(scheme.representation), grid), int(costs.used.max())
            if look not in latest:
                latest.clear()  # one listwise representation of a hundred models is large
                latest[look] = represented(self.with_slopes(self.models(victim), answers, scheme, used), scheme, used)
            return {"values": distances(latest[look], answers.queries, scheme, costs.used), **costs._asdict()}

        found = {}
        for scheme in sorted(schemes, key=str):
            key, grid = self._stored(victim, scheme, query_seed, budgets)
            stored = self.store.get(key, lambda scheme=scheme, grid=grid: make(scheme, grid))
            columns = torch.tensor([grid.index(budget) for budget in budgets])
            found[scheme] = {name: rows[..., columns] for name, rows in stored.items()}
        return found

    def has_scores(self, victim: str, scheme: Scheme, query_seed: int, budgets: tuple[int, ...]) -> bool:
        return self.store.has(self._stored(victim, scheme, query_seed, budgets)[0])

    def oracle(self, model: str) -> Oracle:
        """The model, loaded once as long as `HELD` bytes are enough; else those not asked for longest make room."""
        found = self.oracles.pop(model, None) or self.bench.oracle(model, self.runtime)
        while self.oracles and found.size + sum(oracle.size for oracle in self.oracles.values()) > HELD:
            del self.oracles[next(iter(self.oracles))]
        self.oracles[model] = found
        return found

    def ask(
        self, victim: str, scheme: Scheme, query_seed: int, budgets: tuple[int, ...], models: tuple[str, ...]
    ) -> tuple[Answers, Costs]:
        """What some models answer to the queries of a victim, and what each budget of these costs."""
        if scheme.mixed:
            return self._ask_mixture(victim, scheme, query_seed, budgets, models)
        parts = list(self.parts(victim, scheme, query_seed, max(budgets), models))
        queries = concatenate([part.queries for part in parts])
        logits = torch.cat([part.logits for part in parts], dim=1)
        _, draw = self.draw(victim, scheme, query_seed)
        return Answers(queries, self.bench.access, logits), costs_of(queries, draw, scheme.group_size, budgets)

    def _mixture(self, victim: str, scheme: Scheme, query_seed: int, budget: int) -> tuple[Queries, Tensor, list[Queries]]:
        """What `interleave` makes of the queries of every ingredient, and these."""
        wanted = zip(scheme.mixed, scheme.needed(budget), strict=True)
        each = [concatenate(list(self.queries(victim, one, query_seed, need))) for (one, _), need in wanted]
        return *interleave(each, [share for _, share in scheme.mixed]), each

    def _ask_mixture(
        self, victim: str, scheme: Scheme, query_seed: int, budgets: tuple[int, ...], models: tuple[str, ...]
    ) -> tuple[Answers, Costs]:
        queries, rows, each = self._mixture(victim, scheme, query_seed, max(budgets))
        needs = scheme.needed(max(budgets))
        answered = [
            part.logits
            for (one, _), need in zip(scheme.mixed, needs, strict=True)
            for part in self.parts(victim, one, query_seed, need, models)
        ]
        used = torch.tensor([queries.prefix(budget) if budget <= len(queries) else 0 for budget in budgets])
        first, spent = 0, []
        for (one, _), own in zip(scheme.mixed, each, strict=True):
            mine = (rows >= first) & (rows < first + len(own))
            sent = torch.cat([torch.zeros(1, dtype=torch.long), mine.long().cumsum(0)])[used]
            spent.append(costs_of(own, self.draw(victim, one, query_seed)[1], 1, tuple(sent.tolist())))
            first += len(own)
        costs = Costs(
            used,
            torch.cat([torch.zeros(1, dtype=torch.long), queries.different])[used],
            sum(one.samples for one in spent),
            sum(one.gradients for one in spent),
            sum(one.converged * one.used for one in spent) / used.clamp_min(1),
            torch.full((len(budgets),), len(queries)),
        )
        return Answers(queries, self.bench.access, torch.cat(answered, 1)[:, rows]), costs

    def _crafted(self, victim: str, scheme: Scheme, query_seed: int, part: int | tuple[int, int], seeds: Queries) -> Queries:
        """The craft's queries of one part.

        Args:
            part: its number, with the budget where the queries of one budget are no prefix of those of another.
        """
        spec = {"victim": self.bench.digest(victim), "images": self.bench.images_digest(scheme.split)}
        spec |= {"sampler": scheme.sampler_identity(PART), "query_seed": query_seed, "part": part}
        others = self._auxiliary(victim, scheme)
        spec |= {"auxiliary": others} if others else {}

        def make() -> dict[str, Tensor]:
            rng = stream(query_seed, "craft", *self._identity(victim, scheme), str(scheme.sampler), part)
            with doing(f"crafting {scheme.sampler} for {victim}"):
                return crafts.bound(scheme.craft)(seeds, self.oracle(victim), rng).tensors

        return Queries.of(self.store.get(Key("queries", spec), make))

    def _answers(self, models: tuple[str, ...], queries: Queries, split: str | None) -> Tensor:
        """(M,s,C) logits of some models; those on images of a split as they are, are asked once."""
        if not len(queries):
            return torch.zeros(len(models), 0, len(self.bench.classes))
        answering = self._answering(models)
        if split:
            found = {model: self.some(model, split, queries.seed) for model in answering}
        else:
            found = dict(zip(answering, self._asked(answering, queries), strict=True))
        return torch.stack([self._sent(model, found[self.bench.answering(model)]) for model in models])

    def _asked(self, models: tuple[str, ...], queries: Queries) -> Tensor:
        """(M,s,C) logits of models on queries that are asked as they are."""
        if {*models} & {*self.told}:  # who is asked elsewhere is asked alone
            pictures = eight_bits(queries.x).numpy()
            return torch.stack([torch.from_numpy(self.told[model](pictures)) for model in models])
        ready = replace(queries, x=queries.x.contiguous(memory_format=torch.channels_last))  # once, not for every model
        digests = [self.bench.digest(model) for model in models]
        key = Key("answers", {"models": digests, "queries": digest(queries.tensors)})
        answers = self.store.get(
            key, lambda: {"logits": torch.stack([self.oracle(model).logits(ready.x) for model in models])}
        )
        return answers["logits"]

    def with_slopes(self, models: tuple[str, ...], answers: Answers, scheme: Scheme, used: int) -> Answers:
        """Answers of some models with their gradients at the first `used` queries, (M,used,3,H,W), where a scheme takes
        them; as large as they are, they are not stored.
        """
        if scheme.access is not Access.GRADIENTS:
            return answers
        x, firsts = answers.queries.x[:used], answers.queries.group_starts[:used]
        rows = [self._slope(model, x, labels[firsts]) for model, labels in zip(models, answers.labels, strict=True)]
        return replace(answers, slopes=torch.stack(rows))

    def _slope(self, model: str, x: Tensor, labels: Tensor) -> Tensor:
        oracle = self.oracle(model)
        found = []
        for images, classes in zip(*(rows.split(self.runtime.batch_size) for rows in (x, labels)), strict=True):
            own = classes.to(oracle.device)
            found.append(oracle.gradient(lambda logits, own=own: logits.gather(1, own[:, None]).sum(), images)[0])
        return torch.cat(found)

    def _sent(self, model: str, answers: Tensor) -> Tensor:
        """(n,C) what a server makes of the answers of the model behind it; the answers themselves where there is none."""
        server = self.bench.servers.get(model)
        if server is None:
            return answers
        split = self.bench.recalled
        return server(answers, self._natural(server.behind, split, lambda: self._pieces(split)) if server.recalls else None)

    def _answering(self, models: Iterable[str]) -> tuple[str, ...]:
        """The models whose answers are stored, of some that are asked."""
        return tuple(dict.fromkeys(map(self.bench.answering, models)))

    def _natural(self, model: str, split: str, pieces: Callable[[], Iterable[Tensor]]) -> Tensor:
        answering = self.bench.answering(model)
        if answering != model:
            return self._sent(model, self._natural(answering, split, pieces))
        known = self.bench.answers(model, split)
        if known is not None:
            return known
        key = self._natural_key(model, split)

        def make() -> dict[str, Tensor]:
            oracle, some = self.oracle(model), self.store.known(self._some_key(model, split))
            if not some:
                return {"logits": torch.cat([oracle.logits(piece) for piece in pieces()])}
            rest = torch.ones(len(self.images(split)), dtype=torch.bool).index_fill(0, some[ROWS], False).nonzero()[:, 0]
            more = [oracle.logits(piece) for piece in self._pieces(split, rest)]
            rows = torch.cat([some[ROWS], rest]).argsort()
            return {"logits": torch.cat([some["logits"], *more])[rows]}

        return self.store.get(key, make)["logits"]

    def _pieces(self, split: str, rows: Tensor | None = None) -> Iterator[Tensor]:
        """A seed set as models take it, in pieces of whole batches: thousands of large images do not fit in memory.

        Args:
            rows: (k,) places of the images that are wanted, instead of all.
        """
        pixels, batch = self.images(split).pixels, self.runtime.batch_size
        size = max(1, PIECE // max(1, pixels[:1].numel()) // batch) * batch
        for piece in pixels.split(size) if rows is None else (pixels[some] for some in rows.split(size)):
            yield (piece.float() / 255).contiguous(memory_format=torch.channels_last)

    def _natural_key(self, model: str, split: str) -> Key:
        return Key("answers", {"model": self.bench.digest(model), "images": self.bench.images_digest(split)})

    def _some_key(self, model: str, split: str) -> Key:
        return Key("answers", {**self._natural_key(model, split).spec, "to": "some"})

    def _stored(self, victim: str, scheme: Scheme, query_seed: int, budgets: tuple[int, ...]) -> tuple[Key, tuple[int, ...]]:
        """The entry that holds the scores at these budgets, or will hold them, and all budgets in it."""
        spec = {"models": self._digests(victim), "query_seed": query_seed, "costs version": COSTS_VERSION}
        splits = [self.bench.images_digest(one.split) for one, _ in scheme.ingredients]
        others = [digest for one, _ in scheme.ingredients for digest in self._auxiliary(victim, one)]
        spec |= {"images": splits if scheme.mixed else splits[0]} | scheme.identity(PART)
        spec |= {"auxiliary": others} if others else {}
        entries = [(Key("scores", spec | {"budgets": list(grid)}), grid) for grid in _grids(budgets, scheme.nested)]
        return next((entry for entry in entries if self.store.has(entry[0])), entries[0])

    def _identity(self, victim: str, scheme: Scheme) -> tuple[str, str]:
        return self.bench.digest(victim), self.bench.images_digest(scheme.split)

    def _auxiliary(self, victim: str, scheme: Scheme) -> list[str]:
        """Digests of the auxiliary models that chose the seeds, which no key names where none did."""
        return [self.bench.digest(model) for model in self.choosing(victim, scheme) if model != victim]

    def _digests(self, victim: str) -> list[str]:
        return [self.bench.digest(model) for model in self.models(victim)]


class Where(NamedTuple):
    """Where a workbench stands: what units of work carry to other processes.

    A workbench holds models, so it stays in its process. This is small and can be pickled; whoever receives it stands at the
    workbench of their own process, which loads every model once.
    """

    benchmark: str
    folder: str
    device: str
    batch_size: int
    rounded: bool = False

    @property
    def desk(self) -> Workbench:
        """The workbench of this process; another one if a benchmark's file changes."""
        return _workbench(benchmark(self.benchmark), *self[1:])

    def fill_bank(self, models: tuple[str, ...], split: str) -> None:
        """A unit of work: the answers of some models on a whole seed set."""
        self.desk.fill_bank(models, split)

    def ask_rows(self, split: str, models: tuple[str, ...], rows: tuple[int, ...]) -> None:
        """A unit of work: the answers of some models on the same images of a seed set."""
        for model in models:
            self.desk.some(model, split, torch.tensor(rows))

    def ask_sent(self, split: str, asked: tuple[tuple[str, tuple[Sent, ...]], ...]) -> None:
        """A unit of work: the answers of some models on the images of a seed set that are sent to them."""
        self.desk.ask_sent(split, dict(asked))

    def score(self, victim: str, schemes: tuple[str, ...], query_seed: int, budgets: tuple[int, ...]) -> None:
        """A unit of work: the scores of one victim and query seed for schemes that share a sampler."""
        self.desk.scores(victim, [Scheme.parse(text) for text in schemes], query_seed, budgets)


def workbench(bench: Benchmark, store: Store, runtime: Runtime, *, rounded: bool = False) -> Workbench:
    """The workbench of this process for a benchmark, or for the whole of which it keeps a part."""
    return Where(bench.whole, str(store.folder), runtime.device, runtime.batch_size, rounded).desk


@lru_cache(maxsize=4)
def _workbench(bench: Benchmark, folder: str, device: str, batch_size: int, rounded: bool) -> Workbench:
    desk = Workbench(bench, Store(Path(folder)), Runtime(device, batch_size), rounded)
    desk.vet()
    return desk


workbench.cache_clear = _workbench.cache_clear


def eight_bits(x: Tensor) -> Tensor:
    """Images in [0,1] as pictures, uint8.

    >>> eight_bits(torch.tensor([0.0, 0.5, 1.0, 17 / 255])).tolist()
    [0, 128, 255, 17]
    """
    return (x * 255).round().to(torch.uint8)


def _grids(budgets: tuple[int, ...], nested: bool) -> list[tuple[int, ...]]:
    """The budgets that scores are to be stored for, every tenth up to the largest, and larger sets that may hold them.

    Beyond the largest level only the budgets that were asked for: every tenth of a million would be too many.
    """
    if not nested or any(budget % STEP for budget in budgets) or max(budgets) > max(LEVELS):
        return [budgets]
    ends = [max(budgets), *(level for level in LEVELS if level > max(budgets))]
    return [tuple(range(STEP, end + 1, STEP)) for end in ends]
