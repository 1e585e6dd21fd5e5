"""The grader's side of a worker: `hw`, and the session through which it and the proxies talk to the worker.

The session sends calls, keeps what exists on both sides in step, and releases what checks have dropped. What a worker
sends is checked here once more, against what it may be at that place, before it becomes an object.
"""

from __future__ import annotations

import collections
import secrets
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.weak import TensorWeakRef

from . import wire
from .errors import CannotCross, RemoteError, WireError, remote_error
from .proxies import Bridge, GraphHandle, RemoteModule, RemoteModuleList, RemoteObject, Transport, list_of
from .worker import Snapshot, apply_changes, seed_everything

WORKERS_SEED = 1_000_003  # added to a seed over there: a student must not draw the very numbers that a check draws
MAX_REPLY = 256 << 20  # bytes
MAX_PATHS = 20_000  # through all modules to the modules in them


class Session:
    """A conversation with one worker: calls, handles, twins, and their release when a check drops a proxy.

    Args:
        transport: carries the frames.
        inputs_change: whether plain tensors that were sent take over what the worker says became of them. A check
            that relies on values alone must not let it: what it expects would be computed from what came.
    """

    def __init__(self, transport: Transport, inputs_change: bool = True):
        self.transport, self.inputs_change = transport, inputs_change
        self.calls = 0
        self.inputs_changed = False  # whether the worker ever said so
        self.pending_seed: int | None = None
        self.released: collections.deque[int] = collections.deque()
        self.twins: dict[int, _Mirror] = {}
        self.twin_of: dict[int, int] = {}
        self.next_twin = -1
        self.proxies: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self.inputs: list[torch.Tensor] = []
        self.outputs: dict[int, torch.Tensor] = {}
        self.reading = False
        self.described = False

    def call(self, op: str, *args: Any, **kwargs: Any) -> Any:
        """Run an operation in the worker on values and proxies.

        Raises:
            RemoteError: student code raised.
            CannotCross: an argument cannot be sent.
            WorkerLost: the worker is gone, or broke the protocol.
        """
        if self.reading:  # something in a reply is a proxy where only a value may be
            raise ValueError("a reply that leads to another call")
        nonce = secrets.token_hex(8)
        self.inputs, self.outputs = [], {}
        indices: dict[int, int] = {}
        self.calls += 1
        free, changes = list(self.released), self._changes()
        sync = [[number, changed] for number, changed, _ in changes]
        state = [free, sync, self._training(), self.pending_seed, torch.is_grad_enabled()]
        first = self.next_twin
        try:
            buffers = wire.encode(
                [nonce, op, list(args), kwargs, *state],
                lambda value, node: self._write_marker(value, node, indices),
            )
        except CannotCross:
            for number in range(self.next_twin + 1, first + 1):  # announced in a request that is never sent
                self._drop_twin(number)
            raise
        self.pending_seed = None
        for _ in free:
            self.released.popleft()
        for _, _, mirror in changes:
            mirror.known = Snapshot(mirror.tensor())
        held = [list(self.proxies.values()), [mirror.reference() for mirror in self.twins.values()]]
        reply = self.transport.exchange(buffers, MAX_REPLY)
        self.reading = True
        try:
            return self._take(nonce, wire.decode(*reply, self._read_marker))
        except WireError as error:
            self.transport.lost(error)
            raise
        finally:
            self.reading = False
            del held  # what the reply mentions must not be released while it is read

    # -- downwards -------------------------------------------------------------------------------------------------

    def _changes(self) -> list[tuple[int, dict[str, Any], _Mirror]]:
        for proxy in list(self.proxies.values()):
            if isinstance(proxy, RemoteModule):
                proxy._rebind_buffers()
        return [
            (number, changed, mirror)
            for number, mirror in list(self.twins.items())
            if (changed := mirror.known.changes(mirror.tensor()))
        ]

    def _training(self) -> list[Any]:
        modules = [proxy for proxy in self.proxies.values() if isinstance(proxy, RemoteModule)]
        return [module._training_change() for module in modules if module.training != module._remote_training]

    def _write_marker(self, value: Any, node: wire.Node, indices: dict[int, int]) -> Any:
        if isinstance(value, RemoteObject):
            value._require(self)
            return {"$h": value._handle}
        if isinstance(value, RemoteModule):
            value._require(self)
            return {"$h": value._handle}
        if not isinstance(value, torch.Tensor):
            return NotImplemented
        if id(value) in self.twin_of:
            return {"$p": [self.twin_of[id(value)]]}
        if isinstance(value, torch.nn.Parameter):
            number, self.next_twin = self.next_twin, self.next_twin - 1
            self._add_twin(number, value)
            grad = None if value.grad is None else node(wire.Raw(value.grad))
            return {"$p": [number, True, node(wire.Raw(value)), value.requires_grad, grad]}
        if type(value) is not torch.Tensor:
            raise CannotCross(f"a {type(value).__name__} cannot cross: send a torch.Tensor")
        if id(value) in indices:
            return {"$a": indices[id(value)]}
        indices[id(value)] = len(self.inputs)
        self.inputs.append(value)
        grad = node(wire.Raw(value.grad)) if value.is_leaf and value.grad is not None else None
        return {"$x": [node(wire.Raw(value)), value.requires_grad, value.is_leaf, grad]}

    def _add_twin(self, number: int, tensor: torch.Tensor) -> None:
        self.twins[number] = _Mirror(tensor)
        self.twin_of[id(tensor)] = number
        weakref.finalize(tensor, self._forget_twin, number, id(tensor)).atexit = False

    def _forget_twin(self, number: int, identity: int) -> None:
        if number in self.twins:
            self.released.append(number)
        self._drop_twin(number, identity)

    def _drop_twin(self, number: int, identity: int | None = None) -> None:
        mirror = self.twins.pop(number, None)
        if mirror is not None and identity is None:
            identity = id(mirror.tensor())
        if identity is not None and self.twin_of.get(identity) == number:
            del self.twin_of[identity]

    # -- upwards ---------------------------------------------------------------------------------------------------

    def _take(self, nonce: str, reply: Any) -> Any:
        try:
            echoed, error, value, inputs, sync, modules, graph = list_of(reply)
            instead: dict[int, torch.Tensor] = {}
            if echoed != nonce:
                raise ValueError("a reply to another call")
            for index, changed in map(list_of, list_of(inputs)):
                tensor, checked = self.inputs[_index(index, self.inputs)], _checked(changed)
                if self.inputs_change:
                    apply_changes(tensor, checked)
                elif "data" in checked:  # what is returned may be this very tensor, as it is over there
                    instead[id(tensor)] = checked["data"][1]
                self.inputs_changed |= "data" in checked
            for number, changed in map(list_of, list_of(sync)):
                apply_changes(tensor := self.twins[number].tensor(), _checked(changed))
                self.twins[number].known = Snapshot(tensor)
            for handle, description in map(list_of, list_of(modules)):
                proxy = self.proxies.get(handle)
                if isinstance(proxy, RemoteModule):
                    proxy._describe(description)
                    self.described = True
            if self.described:
                self._expect_few_paths()
            if error is not None:
                raise _student_error(error)
            return _substitute(value, {**instead, **self._attach(graph)})
        except (ValueError, TypeError, KeyError, IndexError, RuntimeError, AttributeError) as wrong:
            if isinstance(wrong, RemoteError):
                raise
            raise WireError(f"a reply that cannot be: {type(wrong).__name__}: {wrong}"[:300]) from wrong
        finally:
            self.inputs, self.outputs = [], {}

    def _attach(self, graph: Any) -> dict[int, torch.Tensor]:
        """Give the outputs that need it a grad_fn; returns what to put in place of each output as it was decoded."""
        if graph is None:
            return {}
        number, outputs, leaves = list_of(graph)
        if type(number) is not int:
            raise ValueError("graph")
        tensors = [self.outputs[index] for index in list_of(outputs)]
        inputs = [self._leaf(*list_of(leaf)) for leaf in list_of(leaves)]
        if not torch.is_grad_enabled() or not any(t.requires_grad for t in inputs):
            self.released.append(number)
            return {}
        attached = Bridge.apply(GraphHandle(self, number), tensors, *inputs)
        return {id(old): new for old, new in zip(tensors, attached, strict=True)}

    def _leaf(self, kind: str, number: int) -> torch.Tensor:
        if kind == "a":
            return self.inputs[_index(number, self.inputs)]
        return self.twins[number].tensor() if kind == "p" else _no(kind)

    def _read_marker(self, key: str, content: Any, node: wire.Node) -> Any:
        match key:
            case "$a":
                return self.inputs[_index(content, self.inputs)]
            case "$o":
                index, raw = content
                self.outputs[index] = _fresh(raw, node)
                return self.outputs[index]
            case "$p":
                return self._read_twin(content, node)
            case "$h":
                handle, name = content
                return self._proxy(handle, lambda: RemoteObject(self, handle, name))
            case "$m":
                return self._read_module(content, node)
        return _no(key)

    def _read_twin(self, content: list[Any], node: wire.Node) -> torch.Tensor:
        if len(content) == 1:
            return self.twins[content[0]].tensor()
        number, parameter, raw, requires_grad, grad = content
        tensor = _fresh(raw, node)
        if type(number) is not int or number <= 0 or number in self.twins:
            raise ValueError("twin")
        tensor = (
            torch.nn.Parameter(tensor, bool(requires_grad)) if parameter else tensor.requires_grad_(bool(requires_grad))
        )
        if grad is not None:
            tensor.grad = _fresh(grad, node)
        self._add_twin(number, tensor)
        return tensor

    def _read_module(self, content: list[Any], node: wire.Node) -> RemoteModule:
        handle, *description = content
        if not description:
            return self.proxies[handle]
        name, is_list, *_ = parts = node(description[0])
        kind = RemoteModuleList if is_list is True else RemoteModule
        proxy = self._proxy(handle, lambda: kind(self, handle, name))
        if not isinstance(proxy, RemoteModule):
            raise ValueError("module")
        proxy._describe(parts)
        self.described = True
        return proxy

    def _expect_few_paths(self) -> None:
        """Refuse modules that share children so often that walking them, as `train()` does, would never end."""
        self.described = False
        waiting: list[torch.nn.Module] = [
            proxy for proxy in list(self.proxies.values()) if isinstance(proxy, RemoteModule)
        ]
        for _ in range(MAX_PATHS):
            if not waiting:
                return
            waiting += [module for module in waiting.pop()._modules.values() if module is not None]
        raise ValueError("modules within modules without end")

    def _proxy(self, handle: Any, build: Callable[[], Any]) -> Any:
        if type(handle) is not int:
            raise ValueError("handle")
        found = self.proxies.get(handle)
        if found is None:
            found = self.proxies[handle] = build()
            weakref.finalize(found, self.released.append, handle).atexit = False
        return found


