"""The values that travel between the stages, checked when they are made."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import torch
from torch import Tensor

from qurd_core.access import Access
from qurd_core.errors import QurdError

FLOAT_NOISE = 1e-5  # how far from [0,1] arithmetic in float32 may leave a pixel: a 400th of a grey level


def check_images(x: Tensor, what: str = "images") -> Tensor:
    """The images, float32 `(n,3,H,W)` in [0,1]: the very same, or a copy without the noise of arithmetic beyond [0,1].

    Raises:
        QurdError: another type, shape or range, with what was found and what to do.
    """
    if x.ndim != 4 or x.shape[1] != 3 or x.dtype != torch.float32:
        raise QurdError(f"Expected {what} as float32 (n,3,H,W). Got {x.dtype} {tuple(x.shape)}: {_mend(x)}.")
    if not x.numel():
        return x
    low, high = float(x.min()), float(x.max())
    if low >= 0 and high <= 1:
        return x
    if low >= -FLOAT_NOISE and high <= 1 + FLOAT_NOISE:
        return x.clamp(0, 1)
    if low != low:
        raise QurdError(f"Expected {what} in [0,1]. Got NaN: look for a division by zero where they are made.")
    why = "divide by 255" if low >= 0 and 2 < high <= 255 else "undo the normalisation, which is the model's, or clamp them"
    raise QurdError(f"Expected {what} in [0,1], unnormalised. Got values from {low:.7g} to {high:.7g}: {why}.")


def _mend(x: Tensor) -> str:
    """What makes images of something else."""
    if x.ndim == 4 and x.shape[1] != 3 and x.shape[3] == 3:
        return "move the colours with .permute(0, 3, 1, 2)"
    if x.ndim == 4 and x.shape[1] != 3:
        return "bring three colours, grey three times"
    if x.ndim != 4:
        return "stack images, a single one with [None]"
    return "convert with .float()" if x.is_floating_point() else "convert with .float() / 255"


@dataclass(frozen=True)
class Images:
    """A seed set.

    Attributes:
        pixels: (n,3,H,W) uint8; without height and width where the items are no images.
        truth: (n,) class of each; -1 for noise.
        places: (n,5) photograph (a row of `photograph_names()`), top, left and side in its pixels, and turn 0-7; None for
            images that were not cut out of photographs.
    """

    pixels: Tensor
    truth: Tensor
    places: Tensor | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All of them by name."""
        places = {} if self.places is None else {"places": self.places}
        return {"pixels": self.pixels, "truth": self.truth, **places}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the bytes of images and truth."""
        return hashlib.sha256(self.pixels.numpy().tobytes() + self.truth.numpy().tobytes()).hexdigest()


@dataclass(frozen=True)
class Pool:
    """A seed set as a seed rule sees it: images, their truth, and what the models that it may look at answer on them.

    Attributes:
        pixels: (n,3,H,W) uint8.
        truth: (n,) class of every image; None for noise, which has none.
        victim_labels: (n,) the victim's answers; None where they are not known.
        victim_probits: (n,C) float64 probabilities that the victim gives; None where they are not known.
        pool_labels: (P,n) answers of auxiliary models, which are neither suspects nor calibrate; None where not known.
    """

    pixels: Tensor
    truth: Tensor | None
    victim_labels: Tensor | None = None
    victim_probits: Tensor | None = None
    pool_labels: Tensor | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.dtype != torch.uint8:
            raise QurdError(f"Expected a pool of uint8 (n,3,H,W). Got {self.pixels.dtype} {tuple(self.pixels.shape)}.")
        for labels in (self.truth, self.victim_labels):
            if labels is not None and labels.shape != (len(self),):
                raise QurdError(f"Expected {len(self)} labels, one per image. Got {tuple(labels.shape)}.")
        if self.victim_probits is not None and self.victim_probits.shape[:-1] != (len(self),):
            raise QurdError(f"Expected probits ({len(self)},C), a row per image. Got {tuple(self.victim_probits.shape)}.")
        if self.pool_labels is not None and self.pool_labels.shape[1:] != (len(self),):
            raise QurdError(f"Expected pool labels (P,{len(self)}), a row per model. Got {tuple(self.pool_labels.shape)}.")

    def __len__(self) -> int:
        return len(self.pixels)

    def images(self, indices: Tensor) -> Tensor:
        """The images at `indices` as float32 in [0,1]."""
        return self.pixels[indices].float() / 255


@dataclass(frozen=True)
class Draw:
    """What a seed rule picked, in draw order.

    Attributes:
        indices: (n,) positions in the pool, without repetition.
        looked: (n,) number of labelled images that had been looked at when each was found; 0 where labels are not needed.
    """

    indices: Tensor
    looked: Tensor


_AUX = "aux."


@dataclass(frozen=True)
class Queries:
    """What is sent to the suspect: one flat tensor, and what structures it.

    Images of a group are adjacent and groups are in draw order, so the queries at a small budget are a prefix of those
    at a large one.

    Attributes:
        x: (s,3,H,W) float32 in [0,1] on the CPU.
        group: (s,) number of the group of each image, not decreasing; numbers may skip where a craft dropped a failure.
        seed: (s,) position in the pool of the image that each query was made from.
        truth: (s,) class of every query, or None where it has none (noise, blended images).
        aux: tensors with one row per query or per group, by name: `aim` (the class that the victim gave), `masks`, ...
    """

    x: Tensor
    group: Tensor
    seed: Tensor
    truth: Tensor | None = None
    aux: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", check_images(self.x, "queries"))
        for name in ("group", "seed", "truth"):
            values = getattr(self, name)
            if values is not None and values.shape != (len(self),):
                raise QurdError(f"Expected one '{name}' per query, ({len(self)},). Got {tuple(values.shape)}.")
        if bool((self.group.diff() < 0).any()):
            raise QurdError("Expected the images of a group to be adjacent and groups in draw order.")
        object.__setattr__(self, "aux", MappingProxyType(dict(self.aux)))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All of them by name."""
        truth = {} if self.truth is None else {"truth": self.truth}
        aux = {_AUX + name: rows for name, rows in self.aux.items()}
        return {"x": self.x, "group": self.group, "seed": self.seed, **truth, **aux}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> "Queries":
        """The queries of which these are the `tensors`."""
        aux = {name.removeprefix(_AUX): rows for name, rows in tensors.items() if name.startswith(_AUX)}
        return cls(tensors["x"], tensors["group"], tensors["seed"], tensors.get("truth"), aux)

    @property
    def group_ends(self) -> Tensor:
        """(n,) number of queries up to and including each group."""
        return self.group.unique_consecutive(return_counts=True)[1].cumsum(0)

    @property
    def different(self) -> Tensor:
        """(s,) number of different images among the queries up to and including each; items without pixels all differ."""
        if not self.x[:1].numel():
            return torch.arange(1, len(self) + 1)
        first = {image.numpy().tobytes(): place for place, image in reversed(list(enumerate(self.x)))}
        return torch.zeros(len(self), dtype=torch.long).index_fill(0, torch.tensor(list(first.values())), 1).cumsum(0)

    @property
    def group_starts(self) -> Tensor:
        """(s,) place of the first query of the group of each query."""
        ends = self.group_ends
        sizes = ends.diff(prepend=ends.new_zeros(1))
        return (ends - sizes).repeat_interleave(sizes)

    def prefix(self, budget: int) -> int:
        """Number of images in the largest whole number of groups that `budget` buys."""
        ends = self.group_ends
        fits = ends[ends <= budget]
        return int(fits[-1]) if len(fits) else 0

    def per_group(self, name: str) -> Tensor:
        """(n,) an aux tensor with one number per group; zeros where the craft gave none."""
        return self.aux.get(name, torch.zeros(len(self.group_ends), dtype=torch.long))

    def take(self, budget: int) -> "Queries":
        """The queries that `budget` buys: a prefix of whole groups."""
        used = self.prefix(budget)
        groups = int((self.group_ends <= used).sum())
        total = len(self.group_ends)
        aux = {name: rows[: groups if len(rows) == total != len(self) else used] for name, rows in self.aux.items()}
        truth = None if self.truth is None else self.truth[:used]
        return Queries(self.x[:used], self.group[:used], self.seed[:used], truth, aux)


