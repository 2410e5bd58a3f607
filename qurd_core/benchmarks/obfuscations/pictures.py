"""Images as they arrive at a server that recodes them: each becomes 8-bit, as FBI's variants have it."""

from io import BytesIO
from typing import Annotated

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from qurd_core.access import Access
from qurd_core.registry import Range, obfuscations

BITS = 8
LEVELS = 2**BITS - 1
FBI = "Maho, Furon, Le Merrer 2023"


@obfuscations.register(changes="images", access=Access.LOGITS, source=FBI, said="JPEG, quality {quality}")
def jpeg(images: Tensor, *, quality: Annotated[int, Range(1, 100)] = 60) -> Tensor:
    """Encode every image as JPEG, with the colours at half the resolution, and decode it again."""
    return torch.stack([_decoded(image, quality) for image in _bytes(images)]).float() / LEVELS


@obfuscations.register(changes="images", access=Access.LOGITS, source=FBI, said="histogram equalisation")
def equalise(images: Tensor) -> Tensor:
    """Spread the levels of every channel evenly: each becomes the share of pixels below it."""
    from torchvision.transforms.v2.functional import equalize  # which takes as long to import as torch

    return equalize(_bytes(images)).float() / LEVELS


@obfuscations.register(
    changes="images", access=Access.LOGITS, source=FBI, null={"bits": BITS}, said="posterisation, {bits} bits"
)
def posterise(images: Tensor, *, bits: Annotated[int, Range(1, BITS)] = 4) -> Tensor:
    """Keep the leading bits of every channel."""
    return (_bytes(images) & (LEVELS >> BITS - bits << BITS - bits)).float() / LEVELS


def _bytes(images: Tensor) -> Tensor:
    """The images in 8 bits: (n,3,H,W) uint8."""
    return (images.clamp(0, 1) * LEVELS).round().to(torch.uint8)


def _decoded(image: Tensor, quality: int) -> Tensor:
    """One image (3,H,W) uint8 after JPEG."""
    file = BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)
