"""A model that answers: frozen, on one device, at one access level, counting what it is asked."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from qurd_core.access import Access
from qurd_core.errors import QurdError
from qurd_core.runtime import Runtime
from qurd_core.types import check_images


class Oracle:
    """Wraps a model that owns its normalisation: images in [0,1] on the CPU go in, answers on the CPU come out.

    The module is frozen and set to evaluation at birth and only ever differentiated with `torch.autograd.grad`, because
    one module serves several callers at once.

    Args:
        module: maps float32 (n,3,H,W) in [0,1] to logits (n,C).
        classes: C, checked on every answer.
        access: the highest level granted; more raises.
        name: said in errors.
        held: bytes that it takes elsewhere.

    Attributes:
        asked: images sent through the model so far.
        gradients: images whose gradient was computed so far (one per image and step).
        size: bytes of the model.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        classes: int,
        access: Access = Access.GRADIENTS,
        runtime: Runtime | None = None,
        name: str = "the model",
        held: int = 0,
    ):
        self.runtime = runtime or Runtime()
        self.device = torch.device(self.runtime.device)
        self.classes, self.access, self.name = classes, access, name
        self._module = module.eval().requires_grad_(False).to(self.device, memory_format=torch.channels_last)
        self.asked = self.gradients = 0
        self.size = held + sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))

    @property
    def module(self) -> nn.Module:
        """The frozen model itself, for whoever looks at its tensors."""
        return self._module

    def logits(self, x: Tensor) -> Tensor:
        """(n,C) for images (n,3,H,W) in [0,1]."""
        self._grant(Access.LOGITS)
        return self._ask(x)

    def probits(self, x: Tensor) -> Tensor:
        """(n,C) rows that sum to one."""
        self._grant(Access.PROBITS)
        return self._ask(x).softmax(-1)

    def labels(self, x: Tensor) -> Tensor:
        """(n,) the most probable class."""
        return self._ask(x).argmax(-1)

    def gradient(self, objective: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        """The gradient of `objective(logits)` with respect to the images, and the logits.

        Args:
            objective: logits (n,C) to a scalar; sum over images, so that they stay independent.
            x: (n,3,H,W) in [0,1] on the CPU or on the oracle's device.

        Returns:
            gradient (n,3,H,W) and logits (n,C), both where `x` is.
        """
        self._grant(Access.GRADIENTS)
        self.runtime.heard(len(x), True)
        with torch.enable_grad(), self._exact():
            inputs = self._place(check_images(x)).requires_grad_()
            logits = self._check(self._module(inputs), len(x))
            (gradient,) = torch.autograd.grad(objective(logits), inputs)
        self.asked += len(x)
        self.gradients += len(x)
        return gradient.to(x.device), logits.detach().to(x.device)

    def jacobian(self, x: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of several logits with respect to the images, from one pass forward.

        Args:
            x: (n,3,H,W) in [0,1] on the CPU or on the oracle's device.
            outputs: (n,K) the classes whose logits are differentiated, image by image; each counts as a gradient.

        Returns:
            gradients (n,K,3,H,W) and logits (n,C), both where `x` is.
        """
        self._grant(Access.GRADIENTS)
        self.runtime.heard(len(x), True)
        with torch.enable_grad(), self._exact():
            inputs = self._place(check_images(x)).requires_grad_()
            logits = self._check(self._module(inputs), len(x))
            chosen = logits.gather(1, outputs.to(self.device)).sum(0)
            rows = [torch.autograd.grad(one, inputs, retain_graph=True)[0] for one in chosen]
        self.asked += len(x)
        self.gradients += outputs.numel()
        return torch.stack(rows, 1).to(x.device), logits.detach().to(x.device)

    def _grant(self, access: Access) -> None:
        if access > self.access:
            raise QurdError(
                f"{self.name} answers {self.access} only, {access} were asked for. Use a scheme that needs less."
            )

    @torch.no_grad()
    def _ask(self, x: Tensor) -> Tensor:
        x = check_images(x)
        if not len(x):  # which some networks refuse
            return torch.empty(0, self.classes)
        with self._exact():
            answers = [self._forward(batch) for batch in x.split(self.runtime.batch_size)]
        self.asked += len(x)
        return self._check(torch.cat(answers), len(x))

    def _forward(self, batch: Tensor) -> Tensor:
        self.runtime.heard(len(batch), False)
        return self._module(self._place(batch)).cpu()

    def _exact(self) -> AbstractContextManager:
        """Full fp32 convolutions: TF32, torch's default on a GPU, errs by more than queries lie from the boundary."""
        if self.device.type != "cuda":
            return nullcontext()
        return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)

    def _place(self, x: Tensor) -> Tensor:
        return x.detach().to(self.device, memory_format=torch.channels_last)

    def _check(self, logits: Tensor, n: int) -> Tensor:
        """Refuse answers that no score should be made of."""
        if tuple(logits.shape) != (n, self.classes):
            raise QurdError(f"Expected {self.name} to answer ({n},{self.classes}) logits. Got {tuple(logits.shape)}.")
        if not bool(torch.isfinite(logits).all()):
            bad = int((~torch.isfinite(logits)).any(1).nonzero()[0])
            raise QurdError(f"Expected finite logits from {self.name}. Got NaN or infinity at query {bad}.")
        return logits
