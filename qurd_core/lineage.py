"""A model's life as text: `train(vgg,victim)->label_extraction(res,seed=1)`."""

from dataclasses import dataclass

from qurd_core.grammar import Call, Chain, parse_chain


@dataclass(frozen=True)
class Lineage:
    """How a model came to be, from its first training to its last change."""

    chain: Chain

    @classmethod
    def parse(cls, text: str) -> "Lineage":
        return cls(parse_chain(text))

    def __str__(self) -> str:
        return str(self.chain)

    @property
    def root(self) -> "Lineage":
        """The first training. Models with one root are one lineage for statistics."""
        return Lineage(Chain(self.chain.calls[:1]))

    @property
    def parent(self) -> "Lineage | None":
        """The model that this one was made from, or None for a first training."""
        calls = self.chain.calls[:-1]
        return Lineage(Chain(calls)) if calls else None

    @property
    def last(self) -> Call:
        """The last step."""
        return self.chain.calls[-1]

    def descends_from(self, other: "Lineage") -> bool:
        """Whether `other` is this model or one of its ancestors."""
        return self.chain.calls[: len(other.chain.calls)] == other.chain.calls