class _Mirror:
    """A tensor of the grader's that the worker has too; this does not keep it alive."""

    def __init__(self, tensor: torch.Tensor):
        self.reference = TensorWeakRef(tensor)
        self.known = Snapshot(tensor)

    def tensor(self) -> torch.Tensor:
        """The tensor itself.

        Raises:
            ValueError: it is gone.
        """
        found = self.reference()
        if found is None:
            raise ValueError("a twin that is gone")
        return found


def _fresh(raw: Any, node: wire.Node) -> torch.Tensor:
    """A tensor that has just come, and none that was here already."""
    if not isinstance(raw, dict) or list(raw) != ["$t"]:
        raise ValueError("tensor")
    return node(raw)


def _index(number: Any, items: list[Any]) -> int:
    if type(number) is not int or not 0 <= number < len(items):
        raise ValueError("index")
    return number


def _no(what: Any) -> Any:
    raise ValueError(f"unknown {str(what)[:40]!r}")


def _checked(changed: Any) -> dict[str, Any]:
    """A worker's report of changes to one tensor, once every part of it is what it may be."""
    if type(changed) is not dict:
        raise ValueError("changes")
    for key, content in changed.items():
        if key in ("data", "grad"):
            replaced, value = list_of(content)
            fits = isinstance(value, torch.Tensor) or (key == "grad" and value is None)
            if not isinstance(replaced, bool) or not fits:
                raise ValueError(key)
        elif key != "requires_grad" or not isinstance(content, bool):
            raise ValueError(str(key)[:40])
    return changed