def concatenate(parts: Sequence[Queries]) -> Queries:
    """One query set out of chunks, in order.

    Groups that start anew in a part are numbered on. The trailing dimensions of `aux` grow to the largest part, and a part
    that lacks a name gets rows of zeros. The truth is known only where every part has it.
    """
    parts = [part for part in parts if len(part)] or parts[:1]
    groups = [parts[0].group]
    for part in parts[1:]:
        groups.append(part.group + (groups[-1][-1] + 1 - part.group[0]).clamp(min=0))
    truths = [part.truth for part in parts if part.truth is not None]
    return Queries(
        torch.cat([part.x for part in parts]),
        torch.cat(groups),
        torch.cat([part.seed for part in parts]),
        torch.cat(truths) if len(truths) == len(parts) else None,
        {name: _stack(name, parts) for name in dict.fromkeys(name for part in parts for name in part.aux)},
    )


def interleave(parts: Sequence[Queries], shares: Sequence[int]) -> tuple[Queries, Tensor]:
    """One query set out of several, groups in turn so that every prefix holds them in proportion to their shares.

    The k-th group of a part comes after as many queries of its part as groups before it, per share; of equals the part named
    first. The set ends where a part has run out.

    Returns:
        the queries, and (s,) the place of each among all queries of the parts, one part after another.
    """
    if any(len(part) == 0 for part in parts):
        return parts[0].take(0), torch.zeros(0, dtype=torch.long)
    whole = concatenate(parts)
    keys = [part.group_ends.double() / share for part, share in zip(parts, shares, strict=True)]
    last = torch.stack([key[-1] for key in keys]).min()
    order = torch.cat(keys).argsort(stable=True)[: int((torch.cat(keys) <= last).sum())]
    ends = whole.group_ends
    sizes = ends.diff(prepend=ends.new_zeros(1))
    counts = sizes[order]
    within = torch.arange(int(counts.sum())) - (counts.cumsum(0) - counts).repeat_interleave(counts)
    rows = (ends - sizes)[order].repeat_interleave(counts) + within
    aux = {name: values[rows if len(values) == len(whole) else order] for name, values in whole.aux.items()}
    group = torch.arange(len(order)).repeat_interleave(counts)
    return Queries(whole.x[rows], group, whole.seed[rows], None if whole.truth is None else whole.truth[rows], aux), rows


