"""Frames between grader and worker: how values become bytes, and how bytes from a worker become values safely.

A frame is a fixed prefix (magic, header length, body length), a JSON header and a body of raw tensor bytes. Nothing is
ever pickled. The worker is not trusted: on the grader's side every length, depth, dtype, shape and index is checked
before it is used, memory grows only with bytes that really came, and whatever is wrong is a `WireError`.

The header is `[tree, tensors, storages]`. In the tree a JSON scalar or list stands for itself; everything else is an
object with one key, a marker: `$u` tuple, `$d` dict as pairs, `$f` a float JSON has no word for, `$z` complex, `$s`
slice, `$e` Ellipsis, `$y` dtype, `$t` tensor, `$i` iterator. Either side adds markers of its own (handles, Parameters)
through `encode(..., other=)` and `decode(..., other=)`.

A tensor is `[storage, dtype, shape, stride, offset]`: downwards it keeps strides and shares storage with the tensors it
shared it with; upwards it is contiguous and alone.
"""

from __future__ import annotations

import itertools
import json
import math
import struct
from collections.abc import Callable, ItemsView, KeysView, ValuesView
from types import GeneratorType
from typing import Any

import torch

from .errors import CannotCross, WireError

PREFIX = struct.Struct("<4sIQ")
MAGIC = b"AGW1"
MAX_HEADER = 2 << 20  # bytes
MAX_BODY = 1 << 30  # bytes
MAX_DEPTH = 40
MAX_NODES = 200_000
MAX_PAIRS = 5_000  # of all dicts in a frame: keys whose hashes are the same cost the square of their number
MAX_TENSORS = 2_000
MAX_DIMENSIONS = 32
MAX_EXTENT = 1 << 40  # elements along one dimension; only empty tensors come near
MAX_BITS = 256  # of an integer, in either direction: what came up must be able to go down again
MAX_ITERATOR = 10_000  # items of an iterator that is sent down
ALIGN = 64  # bytes; storages start at multiples of it in the body
COPY_BELOW = 1 << 20  # bytes; a larger storage is used where it arrived

_EMPTY: tuple[Any, ...] = ((), [], {}, {}.values(), {}.items(), range(0))
ITERATORS: tuple[type, ...] = (
    GeneratorType, map, filter, zip, enumerate, range, reversed, KeysView, ValuesView, ItemsView,
    *(type(iter(empty)) for empty in _EMPTY),
)  # fmt: skip

DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name)
    for name in (
        *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
        *("uint8", "int8", "int16", "int32", "int64", "bool"),
    )
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}

Node = Callable[[Any], Any]  # encodes, or decodes, a value inside a marker


class Raw:
    """A tensor to be sent as its bytes and nothing else: no marker of the caller's is put around it."""

    def __init__(self, tensor: torch.Tensor):
        self.tensor = tensor


