"""Gradients accumulated on the way to an image: the field of ModelGiF (Song et al. 2023)."""

from torch import Tensor

from qurd_core.access import Access
from qurd_core.registry import representations
from qurd_core.types import Answers, Queries


def points(queries: Queries) -> Tensor:
    """(n,) a row per point of each group; its first query, the image itself, is none."""
    return queries.group_ends.diff(prepend=queries.group_ends.new_zeros(1)) - 1


@representations.register(provides={"vectors"}, needs={"path points"}, access=Access.GRADIENTS, rows=points, swept=False)
def gradient_field(answers: Answers) -> Tensor:
    """Integrated gradients up to every point of every path, of each model's own class: (M,points of all paths,3HW).

    The last of a path sums to what the logit gains on the way (completeness, up to the error of the quadrature).
    """
    queries = answers.queries
    paths, size = len(queries.group_ends), len(queries) // len(queries.group_ends)
    slopes = answers.gradients.flatten(2).unflatten(1, (paths, size))[:, :, 1:]
    weights = queries.aux["weights"].unflatten(0, (paths, size))[:, 1:]
    steps = queries.aux["steps"].flatten(1)[:, None]
    return (slopes * weights[:, :, None]).cumsum_(2).mul_(steps).flatten(1, 2)