def _stack(name: str, parts: Sequence[Queries]) -> Tensor:
    """The rows of one `aux` tensor of all parts, padded with zeros."""
    known = next(part for part in parts if name in part.aux)
    like, per_query = known.aux[name], len(known.aux[name]) == len(known)
    tables = [
        part.aux.get(name, like.new_zeros(len(part) if per_query else len(part.group_ends), *like.shape[1:]))
        for part in parts
    ]
    sizes = [max(sides) for sides in zip(*(table.shape[1:] for table in tables), strict=True)]
    stacked = like.new_zeros(sum(map(len, tables)), *sizes)
    for rows, table in zip(stacked.split([len(table) for table in tables]), tables, strict=True):
        rows[(slice(None), *map(slice, table.shape[1:]))] = table
    return stacked


def seeds_as_queries(pool: Pool, indices: Tensor, first: int = 0) -> Queries:
    """The seed images themselves as queries, each a group of its own, numbered from `first`.

    Where the victim's labels are known they are the `aim`: no representation is told which of the models is the victim.
    """
    truth = None if pool.truth is None else pool.truth[indices]
    aim = {} if pool.victim_labels is None else {"aim": pool.victim_labels[indices]}
    return Queries(pool.images(indices), torch.arange(first, first + len(indices)), indices, truth, aim)


