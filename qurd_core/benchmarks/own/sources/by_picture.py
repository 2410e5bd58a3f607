"""Models that are asked elsewhere, by hand or over a network: they are sent pictures of 8 bits, and what is known of them is
what they answered to each. A picture is known by its pixels, whichever program wrote its file.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from qurd_core.errors import QurdError


@dataclass(frozen=True)
class ByPicture:
    """What a model answered.

    Attributes:
        answers: by the name of a picture, C+1 numbers of which the largest is the class; the last stands for no answer, and
            for one that is no class. A picture that is not there was not answered.
        classes: C.
        digest: of what they came from.
    """

    answers: Mapping[str, Sequence[float]]
    classes: int
    digest: str

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(n,C+1) float32 of pictures (n,3,H,W) uint8."""
        nothing = [0.0] * self.classes + [1.0]
        found = [self.answers.get(name_of(picture), nothing) for picture in pixels]
        return np.array(found, np.float32).reshape(len(pixels), self.classes + 1)


def name_of(picture: np.ndarray) -> str:
    """SHA-256 of the size and the pixels (3,H,W) uint8 of a picture."""
    sha = hashlib.sha256(json.dumps(picture.shape).encode())
    sha.update(np.ascontiguousarray(picture).tobytes())
    return sha.hexdigest()


def png(picture: np.ndarray) -> bytes:
    """The file of a picture (3,H,W) uint8, which loses nothing."""
    if not picture.size:
        raise QurdError(
            "Expected items with pixels, which can be sent as pictures. These are no images: use a table of answers."
        )
    held = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture.transpose(1, 2, 0))).save(held, "PNG")
    return held.getvalue()
