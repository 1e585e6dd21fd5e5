"""The worker's runtime: runs student code, keeps its objects and graphs, and answers one call at a time.

It is the only part of ours that shares a process with student code, so it knows no expected value and no verdict, and
imports nothing of ours but the wire, its errors and the facts of a syntax tree. What it says is data to the grader;
what it says about itself (an input modified, a layer's name) is worth as much as the student code beside it is honest.

A request is `[nonce, op, args, kwargs, free, sync, training, seed, grad]`, a reply `[nonce, error, value, inputs,
sync, modules, graph]`. Objects stay here and are known by handles; Parameters exist on both sides as twins, kept in
step by comparing their content with what was last sent or received.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import itertools
import linecache
import operator
import random
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from . import facts, wire
from .errors import CannotCross

MAX_MESSAGE = 2_000  # characters of an exception's text
MAX_FRAMES = 16
MAX_GRAPH = 200_000  # nodes looked at for the leaves of a graph
SNAPSHOT_BELOW = 32 << 20  # bytes; a larger input counts as modified when its version counter says so


class Sources(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports student files from memory: siblings find each other, and nothing of theirs stands in for a real module.

    Args:
        modules: for each module name `{file, source, support}`: the student's text or None, and support code that
            replaces the contract's names when another question is judged, or None.
    """

    def __init__(self, modules: dict[str, dict[str, Any]]):
        self.modules = modules
        self.files = {entry["file"] for entry in modules.values() if entry["source"] is not None}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Claim exactly the submission's modules."""
        return importlib.util.spec_from_loader(name, self) if name in self.modules else None

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the student's text, then lay the support code's names over it."""
        entry = self.modules[module.__name__]
        if entry["source"] is not None:
            try:
                _execute(entry["source"], entry["file"], module)
            except BaseException:
                if entry["support"] is None:
                    raise
        if entry["support"] is not None:
            support = types.ModuleType(module.__name__)
            _execute(entry["support"], f"support/{entry['file']}", support)
            vars(module).update({name: vars(support)[name] for name in entry["names"]})


def _execute(source: str, file: str, module: types.ModuleType) -> None:
    module.__file__ = file
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec", dont_inherit=True), vars(module))


def same_bytes(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two dense tensors agree in dtype, shape and every byte (NaN equals NaN, 0 differs from -0)."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.data_ptr() == b.data_ptr() and a.stride() == b.stride():
        return True
    return torch.equal(_bytes(a), _bytes(b))


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    dense = tensor.detach().contiguous()
    return dense.as_strided((dense.numel(),), (1,)).view(torch.uint8)


class Snapshot:
    """A tensor's state as the other side knows it: what it was when it was last sent or received."""

    def __init__(self, tensor: torch.Tensor):
        self.data = tensor.detach().clone()
        self.address = tensor.data_ptr()
        self.grad = tensor.grad
        self.grad_data = None if tensor.grad is None else tensor.grad.detach().clone()
        self.requires_grad = tensor.requires_grad

    def changes(self, tensor: torch.Tensor) -> dict[str, Any]:
        """What has changed since: `data` and `grad` as `[replaced, value]`, and `requires_grad`."""
        changed: dict[str, Any] = {}
        if not same_bytes(tensor, self.data):
            changed["data"] = [tensor.data_ptr() != self.address, wire.Raw(tensor)]
        grad = tensor.grad
        if grad is None or self.grad_data is None:
            if grad is not None or self.grad_data is not None:
                changed["grad"] = [True, None if grad is None else wire.Raw(grad)]
        elif grad is not self.grad or not same_bytes(grad, self.grad_data):
            changed["grad"] = [grad is not self.grad, wire.Raw(grad)]
        if tensor.requires_grad != self.requires_grad:
            changed["requires_grad"] = tensor.requires_grad
        return changed


