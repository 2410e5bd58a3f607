"""What models answer to queries: the one place besides the crafts where a model is asked."""

from torch import Tensor

from qurd_core.oracle import Oracle
from qurd_core.types import Queries


def answer(oracle: Oracle, queries: Queries) -> Tensor:
    """(s,C) logits, of which `Answers` shows no more than its access level."""
    return oracle.logits(queries.x)