class _Encoder:
    def __init__(self, other: Callable[[Any, Node], Any] | None, contiguous: bool):
        self.other, self.contiguous = other, contiguous
        self.tensors: list[torch.Tensor] = []
        self.index: dict[int, int] = {}
        self.nodes = 0

    def node(self, value: Any, depth: int = 0) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise CannotCross("a value nested too deeply, or too large, cannot cross")
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):  # a lone surrogate has no UTF-8; a subclass of str is just its text
            return str(value).encode("utf-8", "replace").decode()
        if isinstance(value, int):
            return self._integer(int(value))
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"$f": repr(float(value))}
        kind = type(value)
        if kind is Raw:
            return {"$t": self.tensor(value.tensor)}
        if kind is list:
            return [self.node(item, depth + 1) for item in value]
        if self.other is not None:
            marked = self.other(value, lambda inner: self.node(inner, depth + 1))
            if marked is not NotImplemented:
                return marked
        if isinstance(value, torch.Tensor):
            return {"$t": self.tensor(value)}
        return self._container(value, depth + 1)

    @staticmethod
    def _integer(value: int) -> int:
        if value.bit_length() > MAX_BITS:
            raise CannotCross(f"an integer of {value.bit_length()} bits cannot cross")
        return value

    def _container(self, value: Any, depth: int) -> Any:
        if isinstance(value, list):
            return [self.node(item, depth) for item in value]
        if isinstance(value, tuple):
            return {"$u": [self.node(item, depth) for item in value]}
        if isinstance(value, dict):
            return {"$d": [[self.node(k, depth), self.node(v, depth)] for k, v in value.items()]}
        if isinstance(value, complex):
            return {"$z": [self.node(value.real, depth), self.node(value.imag, depth)]}
        if isinstance(value, slice):
            return {"$s": [self.node(part, depth) for part in (value.start, value.stop, value.step)]}
        if value is Ellipsis:
            return {"$e": 1}
        if isinstance(value, torch.dtype):
            return {"$y": NAMES[value]}
        if isinstance(value, ITERATORS) or type(value).__module__ == "itertools":
            items = list(itertools.islice(value, MAX_ITERATOR + 1))
            if len(items) > MAX_ITERATOR:
                raise CannotCross(f"an iterator of more than {MAX_ITERATOR} items cannot cross: send a list")
            return {"$i": [self.node(item, depth) for item in items]}
        raise CannotCross(
            f"a {type(value).__module__}.{type(value).__qualname__} cannot cross to the other process:"
            " put what needs it into support code, `hw.support(...)`"
        )

    def tensor(self, value: torch.Tensor) -> int:
        if id(value) not in self.index:
            if value.dtype not in NAMES or value.layout is not torch.strided or value.device.type != "cpu":
                raise CannotCross(
                    f"a tensor of {value.dtype}, {value.layout} on {value.device} cannot cross:"
                    " only dense ones on the CPU can"
                )
            if len(self.tensors) >= MAX_TENSORS:
                raise CannotCross(f"more than {MAX_TENSORS} tensors in one call cannot cross")
            self.index[id(value)] = len(self.tensors)
            self.tensors.append(value)
        return self.index[id(value)]

    def storages(self) -> tuple[list[list[Any]], list[int], list[memoryview]]:
        """Describe all tensors, and cut from each storage the range of bytes that they use."""
        plain = [self._resolved(t) for t in self.tensors]
        ranges: dict[int, list[int]] = {}
        spans = [_span(t) for t in plain]
        keys = [t.untyped_storage().data_ptr() if span[1] else 0 for t, span in zip(plain, spans, strict=True)]
        for key, (low, high) in zip(keys, spans, strict=True):
            if key:
                known = ranges.setdefault(key, [low, high])
                known[0], known[1] = min(known[0], low), max(known[1], high)
        order = {key: number for number, key in enumerate(ranges)}
        lows = {key: low - low % 16 for key, (low, _) in ranges.items()}
        described, sizes = [], [ranges[key][1] - lows[key] for key in order]
        buffers: dict[int, memoryview] = {}
        for t, key in zip(plain, keys, strict=True):
            if not key:
                described.append([-1, NAMES[t.dtype], list(t.shape), list(t.stride()), 0])
                continue
            offset = t.storage_offset() - lows[key] // t.element_size()
            described.append([order[key], NAMES[t.dtype], list(t.shape), list(t.stride()), offset])
            if key not in buffers:
                view = torch.empty(0, dtype=torch.uint8).set_(
                    t.untyped_storage(), lows[key], (sizes[order[key]],), (1,)
                )
                sharing = [other for other, same in zip(plain, keys, strict=True) if same == key]
                before = ranges[key][0] - lows[key]
                if not any(other.numel() * other.element_size() == len(view) - before for other in sharing):
                    view = _without_gaps(view, sharing, lows[key])
                elif before:
                    view = torch.cat([torch.zeros(before, dtype=torch.uint8), view[before:]])
                buffers[key] = memoryview(view.numpy())  # type: ignore[arg-type]  # an array is a buffer
        return described, sizes, [buffers[key] for key in order]

    def _resolved(self, value: torch.Tensor) -> torch.Tensor:
        with torch._C.DisableTorchFunctionSubclass():
            plain = value.detach().resolve_conj().resolve_neg()
            if type(plain) is not torch.Tensor:
                plain = plain.as_subclass(torch.Tensor)
            return plain.clone(memory_format=torch.contiguous_format) if self.contiguous else plain


def _span(t: torch.Tensor) -> tuple[int, int]:
    """The range of bytes of its storage that a tensor uses; (0, 0) when it has no elements."""
    if t.numel() == 0:
        return 0, 0
    first = int(t.storage_offset())
    last = first + sum((int(size) - 1) * int(step) for size, step in zip(t.shape, t.stride(), strict=True))
    return first * t.element_size(), (last + 1) * t.element_size()


def _without_gaps(view: torch.Tensor, tensors: list[torch.Tensor], low: int) -> torch.Tensor:
    """The bytes of a storage that some tensors use, and zeros between them: the rest is nobody's business."""
    used = torch.zeros(len(view), dtype=torch.bool)
    for t in tensors:
        places = torch.tensor([t.storage_offset() * t.element_size() - low])
        for size, step in zip(t.shape, t.stride(), strict=True):
            if step:
                places = (places[:, None] + torch.arange(size) * step * t.element_size()).reshape(-1)
        for byte in range(t.element_size()):
            used[places + byte] = True
    return view * used


