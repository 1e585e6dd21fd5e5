"""What stands for a student's objects in a check: modules, tensors with a graph, and handles for everything else.

A proxy behaves like the thing, and where it cannot it says so. Modules are real `torch.nn.Module`s with mirrored
Parameters; tensors that come back have a `grad_fn` whose backward runs in the worker; anything else is a handle.
Each talks through a session (`subject.Session`), and says to it when the check has dropped it.
"""

from __future__ import annotations

import collections
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch

from .errors import CannotCross, WireError


class Transport(Protocol):
    """One exchange with a worker; see `sandbox` for those that there are."""

    def exchange(self, request: list[Any], max_body: int) -> tuple[bytes, bytearray]:
        """Send a request's buffers and return the reply's header and body.

        Raises:
            WorkerLost: there is no reply.
        """

    def lost(self, error: WireError) -> None:
        """End the worker, which broke the protocol."""


class Conversation(Protocol):
    """What a proxy needs of its session."""

    transport: Transport
    released: collections.deque[int]

    def call(self, op: str, *args: Any, **kwargs: Any) -> Any:
        """Run an operation in the worker on values and proxies."""


def list_of(value: Any) -> list[Any]:
    """The value if it is a list, and nothing that only iterates like one: a proxy would call back into the worker.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not list:
        raise ValueError(f"a {type(value).__name__} where a list belongs")
    return value


class GraphHandle:
    """The worker's autograd graph of one call; the worker forgets it when the last tensor that needs it is gone."""

    def __init__(self, session: Conversation, number: int):
        self.session, self.number = session, number
        weakref.finalize(self, session.released.append, number).atexit = False


class Bridge(torch.autograd.Function):
    """Joins outputs that came from a worker to the tensors they depend on; the backward runs in the worker."""

    @staticmethod
    def forward(ctx: Any, graph: GraphHandle, outputs: list[torch.Tensor], *leaves: torch.Tensor) -> Any:
        """Return the outputs as they came."""
        ctx.graph = graph
        ctx.like_outputs = [(t.shape, t.dtype) for t in outputs]
        ctx.like_leaves = [(t.shape, t.dtype) for t in leaves]
        ctx.set_materialize_grads(False)
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor | None) -> Any:
        """Ask the worker for the vector-Jacobian product."""
        if torch.is_grad_enabled():
            raise CannotCross("create_graph=True and second derivatives do not cross to the other process")
        wanted = [i for i, needed in enumerate(ctx.needs_input_grad[2:]) if needed]
        grads = list(upstream)
        if all(grad is None for grad in grads):
            grads = [torch.zeros(shape, dtype=dtype) for shape, dtype in ctx.like_outputs]
        session = ctx.graph.session
        found = session.call("grad", ctx.graph.number, grads, wanted)
        result: list[torch.Tensor | None] = [None] * len(ctx.like_leaves)
        try:
            for i, grad in zip(wanted, list_of(found), strict=True):
                if grad is not None and not isinstance(grad, torch.Tensor):
                    raise ValueError("gradient")
                if grad is not None and (grad.shape, grad.dtype) != ctx.like_leaves[i]:
                    raise ValueError("shape")
                result[i] = grad
        except (TypeError, ValueError, AttributeError) as error:
            session.transport.lost(wrong := WireError("a gradient that cannot be"))
            raise wrong from error
        return None, None, *result


