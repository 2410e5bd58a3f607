"""Looking into a victim, and eroding it, while it answers in this thread: others who ask the same module notice nothing."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor, nn

from qurd_core.errors import QurdError

AFFINE = (nn.Conv2d, nn.Linear)
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Hardswish, nn.Tanh, nn.Sigmoid)


def affine_layers(module: nn.Module) -> list[nn.Module]:
    """Convolutions and linear layers, in the order in which the model holds them.

    Raises:
        QurdError: it has none.
    """
    found = [layer for layer in module.modules() if isinstance(layer, AFFINE)]
    if not found:
        raise QurdError("Expected a victim with convolutions or linear layers. Got one without: use another craft.")
    return found


@contextmanager
def listening(layer: nn.Module, hears: Callable[[Tensor], None], *, after: bool = False) -> Iterator[None]:
    """`hears` gets what goes into a layer (or `after` it, what comes out), with its graph, whenever this thread asks the
    model.
    """
    here = threading.get_ident()

    def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if threading.get_ident() == here:
            hears(inputs[0])

    def behind(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if threading.get_ident() == here:
            hears(output)

    handle = layer.register_forward_hook(behind) if after else layer.register_forward_pre_hook(before)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def eroded(layers: list[nn.Module], masks: list[Tensor]) -> Iterator[None]:
    """This thread asks eroded copies of a model: evaluation stays on, and input channels of some layers are scaled.

    Args:
        masks: of each layer, (G,channels) factors of G copies; of G n images in a batch the first n go to the first copy.
    """
    here = threading.get_ident()

    def hook_of(mask: Tensor) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, ...] | None]:
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            if threading.get_ident() != here:
                return None
            x = inputs[0]
            factors = mask.to(x).repeat_interleave(len(x) // len(mask), 0)
            # Channels are the second dimension of a convolution's input, the last one of a linear layer's.
            shape = (
                (len(x), -1, *(1,) * (x.ndim - 2)) if isinstance(layer, nn.Conv2d) else (len(x), *(1,) * (x.ndim - 2), -1)
            )
            return (x * factors.view(shape), *inputs[1:])

        return hook

    with ExitStack() as stack:
        for layer, mask in zip(layers, masks, strict=True):
            stack.callback(layer.register_forward_pre_hook(hook_of(mask)).remove)
        yield


def channels(layer: nn.Module) -> int:
    """Input channels of a convolution or linear layer."""
    return layer.in_channels if isinstance(layer, nn.Conv2d) else layer.in_features