def encode(message: Any, other: Callable[[Any, Node], Any] | None = None, *, contiguous: bool = False) -> list[Any]:
    """Turn a message into the buffers of one frame.

    Args:
        message: the value to send.
        other: called with each value that is not None, bool, int, float, str or list, and a function that encodes a
            value within it; returns a marker of the caller's, or NotImplemented to let the codec handle it.
        contiguous: copy each tensor to a dense one of its own, as everything that comes up from a worker is.

    Raises:
        CannotCross: something in the message has no representation.
    """
    encoder = _Encoder(other, contiguous)
    try:
        tree = encoder.node(message)
    except RecursionError as error:
        raise CannotCross("a value that holds itself cannot cross") from error
    tensors, sizes, buffers = encoder.storages()
    padded: list[Any] = []
    for size, buffer in zip(sizes, buffers, strict=True):
        padded.append(buffer)
        if size % ALIGN:
            padded.append(bytes(ALIGN - size % ALIGN))
    header = _json_encoder.encode([tree, tensors, sizes]).encode()
    body = sum(_padded(size) for size in sizes)
    if len(header) > MAX_HEADER or body > MAX_BODY:
        raise CannotCross(f"a message of {len(header) + body} bytes is too large to cross")
    return [PREFIX.pack(MAGIC, len(header), body) + header, *padded]


def _padded(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def decode(
    header: bytes,
    body: bytearray,
    other: Callable[[str, Any, Node], Any] | None = None,
    *,
    trusted: bool = False,
) -> Any:
    """Turn a frame's header and body back into the message.

    Args:
        header: the JSON text.
        body: the tensors' bytes; large storages are used in place, so it must not be touched afterwards.
        other: called with the key and the raw content of each marker that the codec does not know, and a function
            that decodes a node of it; returns the value, or raises ValueError.
        trusted: the frame comes from the grader: strides and shared storages are allowed.

    Raises:
        WireError: anything about the frame is not as it must be.
    """
    try:
        parts = _parse(header)
        if not isinstance(parts, list) or len(parts) != 3:
            raise ValueError("the header is not [tree, tensors, storages]")
        storages = _storages(parts[2], body)
        tensors = _tensors(parts[1], storages, trusted)
        return _Decoder(tensors, other).node(parts[0])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, RuntimeError) as error:
        raise WireError(f"malformed frame: {type(error).__name__}: {error}"[:300]) from error


def _parse_integer(digits: str) -> int:
    value = int(digits)
    if value.bit_length() > MAX_BITS:
        raise ValueError("an integer of too many bits")
    return value


_json_decoder = json.JSONDecoder(parse_int=_parse_integer)
_json_encoder = json.JSONEncoder(separators=(",", ":"))


def _parse(header: bytes) -> Any:
    text = header.decode()  # json itself would let other encodings and lone surrogates through
    parts = _json_decoder.decode(text)
    if "\\u" in text:
        json.dumps(parts, ensure_ascii=False).encode()  # UnicodeEncodeError for a lone surrogate
    return parts


def _storages(sizes: Any, body: bytearray) -> list[torch.Tensor]:
    if not isinstance(sizes, list) or len(sizes) > MAX_TENSORS:
        raise ValueError("storages")
    found, start = [], 0
    for size in sizes:
        if type(size) is not int or not 0 < size <= len(body) - start:
            raise ValueError("a storage lies outside the body")
        raw = torch.frombuffer(body, dtype=torch.uint8, count=size, offset=start)
        found.append(raw.clone() if size < COPY_BELOW else raw)
        start += _padded(size)
    if start != len(body):
        raise ValueError("the body has bytes that no tensor claims")
    return found


def _tensors(described: Any, storages: list[torch.Tensor], trusted: bool) -> list[torch.Tensor]:
    if not isinstance(described, list) or len(described) > MAX_TENSORS:
        raise ValueError("tensors")
    tensors, used = [], set()
    for entry in described:
        number, name, shape, stride, offset = entry
        dtype = DTYPES[name]
        for numbers in (shape, stride):
            if not isinstance(numbers, list) or len(numbers) > MAX_DIMENSIONS:
                raise ValueError("shape")
            if any(type(n) is not int or not 0 <= n <= MAX_EXTENT for n in numbers):
                raise ValueError("shape")
        if len(shape) != len(stride) or type(offset) is not int or offset < 0 or type(number) is not int:
            raise ValueError("stride")
        if 0 in shape:
            if number != -1:
                raise ValueError("an empty tensor with a storage")
            tensors.append(torch.empty(shape, dtype=dtype))
            continue
        if not 0 <= number < len(storages) or (number in used and not trusted):
            raise ValueError("storage")
        used.add(number)
        _check_extent(storages[number], dtype, shape, stride, offset, trusted)
        typed = torch.empty(0, dtype=dtype)
        tensors.append(typed.set_(storages[number].untyped_storage(), offset, tuple(shape), tuple(stride)))
    if len(used) != len(storages):
        raise ValueError("a storage that no tensor uses")
    return tensors