def apply_changes(tensor: torch.Tensor, changed: dict[str, Any]) -> None:
    """Give a tensor the data, gradient and flag that its counterpart on the other side has.

    Raises:
        RuntimeError, TypeError, ValueError: the values do not fit a tensor.
    """
    data, grad = changed.get("data"), changed.get("grad")
    if data is not None:
        replaced, value = data
        if replaced or value.dtype != tensor.dtype or value.shape != tensor.shape:
            if tensor.grad is not None and (value.dtype, value.shape) != (tensor.dtype, tensor.shape):
                grad = grad or [True, tensor.grad]
                tensor.grad = None
            tensor.data = value
        else:
            tensor.data.copy_(value)
    if "requires_grad" in changed and tensor.is_leaf:
        tensor.requires_grad_(changed["requires_grad"])
    if grad is not None:
        replaced, value = grad
        if value is None or tensor.grad is None or replaced or value.dtype != tensor.grad.dtype:
            tensor.grad = value
        else:
            tensor.grad.data.copy_(value)


@dataclass
class _Twin:
    """A tensor that the grader has too."""

    tensor: torch.Tensor
    known: Snapshot


@dataclass
class _Input:
    """A tensor that came as an argument: what student code sees, the leaf that gradients go to, and how it was."""

    seen: torch.Tensor
    leaf: torch.Tensor
    before: Snapshot | None
    version: int

    def changes(self) -> dict[str, Any]:
        if self.before is not None:
            return self.before.changes(self.seen)
        return {"data": [False, wire.Raw(self.seen)]} if self.seen._version != self.version else {}


@dataclass
class _Graph:
    outputs: list[torch.Tensor]
    leaves: list[torch.Tensor]


@dataclass
class _Written:
    """A part of a reply that knows how to write itself."""

    write: Callable[[wire.Node], Any]


@dataclass
class _Call:
    """What one request brought and what its reply has mentioned."""

    inputs: list[_Input]
    outputs: list[torch.Tensor]