def _student_error(error: Any) -> RemoteError:
    name, text, frames = list_of(error)
    if not isinstance(name, str) or not isinstance(text, str) or len(list_of(frames)) > 64:
        raise ValueError("error")
    for file, line, function, source in map(list_of, frames):
        if not (isinstance(line, int) and all(isinstance(part, str) for part in (file, function, source))):
            raise ValueError("frame")
    cut = [(file[:200], line, function[:200], source[:400]) for file, line, function, source in frames]
    return remote_error(name[:100], text[:4000], cut)


def _substitute(value: Any, attached: dict[int, torch.Tensor]) -> Any:
    if not attached:
        return value
    if isinstance(value, torch.Tensor):
        return attached.get(id(value), value)
    if isinstance(value, (list, tuple)):
        return type(value)(_substitute(item, attached) for item in value)
    if isinstance(value, dict):
        return {key: _substitute(item, attached) for key, item in value.items()}
    return value


class RemoteSubject:
    """What a check receives as `hw`: the student's code in a worker.

    Args:
        session: the conversation with the worker.
        provider: for each contract name, the module that has it.
        support: the folder of the check's support code.
    """

    def __init__(self, session: Session, provider: dict[str, str], support: Path):
        self._session, self._provider, self._support = session, provider, support
        self._found: dict[str, RemoteObject] = {}  # functions and classes: a name is looked up once

    def __getattr__(self, name: str) -> Any:
        if name not in self._provider:
            raise AttributeError(f"no question of this homework provides {name!r}")
        if name in self._found:
            return self._found[name]
        value = self._session.call("getattr", self._session.call("module", self._provider[name]), name)
        if isinstance(value, RemoteObject):
            self._found[name] = value
        return value

    def __repr__(self) -> str:
        return "hw"

    def support(self, name: str) -> Any:
        """Run `support/<name>.py`, from beside the check's file, next to the student's code; returns its namespace."""
        path = self._support / f"{name}.py"
        try:
            source = path.read_text(encoding="utf-8")
        except OSError as error:
            raise CannotCross(f"there is no support code {path}") from error
        return self._session.call("support", name, source)

    def seed(self, seed: int) -> None:
        """Seed torch, numpy and random on both sides; on the worker's with the next call."""
        seed_everything(seed)
        self._session.pending_seed = seed + WORKERS_SEED
