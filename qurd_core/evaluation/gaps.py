"""Whether the unrelated models have answered what is asked of them, where a benchmark is known by its answers only."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from qurd_core.benchmarks.own.missing import MOST
from qurd_core.errors import QurdError


def refuse(gone: Mapping[str, Tensor], drawn: Tensor, sent: Sequence[int], *, victim: str, split: str, what: str) -> None:
    """Refuse queries of which an unrelated model lacks too many answers for its distance to set a threshold.

    A missing answer counts as disagreement. A model that lacks many looks far from the victim and lifts the threshold: more
    models that do answer could fall below it than is promised. So each may lack at most `MOST` of all items that queries are
    drawn from (which of them a draw hits is chance then, and what they add is bounded in the mean), or, where it lacks more,
    at most `MOST` of the very queries that are sent. What is not asked need not be there. Stolen models may lack any
    number: that lowers the detection rate and nothing else.

    Args:
        gone: by unrelated model, (items,) whether its answer is missing.
        drawn: (n,) places of all items that queries are drawn from, in the order in which they are sent.
        sent: numbers of queries.
        what: who asks, in words.

    Raises:
        QurdError: a model lacks more.
    """
    for model, missing in gone.items():
        mine = missing[drawn]
        if int(mine.sum()) <= MOST * len(mine):
            continue
        for queries in (mine[:number] for number in sent):
            if int(queries.sum()) > MOST * len(queries):
                raise QurdError(
                    f"Expected '{model}', which is unrelated to '{victim}', to answer at least {1 - MOST:.0%} of what {what}"
                    f" asks. It has no answer to {int(queries.sum()):,} of {len(queries):,} items of {split}: ask it these,"
                    " leave it out, or ask for other budgets or fewer seeds."
                )