@dataclass(frozen=True)
class Answers:
    """What models returned on queries, restricted to an access level.

    Attributes:
        queries: what was asked; its images may be empty where only the structure matters.
        access: the level granted; asking for more raises.
        outputs: (M,s,C) logits, or whatever the level allows of them.
        slopes: (M,s,3,H,W) gradients, where they were asked for: see `gradients`.
    """

    queries: Queries
    access: Access
    outputs: Tensor
    slopes: Tensor | None = None

    def __post_init__(self) -> None:
        if self.outputs.ndim != 3 or self.outputs.shape[1] != len(self.queries.group):
            raise QurdError(
                f"Expected answers (M,{len(self.queries.group)},C), one per query. Got {tuple(self.outputs.shape)}."
            )

    def _grant(self, access: Access) -> None:
        if access > self.access:
            raise QurdError(f"These answers hold {self.access} only, {access} were asked for. Use a scheme that needs less.")

    @property
    def logits(self) -> Tensor:
        """(M,s,C)."""
        self._grant(Access.LOGITS)
        return self.outputs

    @property
    def probits(self) -> Tensor:
        """(M,s,C) rows that sum to one."""
        self._grant(Access.PROBITS)
        return self.outputs.softmax(-1)

    @property
    def labels(self) -> Tensor:
        """(M,s) the most probable class."""
        return self.outputs.argmax(-1)

    @property
    def gradients(self) -> Tensor:
        """(M,s,3,H,W) gradient, with respect to each query, of the logit of the class that the model itself gives to the
        first query of its group.
        """
        self._grant(Access.GRADIENTS)
        if self.slopes is None:
            raise QurdError("Expected gradients of the models at these queries. They were not asked for.")
        return self.slopes

    def top(self, k: int) -> Tensor:
        """(M,s,k) the k most probable classes, best first; the first alone is the label."""
        self._grant(Access.TOPK if k > 1 else Access.LABELS)
        if not 1 <= k <= self.outputs.shape[-1]:
            raise QurdError(f"Expected k between 1 and the {self.outputs.shape[-1]} classes. Got {k}.")
        return self.outputs.topk(k, dim=-1).indices


@dataclass(frozen=True)
class Prefixes:
    """The leading part of a representation that each budget buys; what a detector sums and averages over.

    Attributes:
        rows: for every budget, the number of leading rows (dimension 1) of the representation, at least 1.
        square: the representation is (M,s,s): a budget buys the block of its first rows and columns.
        whole: the representation is compared as one vector, not query by query.
    """

    rows: tuple[int, ...]
    square: bool = False
    whole: bool = False

    def sum(self, terms: Tensor) -> Tensor:
        """(M,len(rows)) float64 sums of the entries (M,s,...) that each budget buys."""
        if self.square:
            # Entry (i,j) comes with row max(i,j). One model at a time, because copies of all matrices would be large.
            shells = torch.stack([_total(model.tril(), 1) + _total(model.triu(1), 0) for model in terms])
        else:
            shells = _total(terms.flatten(2), 2) if terms.ndim > 2 else terms.double()
        return shells.cumsum(1)[:, torch.tensor(self.rows) - 1]

    def mean(self, terms: Tensor) -> Tensor:
        """(M,len(rows)) means of the entries that each budget buys."""
        rows = torch.tensor(self.rows, dtype=torch.float64)
        return self.sum(terms) / (rows.square() if self.square else rows * terms[0, 0].numel())


def _total(terms: Tensor, dimension: int) -> Tensor:
    return terms.sum(dimension, dtype=torch.float64)


@dataclass(frozen=True)
class Pair:
    """A victim and a suspect of a benchmark.

    Attributes:
        victim, suspect: names of the two models.
        kind: `"positive"` = stolen, `"negative"` = unrelated, `"hard"` = unrelated but trained like the victim.
        tasks: the tasks that the pair serves; a positive serves one.
    """

    victim: str
    suspect: str
    kind: str
    tasks: tuple[str, ...]
