"""Local linear models of the classifier: Zest (Jia et al. 2022)."""

from typing import Literal

import torch
from torch import Tensor

from qurd_core.registry import representations
from qurd_core.types import Answers, Queries


def on(queries: Queries) -> Tensor:
    """(n,masks,S_max) which superpixels each query shows; the first of each group shows all that its image has."""
    return queries.aux["masks"].unflatten(0, (len(queries.group_ends), -1))


def superpixels(queries: Queries) -> Tensor:
    """(n,) number of superpixels of each seed image: the rows that it adds to the representation."""
    return on(queries)[:, 0].sum(1)


@representations.register(
    provides={"vectors", "weights"}, needs={"masks"}, vary=("of",), rows=superpixels, whole=True, version=2
)
def lime(answers: Answers, *, of: Literal["probits", "logits"] = "probits") -> Tensor:
    """Weight of every superpixel for every class, image after image: (M,superpixels of all images,C).

    Least squares without intercept, the shortest solution where there are fewer masks than superpixels. The pseudo-inverse
    is that of the masks themselves in float64; that of their normal equations is wrong by tenths where masks are few.
    """
    masks = on(answers.queries)
    outputs = getattr(answers, of).double().unflatten(1, masks.shape[:2])
    return (torch.linalg.pinv(masks.double()) @ outputs)[:, masks[:, 0]]
