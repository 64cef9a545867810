"""What makes a session a node of PyTorch's graphs."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch

from vgg19 import Model, Session

# A session that is reshaped keeps the algorithms that are best for its first shape: for much larger ones they take
# up to twice as long, for smaller ones hardly longer.
_MOST_GROWTH = 4

_engines: "weakref.WeakSet[Engine]" = weakref.WeakSet()


class Engine:
    """One session, planned for whatever shape comes, and used by one call at a time: others wait.

    What a run keeps for its gradient is handed out as a tensor of bytes, so any number of graphs may be alive
    at once. Pickled and copied as its model and options, without the session.
    """

    def __init__(self, model: Model, outputs: Sequence[str], threads: Optional[int], pooling: Optional[str]):
        self.model = model
        self.outputs = tuple(outputs)
        self.threads = threads
        self.pooling = pooling
        self._lock = threading.Lock()
        self._session: Optional[Session] = None
        self._has_gradients = False
        self._planned_pixels = 0
        _engines.add(self)

    def __reduce__(self) -> Tuple[Any, ...]:
        return Engine, (self.model, self.outputs, self.threads, self.pooling)

    def with_model(self, model: Model) -> "Engine":
        return Engine(model, self.outputs, self.threads, self.pooling)

    def run(self, images: torch.Tensor, keeps_record: bool) -> Tuple[List[torch.Tensor], Optional[torch.Tensor]]:
        """The outputs for float32 (batch, 3, height, width) in C order, and what gradient() needs."""
        with self._lock:
            session = self._session_for(images.shape, keeps_record)
            results = {output.name: _empty(output.shape) for output in session.outputs}
            session.run(images.detach(), out=_one_or_all(results))
            record = None
            if keeps_record:
                record = _empty((session.record_bytes,), torch.uint8)
                session.copy_record(record)
        return list(results.values()), record

    def gradient(
        self, shape: Sequence[int], record: torch.Tensor, gradients: Sequence[Optional[torch.Tensor]]
    ) -> torch.Tensor:
        """With respect to the images of the run that gave `record`, from those of its outputs."""
        given = {
            name: values.detach().resolve_neg().contiguous()
            for name, values in zip(self.outputs, gradients)
            if values is not None
        }
        result = _empty(tuple(shape))
        with self._lock:
            session = self._session_for(shape, True)
            session.set_record(record)
            session.backward(_one_or_all(given) if len(self.outputs) == 1 else given, out=result)
        return result

    def output_shapes(self, height: int, width: int) -> List[Tuple[int, ...]]:
        """Without the batch."""
        with self._lock:
            session = self._session_for((1, 3, height, width), False)
            return [tuple(output.shape[1:]) for output in session.outputs]

    def _session_for(self, shape: Sequence[int], needs_gradients: bool) -> Session:
        batch, _, height, width = shape
        pixels = batch * height * width
        if (
            self._session is None
            or (needs_gradients and not self._has_gradients)
            or pixels > _MOST_GROWTH * self._planned_pixels
        ):
            self._session = None  # its memory goes first
            self._session = Session(
                self.model,
                threads=torch.get_num_threads() if self.threads is None else self.threads,
                size=(height, width),
                batch=batch,
                outputs=self.outputs,
                gradients=needs_gradients or self._has_gradients,
                pooling=self.pooling,
            )
            self._has_gradients = needs_gradients or self._has_gradients
            self._planned_pixels = pixels
        elif self._session.input_size != (height, width) or self._session.batch != batch:
            self._session.reshape((height, width), batch)
        return self._session

    def _forget_call_in_progress(self) -> None:
        """In the child of a fork: the thread that held the lock, and used the session, is not there."""
        if self._lock.locked():
            self._lock = threading.Lock()
            self._session = None


def _forget_calls_in_progress() -> None:
    for engine in list(_engines):
        engine._forget_call_in_progress()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_calls_in_progress)


def _empty(shape: Tuple[int, ...], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Whatever PyTorch's default type and device are."""
    return torch.empty(shape, dtype=dtype, device="cpu")


def _one_or_all(arrays: Dict[str, torch.Tensor]) -> Any:
    """What a session of one output expects, or else one of several."""
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


class Run(torch.autograd.Function):
    """(engine, images) -> a tensor for each of the engine's outputs."""

    @staticmethod
    def forward(ctx: Any, engine: Engine, images: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        results, record = engine.run(images, keeps_record=True)
        ctx.engine = engine
        ctx.shape = images.shape
        ctx.save_for_backward(record)
        ctx.set_materialize_grads(False)
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *gradients: Optional[torch.Tensor]) -> Tuple[None, Optional[torch.Tensor]]:
        if all(gradient is None for gradient in gradients):
            return None, None
        (record,) = ctx.saved_tensors
        # With create_graph=True the gradient must lead to the error, even if what it is computed from is constant.
        graph = torch.zeros((), dtype=torch.float32, device="cpu", requires_grad=torch.is_grad_enabled())
        return None, _Gradient.apply(ctx.engine, ctx.shape, record, graph, *gradients)


class _Gradient(torch.autograd.Function):
    """The gradient of Run, as a node without one of its own."""

    @staticmethod
    def forward(
        ctx: Any,
        engine: Engine,
        shape: Sequence[int],
        record: torch.Tensor,
        graph: torch.Tensor,
        *gradients: Optional[torch.Tensor],
    ) -> torch.Tensor:
        return engine.gradient(shape, record, gradients)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> None:
        raise NotImplementedError(
            "vgg19.torch.Features has no second derivative: expected gradients of a loss (create_graph=False), "
            "found one of a gradient; for gradient penalties use torchvision's network"
        )
