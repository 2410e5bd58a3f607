"""What a model reveals to whoever queries it."""

from enum import IntEnum


class Access(IntEnum):
    """Levels of access. Each includes the ones before it."""

    LABELS = 0
    TOPK = 1
    PROBITS = 2
    LOGITS = 3
    GRADIENTS = 4

    def __str__(self) -> str:
        return {Access.TOPK: "top-k labels"}.get(self, self.name.lower())