class Runtime:
    """Student objects behind handles. One instance a worker; `answer` is the whole interface."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.handles: dict[int, int] = {}
        self.twins: dict[int, _Twin] = {}
        self.twin_of: dict[int, int] = {}
        self.graphs: dict[int, _Graph] = {}
        self.described: dict[int, list[Any]] = {}
        self.next = itertools.count(1)
        self.sources = Sources({})
        self.supports = itertools.count(1)
        self.names: set[str] = set()
        self.call = _Call([], [])
        self.ops: dict[str, Callable[..., Any]] = {
            "call": lambda target, *args, **kwargs: target(*args, **kwargs),
            "getattr": getattr,
            "setattr": setattr,
            "delattr": delattr,
            "getitem": operator.getitem,
            "setitem": operator.setitem,
            "delitem": operator.delitem,
            "contains": operator.contains,
            "len": len,
            "iter": iter,
            "next": self._next,
            "bool": bool,
            "str": str,
            "load": self._load,
            "module": importlib.import_module,
            "support": self._support,
            "grad": self._grad,
            "facts": lambda source, file: facts.facts_of(source.encode(), file),
            "ping": lambda: None,
        }

    # -- operations ------------------------------------------------------------------------------------------------

    def _load(self, modules: dict[str, dict[str, Any]]) -> None:
        self.sources = Sources(modules)
        self.names = set(modules)
        sys.meta_path.insert(0, self.sources)

    def _support(self, name: str, source: str) -> types.ModuleType:
        module = types.ModuleType(f"{name}_{next(self.supports)}")
        sys.modules[module.__name__] = module
        self.names.add(module.__name__)
        _execute(source, f"support/{name}.py", module)
        return module

    @staticmethod
    def _next(iterator: Any) -> list[Any]:
        """A list with the next item, or an empty one: StopIteration does not cross."""
        return list(itertools.islice(iterator, 1))

    def _grad(self, number: int, upstream: list[Any], wanted: list[int]) -> list[Any]:
        graph = self.graphs[number]
        pairs = [(out, grad) for out, grad in zip(graph.outputs, upstream, strict=True) if grad is not None]
        if not pairs:
            return [None for _ in wanted]
        return list(
            torch.autograd.grad(
                [out for out, _ in pairs],
                [graph.leaves[i] for i in wanted],
                [grad for _, grad in pairs],
                retain_graph=True,
                allow_unused=True,
            )
        )

    # -- one request -----------------------------------------------------------------------------------------------

    def answer(self, header: bytes, body: bytearray) -> list[Any]:
        """Do what a request asks and return the buffers of the reply.

        Raises:
            WireError: the request itself cannot be read, which is the engine's fault.
        """
        self.call = _Call([], [])
        request = wire.decode(header, body, self._read_marker, trusted=True)
        nonce, op, args, kwargs, *state, grad = request
        self._synchronise(*state)
        error, value = None, None
        try:
            with torch.set_grad_enabled(grad):
                value = self.ops[op](*args, **kwargs)
        except BaseException as raised:  # sys.exit() and KeyboardInterrupt too: a student's exception is data
            error = self._describe_error(raised)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # student code may have replaced or closed it
                stream.flush()
        return self._reply(nonce, error, value)

    def _synchronise(self, free: list[int], sync: list[Any], training: list[Any], seed: int | None) -> None:
        for number in free:
            self._free(number)
        for number, changed in sync:
            twin = self.twins[number]
            apply_changes(twin.tensor, changed)
            twin.known = Snapshot(twin.tensor)
        for handle, flag in training:
            self.objects[handle].training = flag
        if seed is not None:
            seed_everything(seed)

    def _free(self, number: int) -> None:
        self.graphs.pop(number, None)
        self.described.pop(number, None)
        if number in self.objects:
            self.handles.pop(id(self.objects.pop(number)), None)
        if number in self.twins:
            self.twin_of.pop(id(self.twins.pop(number).tensor), None)

    def _reply(self, nonce: str, error: Any, value: Any) -> list[Any]:
        try:
            return self._encode(nonce, error, value)
        except BaseException as raised:  # what student code returned, or left behind, may raise when it is looked at
            error = self._describe_error(raised)
            if isinstance(raised, CannotCross):
                error[0] = "TypeError"
        try:
            return self._encode(nonce, error, None)
        except BaseException as raised:
            return wire.encode([nonce, self._describe_error(raised), None, [], [], [], None])

    def _encode(self, nonce: str, error: Any, value: Any) -> list[Any]:
        """Encode a reply; what it tells the grader counts as told only once that has worked."""
        first = next(self.next)
        outlines = dict(self.described)
        self.call.outputs.clear()
        twins = [
            (number, twin, changed)
            for number, twin in self.twins.items()
            if (changed := twin.known.changes(twin.tensor))
        ]
        sync = [[number, changed] for number, _, changed in twins]
        inputs = [[i, changed] for i, entry in enumerate(self.call.inputs) if (changed := entry.changes())]
        changed_modules = [h for h, outline in outlines.items() if self._outline(self.objects[h]) != outline]
        modules = [[h, self._description(self.objects[h])] for h in changed_modules]
        graph = _Written(lambda node: node(self._graph()))
        message = [nonce, error, value, inputs, sync, modules, graph]
        try:
            buffers = wire.encode(message, self._write_marker, contiguous=True)
        except BaseException:
            self.described = {h: outline for h, outline in outlines.items() if h < first}
            for number in [n for n in (*self.objects, *self.twins, *self.graphs) if n > first]:
                self._free(number)
            raise
        for _, twin, _ in twins:
            twin.known = Snapshot(twin.tensor)
        return buffers

    def _graph(self) -> list[Any] | None:
        """The part of the reply that comes last: which outputs carry a graph, and the leaves it ends in."""
        outputs = [(i, t) for i, t in enumerate(self.call.outputs) if t.grad_fn is not None]
        if not outputs:
            return None
        known = {id(entry.leaf): ["a", i] for i, entry in enumerate(self.call.inputs)}
        known.update({id(twin.tensor): ["p", number] for number, twin in self.twins.items()})
        found = _leaves([t for _, t in outputs])
        leaves = list({id(leaf): leaf for leaf in found if id(leaf) in known}.values())
        number = next(self.next)
        self.graphs[number] = _Graph([t for _, t in outputs], leaves)
        return [number, [i for i, _ in outputs], [known[id(leaf)] for leaf in leaves]]

    # -- errors ----------------------------------------------------------------------------------------------------

    def _describe_error(self, raised: BaseException) -> list[Any]:
        try:
            text = str(raised)
        except BaseException:  # a student's __str__
            text = "(its text cannot be shown)"
        frames: list[list[Any]] = []
        trace = raised.__traceback__
        while trace is not None and len(frames) < 1000:
            code = trace.tb_frame.f_code
            if code.co_filename in self.sources.files:
                line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
                frames.append([code.co_filename, trace.tb_lineno, code.co_name[:100], line[:300]])
            trace = trace.tb_next
        if isinstance(raised, SyntaxError) and raised.filename in self.sources.files:
            frames.append([raised.filename, raised.lineno or 0, "", (raised.text or "").strip()[:300]])
            text = raised.msg
        if len(frames) > MAX_FRAMES:
            frames = frames[: MAX_FRAMES // 4] + frames[-3 * MAX_FRAMES // 4 :]
        return [type(raised).__name__[:100], text[:MAX_MESSAGE], frames]

    # -- markers, downwards ----------------------------------------------------------------------------------------

    def _read_marker(self, key: str, content: Any, node: wire.Node) -> Any:
        match key:
            case "$h":
                return self.objects[content]
            case "$a":
                return self.call.inputs[content].seen
            case "$x":
                return self._input(node, *content)
            case "$p":
                return self.twins[content[0]].tensor if len(content) == 1 else self._new_twin(node, *content)
        raise ValueError(f"unknown marker {key}")

    def _input(self, node: wire.Node, raw: Any, requires_grad: bool, leaf: bool, grad: Any) -> torch.Tensor:
        tensor: torch.Tensor = node(raw)
        if grad is not None:
            tensor.grad = node(grad)
        seen = tensor.requires_grad_(requires_grad)
        if requires_grad and not leaf:
            seen = tensor.clone(memory_format=torch.preserve_format)
        small = seen.numel() * seen.element_size() < SNAPSHOT_BELOW
        self.call.inputs.append(_Input(seen, tensor, Snapshot(seen) if small and seen.is_leaf else None, seen._version))
        return seen

    def _new_twin(self, node: wire.Node, number: int, parameter: bool, raw: Any, requires_grad: bool, grad: Any) -> Any:
        tensor: Any = node(raw)
        tensor = torch.nn.Parameter(tensor, requires_grad) if parameter else tensor.requires_grad_(requires_grad)
        if grad is not None:
            tensor.grad = node(grad)
        self.twins[number] = _Twin(tensor, Snapshot(tensor))
        self.twin_of[id(tensor)] = number
        return tensor

    # -- markers, upwards ------------------------------------------------------------------------------------------

    def _write_marker(self, value: Any, node: wire.Node) -> Any:
        if isinstance(value, torch.Tensor):
            return self._write_tensor(value, node)
        if isinstance(value, torch.nn.Module):
            return self._write_module(value, node)
        if isinstance(value, _Written):
            return value.write(node)
        if isinstance(value, (list, tuple, dict, complex, slice, torch.dtype)) or value is Ellipsis:
            return NotImplemented
        return self._write_handle(value)

    def _write_handle(self, value: Any) -> Any:
        return {"$h": [self._handle(value), type(value).__name__[:100]]}

    def _handle(self, value: Any) -> int:
        known = self.handles.get(id(value))
        if known is None:
            known = next(self.next)
            self.objects[known] = value
            self.handles[id(value)] = known
        return known

    def _write_tensor(self, value: torch.Tensor, node: wire.Node) -> Any:
        for i, entry in enumerate(self.call.inputs):
            if entry.seen is value:
                return {"$a": i}
        if id(value) in self.twin_of:
            return {"$p": [self.twin_of[id(value)]]}
        parameter = isinstance(value, torch.nn.Parameter)
        if parameter or (value.is_leaf and value.requires_grad):
            return self._write_twin(value, parameter, node)
        if value.layout is not torch.strided or value.device.type != "cpu":
            raise CannotCross(
                f"a tensor of {value.layout} on {value.device} came back; a dense one on the CPU can cross"
            )
        self.call.outputs.append(value)
        return {"$o": [len(self.call.outputs) - 1, node(wire.Raw(value))]}

    def _write_twin(self, value: torch.Tensor, parameter: bool, node: wire.Node) -> Any:
        if id(value) in self.twin_of:
            return {"$p": [self.twin_of[id(value)]]}
        number = next(self.next)
        self.twins[number] = _Twin(value, Snapshot(value))
        self.twin_of[id(value)] = number
        grad = None if value.grad is None else node(wire.Raw(value.grad))
        return {"$p": [number, parameter, node(wire.Raw(value)), value.requires_grad, grad]}

    def _write_module(self, value: torch.nn.Module, node: wire.Node) -> Any:
        handle = self._handle(value)
        if handle in self.described:
            return {"$m": [handle]}
        self.described[handle] = self._outline(value)
        return {"$m": [handle, node(self._description(value))]}

    @staticmethod
    def _outline(module: torch.nn.Module) -> list[Any]:
        """What must not have changed for a module's description to hold still."""
        parts = (module._parameters, module._buffers, module._modules)
        return [module.training, *([(name, id(item)) for name, item in part.items()] for part in parts)]

    def _description(self, module: torch.nn.Module) -> list[Any]:
        self.described[self._handle(module)] = self._outline(module)
        return [
            type(module).__name__[:100],
            isinstance(module, torch.nn.ModuleList),
            bool(module.training),
            [[name, self._twin(item)] for name, item in module._parameters.items()],
            [[name, self._twin(item)] for name, item in module._buffers.items()],
            [[name, item] for name, item in module._modules.items()],
        ]

    def _twin(self, tensor: torch.Tensor | None) -> _Written | None:
        if tensor is None:
            return None
        return _Written(lambda node: self._write_twin(tensor, isinstance(tensor, torch.nn.Parameter), node))


def _leaves(outputs: Sequence[torch.Tensor]) -> Iterator[torch.Tensor]:
    """The leaf tensors that the graph of some outputs ends in."""
    seen: set[Any] = set()
    waiting = [output.grad_fn for output in outputs]
    while waiting and len(seen) < MAX_GRAPH:
        grad_fn = waiting.pop()
        if grad_fn is None or grad_fn in seen:
            continue
        seen.add(grad_fn)
        if hasattr(grad_fn, "variable"):
            yield grad_fn.variable
        waiting.extend(following for following, _ in grad_fn.next_functions)


def seed_everything(seed: int) -> None:
    """Seed the generators that student code may draw from."""
    torch.default_generator.manual_seed(seed)  # torch.manual_seed takes 1 ms more: a stack trace for each absent device
    numpy.random.seed(seed % 2**32)
    random.seed(seed)


def serve(read_into: Callable[[memoryview], int], write: Callable[[Any], int]) -> None:
    """Answer requests until the grader closes the channel."""
    runtime = Runtime()
    while True:
        frame = wire.read_frame(read_into)
        if frame is None:
            return
        for buffer in runtime.answer(*frame):
            with memoryview(buffer) as view:
                start = 0
                while start < len(view):
                    start += write(view[start:])