def _check_extent(
    raw: torch.Tensor, dtype: torch.dtype, shape: list[int], stride: list[int], offset: int, trusted: bool
) -> None:
    if not trusted:
        dense = []
        step = 1
        for size in reversed(shape):
            dense.append(step)
            step *= size
        if offset != 0 or step * dtype.itemsize != raw.numel():
            raise ValueError(f"a tensor of {dtype} {shape} in {raw.numel()} bytes")
        if any(a != b for a, b, size in zip(stride, reversed(dense), shape, strict=True) if size > 1):
            raise ValueError("a tensor that is not contiguous")
        stride[:] = reversed(dense)
        if dtype is torch.bool and int(raw.max()) > 1:
            raise ValueError("a bool that is neither 0 nor 1")
        return
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    if (last + 1) * dtype.itemsize > raw.numel():
        raise ValueError("a tensor reaches beyond its storage")


class _Decoder:
    def __init__(self, tensors: list[torch.Tensor], other: Callable[[str, Any, Node], Any] | None):
        self.tensors, self.other, self.left, self.pairs = tensors, other, MAX_NODES, MAX_PAIRS

    def node(self, value: Any, depth: int = 0) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise ValueError("the tree is too deep or too large")
        kind = type(value)
        if kind is list:
            return [self.node(item, depth + 1) for item in value]
        if kind is not dict:
            return value
        ((key, content),) = value.items()
        if key in ("$u", "$i", "$s", "$z", "$d") and not isinstance(content, list):
            raise ValueError(key)
        match key:
            case "$t":
                if type(content) is not int or not 0 <= content < len(self.tensors):
                    raise ValueError("no such tensor")
                return self.tensors[content]
            case "$u":
                return tuple(self.node(item, depth + 1) for item in content)
            case "$d":
                self.pairs -= len(content)
                if self.pairs < 0:
                    raise ValueError("dicts that are too large")
                return dict(self._pair(pair, depth + 1) for pair in content)
            case "$f":
                return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[content]
            case "$z":
                real, imaginary = (self.node(part, depth + 1) for part in content)
                return complex(real, imaginary)
            case "$s":
                start, stop, step = (self.node(part, depth + 1) for part in content)
                return slice(start, stop, step)
            case "$e":
                return Ellipsis
            case "$y":
                return DTYPES[content]
            case "$i":
                items = [self.node(item, depth + 1) for item in content]
                return (item for item in items)
        if self.other is None:
            raise ValueError(f"unknown marker {key[:20]!r}")
        return self.other(key, content, lambda inner: self.node(inner, depth + 1))

    def _pair(self, pair: Any, depth: int) -> tuple[Any, Any]:
        key, value = pair
        found = self.node(key, depth)
        hash(found)  # TypeError, so WireError, for a key that is a list
        return found, self.node(value, depth)


def read_frame(read_into: Callable[[memoryview], int], max_body: int = MAX_BODY) -> tuple[bytes, bytearray] | None:
    """Read one frame; None when the other side closed the channel between frames.

    Args:
        read_into: fills as much of a buffer as there is, blocks until there is something, returns how much; 0 at the
            end of the stream.
        max_body: the largest body that is acceptable here, bytes.

    Raises:
        WireError: bad magic, a length above its limit, or a stream that ends inside a frame.
    """
    prefix = _read(read_into, PREFIX.size, optional=True)
    if not prefix:
        return None
    magic, header_size, body_size = PREFIX.unpack(prefix)
    if magic != MAGIC or header_size > MAX_HEADER or body_size > max_body:
        raise WireError("a frame with a wrong prefix")
    return bytes(_read(read_into, header_size)), _read(read_into, body_size)


def _read(read_into: Callable[[memoryview], int], size: int, optional: bool = False) -> bytearray:
    # The buffer at most doubles what really came: a claim of a gigabyte with nothing behind it costs 64 KB.
    buffer, got = bytearray(min(size, 1 << 16)), 0
    while got < size:
        if got == len(buffer):
            buffer.extend(bytes(min(size - got, got)))
        with memoryview(buffer) as whole, whole[got:] as free:
            count = read_into(free)
        if count == 0:
            if optional and got == 0:
                return bytearray()
            raise WireError("the stream ended inside a frame")
        got += count
    return buffer