class RemoteObject:
    """A student's object that is neither a number, a tensor nor a module: a handle that does what one asks of it."""

    _session: Conversation
    _handle: int
    _name: str

    def __init__(self, session: Conversation, handle: int, name: str):
        vars(self).update(_session=session, _handle=handle, _name=str(name)[:100])

    def _require(self, session: Conversation) -> None:
        if self._session is not session:
            raise CannotCross(f"{self!r} belongs to another worker")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the worker."""
        return self._session.call("call", self, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._session.call("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._session.call("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._session.call("delattr", self, name)

    def __getitem__(self, key: Any) -> Any:
        return self._session.call("getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._session.call("setitem", self, key, value)

    def __delitem__(self, key: Any) -> None:
        self._session.call("delitem", self, key)

    def __contains__(self, item: Any) -> bool:
        return bool(self._session.call("contains", self, item))

    def __len__(self) -> int:
        return int(self._session.call("len", self))

    def __bool__(self) -> bool:
        return bool(self._session.call("bool", self))

    def __iter__(self) -> Iterator[Any]:
        iterator = self._session.call("iter", self)
        while found := self._session.call("next", iterator):
            yield found[0]

    def __next__(self) -> Any:
        found = self._session.call("next", self)
        if not found:
            raise StopIteration
        return found[0]

    def __repr__(self) -> str:
        return f"<{self._name} of the submission>"

    def __reduce__(self) -> Any:
        raise CannotCross(f"{self!r} cannot be copied or pickled")


class RemoteModule(torch.nn.Module):
    """A student's module: a real Module with mirrored Parameters, whose forward runs in the worker."""

    _OWN = frozenset({"training", "_parameters", "_buffers", "_modules"})

    def __init__(self, session: Conversation, handle: int, name: str):
        super().__init__()
        vars(self).update(
            _session=session, _handle=handle, _name=str(name)[:100], _remote_training=True, _buffer_twins={}
        )

    def _require(self, session: Conversation) -> None:
        if self._session is not session:
            raise CannotCross(f"{self!r} belongs to another worker")

    def _describe(self, description: Any) -> None:
        """Take over the worker's description: training flag, Parameters, buffers and submodules, by name."""
        _, _, training, parameters, buffers, modules = list_of(description)
        for part, kind in (
            (parameters, torch.nn.Parameter),
            (buffers, torch.Tensor),
            (modules, torch.nn.Module),
        ):
            for name, item in map(list_of, list_of(part)):
                if not isinstance(name, str) or "." in name or len(name) > 200:
                    raise ValueError("name")
                if item is not None and not isinstance(item, kind):
                    raise ValueError("member")
        vars(self).update(training=bool(training), _remote_training=bool(training), _buffer_twins=dict(buffers))
        self._parameters.clear()
        self._parameters.update(parameters)
        self._buffers.clear()
        self._buffers.update(buffers)
        self._modules.clear()
        self._modules.update(modules)

    def _rebind_buffers(self) -> None:
        """A conversion such as `.double()` puts new tensors in place of buffers: give the old ones their content."""
        for name, twin in self._buffer_twins.items():
            now = self._buffers.get(name)
            if twin is not None and now is not None and now is not twin:
                twin.data = now.detach().clone()
                self._buffers[name] = twin

    def _training_change(self) -> list[Any]:
        vars(self)["_remote_training"] = self.training
        return [self._handle, self.training]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the student's module."""
        return self._session.call("call", self, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # first of all: torch would take a submodule `__torch_function__` for its protocol
            raise AttributeError(name)
        for part in ("_parameters", "_buffers", "_modules"):
            if name in vars(self).get(part, ()):
                return vars(self)[part][name]
        return self._session.call("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._OWN or "_session" not in vars(self):
            super().__setattr__(name, value)
        else:
            self._session.call("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._session.call("delattr", self, name)

    def __bool__(self) -> bool:
        return True

    def _get_name(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"{self._name}({', '.join(list(self._modules)[:20])})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise CannotCross(f"the student's {self._name} cannot be copied or pickled")


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(self: RemoteModule, *args: Any, **kwargs: Any) -> Any:
        raise CannotCross(f"{name}() of a student's module does not cross: use support code, `hw.support(...)`")

    return refuse


for _name in dir(torch.nn.Module):
    if (_name.startswith("register_") and _name != "register_module") or _name in (
        "add_module",
        "register_module",
    ):
        setattr(RemoteModule, _name, _refusal(_name))


class RemoteModuleList(RemoteModule, torch.nn.ModuleList):
    """A student's ModuleList; its items are proxies too."""
