"""Local linear models of the classifier: Zest (Jia et al. 2022)."""

from typing import Literal

import torch
from torch import Tensor

from qurd_core.registry import representations
from qurd_core.types import Answers


@representations.register(provides={"vectors", "weights"}, needs={"masks"}, vary=("of",), rows="group", whole=True)
def lime(answers: Answers, *, of: Literal["probits", "logits"] = "probits") -> Tensor:
    """Weight of every superpixel of every seed image for every class: (M,n,S_max,C), zero beyond an image's own.

    Least squares without intercept, the shortest solution where there are fewer masks than superpixels. The pseudo-inverse
    is that of the masks themselves in float64; that of their normal equations is wrong by tenths where masks are few.
    """
    size = int(answers.queries.group_ends[0])
    masks = answers.queries.aux["masks"].double().unflatten(0, (-1, size))
    outputs = getattr(answers, of).double().unflatten(1, (-1, size))
    return torch.linalg.pinv(masks) @ outputs
