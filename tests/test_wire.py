"""The wire: what crosses arrives as it was, and nothing that a worker can say harms the grader.

The second half lets workers lie, at the level of bytes, of frames and of whole replies. Whatever they say,
the grader meets a value, a `RemoteError` or a `WireError`, and nothing else.
"""

from __future__ import annotations

import io
import itertools
import json
import math
import random
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import transports, wire
from autograder.errors import AutograderError, CannotCross, RemoteError, WireError, WorkerCrashed, WorkerLost
from autograder.subject import RemoteSubject, Session

FLOATING = [dtype for dtype in wire.NAMES if dtype.is_floating_point or dtype.is_complex]
QUICK = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def frame_of(message: Any, **options: Any) -> tuple[bytes, bytearray]:
    """A message as the header and body that arrive."""
    found = wire.read_frame(io.BytesIO(b"".join(wire.encode(message, **options))).readinto)
    assert found is not None
    return found


def down(message: Any) -> Any:
    """What the worker makes of a message of the grader's."""
    return wire.decode(*frame_of(message), trusted=True)


def up(message: Any) -> Any:
    """What the grader makes of a message of a worker's."""
    return wire.decode(*frame_of(message, contiguous=True))


def same(a: Any, b: Any) -> bool:
    """Whether two values agree in type and content; NaN equals NaN, and 0 differs from -0."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and a.tolist().__repr__() == b.tolist().__repr__()
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(b) is dict and same(list(a.items()), list(b.items()))
    return type(a) is type(b) and repr(a) == repr(b)


# -- round trips ---------------------------------------------------------------------------------------------

text = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-(2**255), 2**255)
scalars = st.none() | st.booleans() | integers | st.floats() | text | st.complex_numbers() | st.just(...)
scalars |= st.sampled_from(list(wire.NAMES)) | st.slices(5)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(text | st.integers() | st.tuples(st.integers(), text), inner, max_size=4)
    ),
    max_leaves=20,
)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    """A tensor of any dtype and up to four dimensions: plain, a view, transposed, expanded or overlapping."""
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    count = math.prod(shape)
    raw = torch.randint(-3, 4, (2 * count + 3,), generator=torch.Generator().manual_seed(count))
    base = raw.to(draw(st.sampled_from(list(wire.NAMES))))
    plain = base[draw(st.integers(0, 3)) :][:count].view(shape)
    match draw(st.sampled_from(["plain", "every other", "transposed", "expanded", "overlapping"])):
        case "every other":
            return base[: 2 * count : 2].view(shape)
        case "transposed":
            return plain.permute(list(reversed(range(len(shape)))))
        case "expanded":
            return plain.unsqueeze(0).expand(3, *shape)
        case "overlapping" if count > 2:
            return base.as_strided((3, 2), (1, 1))
    return plain


@QUICK
@given(message=values)
def test_plain_values_arrive_as_they_were(message):
    """Nested containers, big integers, non-finite floats, complex numbers and slices cross both ways."""
    assert same(down(message), message)
    assert same(up(message), message)


@QUICK
@given(given_tensors=st.lists(tensors(), max_size=4))
def test_tensors_arrive_exactly(given_tensors):
    """Every dtype, shape and stride: downwards with its strides, upwards contiguous; content always."""
    arrived = down(given_tensors)
    assert same(arrived, given_tensors)
    assert [t.stride() for t in arrived if t.numel()] == [t.stride() for t in given_tensors if t.numel()]
    arrived = up(given_tensors)
    assert same(arrived, given_tensors)
    assert all(t.is_contiguous() and type(t) is torch.Tensor for t in arrived)


def test_storage_is_shared_downwards_and_never_upwards():
    """Tensors that share memory here do so in the worker; what comes up is alone."""
    base = torch.arange(12.0)
    message = [base.view(3, 4), base[2:5], base[::2]]
    whole, part, _ = down(message)
    part.zero_()
    assert whole.flatten()[2:5].tolist() == [0, 0, 0]
    whole, part, _ = up(message)
    part.zero_()
    assert whole.flatten()[2:5].tolist() == [2, 3, 4]


def test_only_the_bytes_in_use_are_sent():
    """A small view of a large tensor costs what the view needs, rounded up."""
    view = torch.zeros(1 << 20)[5000:5004]
    assert sum(len(buffer) for buffer in wire.encode(view)) < 500


def test_one_tensor_twice_is_one_tensor():
    """The same tensor at two places is the same object after it crossed."""
    x = torch.ones(2)
    first, second = down([x, x])
    assert first is second


@pytest.mark.parametrize("value", [2.0**1023, 5e-324, -0.0, math.inf, -math.inf, math.nan, 2**255, -(2**255), True, 1])
def test_numbers_keep_type_and_value(value):
    """Every float and every integer of up to 256 bits arrives exactly."""
    assert same(up(value), value)


def test_conjugated_and_negated_views_arrive_resolved():
    """Lazy conjugation and negation are carried out before bytes are taken."""
    z = torch.tensor([1 + 2j, 3 - 4j])
    assert torch.equal(up(z.conj()), torch.tensor([1 - 2j, 3 + 4j]))
    assert torch.equal(down(z.conj().imag), torch.tensor([-2.0, 4.0]))


def test_subclasses_arrive_as_exact_tensors():
    """A Parameter, or any subclass, arrives as a plain torch.Tensor without a graph."""
    arrived = up(torch.nn.Parameter(torch.ones(2)) * 2)
    assert (type(arrived), arrived.requires_grad) == (torch.Tensor, False)


def test_a_lone_surrogate_becomes_a_question_mark():
    """A text that has no UTF-8 crosses as one that has."""
    assert up(["a\ud800b", {"\udfff": 1}]) == ["a?b", {"?": 1}]


def test_an_iterator_arrives_as_a_generator():
    """Iterators are used up here and arrive as generators; an endless one is refused."""
    assert list(down(x * x for x in range(4))) == [0, 1, 4, 9]
    assert list(down({"a": 1}.items())) == [("a", 1)]
    with pytest.raises(CannotCross, match="list"):
        wire.encode(itertools.count())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "builtins.object"),
        ({1, 2}, "support code"),
        (2**300, "301 bits"),
        (torch.eye(2).to_sparse(), "dense"),
        (torch.empty(2, device="meta"), "meta"),
        (torch.empty(2, dtype=torch.float8_e5m2), "float8"),
        (list(range(wire.MAX_NODES)), "too large"),
    ],
    ids=["object", "set", "huge-int", "sparse", "meta", "float8", "many"],
)
def test_what_cannot_cross_says_so(value, words):
    """A value without a representation raises CannotCross, and the text names it."""
    with pytest.raises(CannotCross, match=words):
        wire.encode(value)


def test_a_value_that_holds_itself_cannot_cross():
    """A cycle ends in CannotCross, not in a stack overflow."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(CannotCross):
        wire.encode(loop)


def test_a_closed_channel_is_no_frame():
    """The end of the stream between frames is the other side's goodbye."""
    assert wire.read_frame(io.BytesIO(b"").readinto) is None


# -- frames of a worker's that are wrong ---------------------------------------------------------------------


def header(tree: Any, described: Any = (), sizes: Any = ()) -> bytes:
    """The JSON header of a frame made by hand."""
    return json.dumps([tree, described, sizes]).encode()


T = {"$t": 0}
FLOAT = ["float32", [2], [1]]
BAD_TENSORS = {
    "strides": ([[0, "float32", [2, 2], [1, 2], 0]], [16], 64),
    "offset": ([[0, "float32", [2], [1], 1]], [8], 64),
    "negative-offset": ([[0, "float32", [2], [1], -1]], [8], 64),
    "expanded": ([[0, "float32", [1000], [0], 0]], [4], 64),
    "short": ([[0, "float32", [3], [1], 0]], [8], 64),
    "long": ([[0, "float32", [1], [1], 0]], [8], 64),
    "storage-twice": ([[0, *FLOAT, 0], [0, *FLOAT, 0]], [8], 64),
    "unused-storage": ([], [8], 64),
    "unknown-storage": ([[1, *FLOAT, 0]], [8], 64),
    "negative-storage": ([[-2, *FLOAT, 0]], [8], 64),
    "true-storage": ([[True, *FLOAT, 0]], [8, 8], 128),
    "empty-storage": ([[0, "float32", [0], [1], 0]], [0], 0),
    "empty-with-storage": ([[0, "float32", [0], [1], 0]], [8], 64),
    "unknown-dtype": ([[0, "float8", [2], [1], 0]], [8], 64),
    "dtype-list": ([[0, ["float32"], [2], [1], 0]], [8], 64),
    "object-dtype": ([[0, "object", [1], [1], 0]], [8], 64),
    "negative-shape": ([[0, "float32", [-2], [1], 0]], [8], 64),
    "float-shape": ([[0, "float32", [2.0], [1], 0]], [8], 64),
    "true-shape": ([[0, "float32", [True], [1], 0]], [4], 64),
    "huge-shape": ([[-1, "float32", [0, 1 << 41], [1, 1], 0]], [], 0),
    "overflowing-shape": ([[-1, "float64", [1 << 40] * 31 + [0], [1] * 32, 0]], [], 0),
    "many-dimensions": ([[0, "float32", [1] * 33, [1] * 33, 0]], [4], 64),
    "shape-text": ([[0, "float32", "2", "1", 0]], [8], 64),
    "no-stride": ([[0, "float32", [2], [], 0]], [8], 64),
    "bool-of-2": ([[0, "bool", [64], [1], 0]], [64], 64),
    "short-entry": ([[0, "float32", [2]]], [8], 64),
    "entry-null": ([None], [8], 64),
    "entry-object": ([{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}], [8], 64),
    "described-object": ({"0": 1}, [8], 64),
    "sizes-object": ([[0, *FLOAT, 0]], {"0": 8}, 64),
    "size-beyond-body": ([[0, *FLOAT, 0]], [65], 64),
    "negative-size": ([[0, *FLOAT, 0]], [-8], 64),
    "float-size": ([[0, *FLOAT, 0]], [8.0], 64),
    "surplus-bytes": ([[0, *FLOAT, 0]], [8], 128),
    "missing-bytes": ([[0, *FLOAT, 0]], [8], 0),
}


@pytest.mark.parametrize("name", BAD_TENSORS)
def test_a_lying_tensor_is_refused(name):
    """Whatever a tensor's description says that its bytes do not bear out is a WireError."""
    described, sizes, body = BAD_TENSORS[name]
    with pytest.raises(WireError):
        wire.decode(header(T if described else 0, described, sizes), bytearray(b"\2" * body))


def test_what_only_the_grader_may_say():
    """Strides, offsets and shared storages are right downwards and wrong upwards; lies are wrong in both."""
    for name in ("strides", "storage-twice", "expanded"):
        described, sizes, body = BAD_TENSORS[name]
        wire.decode(header(T, described, sizes), bytearray(body), trusted=True)
    for name in ("short", "unknown-storage", "negative-storage", "negative-shape", "surplus-bytes"):
        described, sizes, body = BAD_TENSORS[name]
        with pytest.raises(WireError):
            wire.decode(header(T, described, sizes), bytearray(body), trusted=True)


BAD_HEADERS = {
    "empty": b"",
    "not-json": b"hello",
    "not-utf-8": b'["\xff", [], []]',
    "utf-16": '["a", [], []]'.encode("utf-16"),
    "raw-surrogate": b'["\xed\xa0\x80", [], []]',
    "escaped-surrogate": b'["\\ud800", [], []]',
    "surrogate-key": b'[{"$d": [["\\udfff", 1]]}, [], []]',
    "null": b"null",
    "object": b'{"a": 1}',
    "two-parts": b"[1, []]",
    "four-parts": b"[1, [], [], []]",
    "nested-arrays": b"[" * 1_000_000,
    "nested-objects": b'{"a":' * 300_000,
    "nested-tree": b"[" + b"[" * 60 + b"]" * 60 + b", [], []]",
    "digits": b"[" + b"9" * 100_000 + b", [], []]",
    "huge-int": b"[" + b"9" * 100 + b", [], []]",
    "empty-object": header({}),
    "two-keys": header({"$u": [], "$t": 0}),
    "unknown-marker": header({"$x": 1}),
    "no-such-tensor": header({"$t": 0}),
    "negative-tensor": header({"$t": -1}),
    "true-tensor": header({"$t": True}),
    "tuple-of-text": header({"$u": "abc"}),
    "dict-of-text": header({"$d": "ab"}),
    "dict-triple": header({"$d": [[1, 2, 3]]}),
    "list-key": header({"$d": [[[1], 2]]}),
    "slice-key": header({"$d": [[{"$d": []}, 2]]}),
    "short-slice": header({"$s": [1, 2]}),
    "text-float": header({"$f": "1.5"}),
    "list-float": header({"$f": []}),
    "complex-text": header({"$z": ["1", 2]}),
    "complex-tuple": header({"$z": [{"$u": []}, 2]}),
    "unknown-dtype": header({"$y": "object"}),
    "list-dtype": header({"$y": []}),
    "iterator-null": header({"$i": None}),
    "many-nodes": header([0] * (wire.MAX_NODES + 1)),
}


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_a_malformed_header_is_refused(name):
    """Whatever a header says that has no meaning is a WireError with a short text."""
    with pytest.raises(WireError) as caught:
        wire.decode(BAD_HEADERS[name], bytearray())
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    "stream",
    [
        b"x",
        b"AGW1",
        wire.PREFIX.pack(b"AGW2", 2, 0) + b"[]",
        wire.PREFIX.pack(wire.MAGIC, wire.MAX_HEADER + 1, 0),
        wire.PREFIX.pack(wire.MAGIC, 2, 1001) + b"[]" + bytes(1001),
        wire.PREFIX.pack(wire.MAGIC, 2, 2**64 - 1) + b"[]",
        wire.PREFIX.pack(wire.MAGIC, 3, 0) + b"[]",
        wire.PREFIX.pack(wire.MAGIC, 2, 9) + b"[]" + bytes(8),
    ],
    ids=["short", "magic-only", "magic", "header", "body", "2**64", "truncated-header", "truncated-body"],
)
def test_a_wrong_prefix_or_end_is_refused(stream):
    """A prefix beyond the limits, or a stream that ends inside a frame, is a WireError."""
    with pytest.raises(WireError):
        wire.read_frame(io.BytesIO(stream).readinto, max_body=1000)


@pytest.mark.parametrize("arrived", [0, 1000, 1 << 20])
def test_memory_grows_only_with_what_came(arrived):
    """A claim of a gigabyte with little behind it costs little."""
    stream = io.BytesIO(wire.PREFIX.pack(wire.MAGIC, 2, wire.MAX_BODY) + b"[]" + bytes(arrived))
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="ended inside"):
            wire.read_frame(stream.readinto)
        assert tracemalloc.get_traced_memory()[1] < (1 << 18) + 5 * arrived
    finally:
        tracemalloc.stop()


def test_a_frame_may_come_in_pieces():
    """A stream that gives one byte at a time gives the same frame."""
    whole = io.BytesIO(b"".join(wire.encode(["text", torch.arange(5)])))
    frame = wire.read_frame(lambda free: whole.readinto(free[:1]))
    assert frame is not None
    assert same(wire.decode(*frame), ["text", torch.arange(5)])


def corpus() -> list[tuple[bytes, bytearray]]:
    """Well-formed frames to start from."""
    messages = [
        [1, "two", None, 3.5, {"a": (1, 2)}, ..., slice(1, 2), torch.float32, math.inf, 2j],
        torch.arange(6.0).view(2, 3),
        [
            torch.ones(3, dtype=torch.bool),
            torch.zeros(0, 4),
            torch.tensor(5),
            torch.ones(2, dtype=torch.complex64),
        ],
        {"deep": [[[[(torch.ones(1), [])]]]]},
        [torch.full((5,), i) for i in range(10)],
    ]
    return [frame_of(message, contiguous=True) for message in messages]


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Bytes with a few random faults."""
    changed = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(changed) + 1)
        match draw.randrange(5):
            case 0:
                changed[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                changed[at : at + draw.randint(1, 8)] = b""
            case 2:
                start = draw.randrange(len(changed) + 1)
                changed[at:at] = changed[start : start + draw.randint(1, 20)]
            case 3:
                tokens = [
                    b"0",
                    b"-1",
                    b"1e9",
                    b"99999999999999999999",
                    b"null",
                    b"[]",
                    b"{}",
                    b'"$t"',
                    b'"bool"',
                    b",",
                ]
                changed[at : at + draw.randint(0, 3)] = draw.choice(tokens)
            case 4:
                del changed[at:]
    return bytes(changed)


def test_random_faults_are_wire_errors():
    """Thousands of damaged frames give a value or a WireError, and nothing else."""
    draw, frames = random.Random(0), corpus()
    refused = 0
    for _ in range(4000):
        head, body = draw.choice(frames)
        stream = wire.PREFIX.pack(wire.MAGIC, len(head), len(body)) + head + body
        try:
            match draw.randrange(3):
                case 0:
                    frame = wire.read_frame(io.BytesIO(mutated(stream, draw)).readinto, max_body=1 << 20)
                    if frame is not None:
                        wire.decode(*frame)
                case 1:
                    wire.decode(mutated(head, draw), bytearray(body))
                case 2:
                    wire.decode(head, bytearray(mutated(bytes(body), draw)))
        except WireError:
            refused += 1
    assert refused > 2000


@QUICK
@given(data=st.binary(max_size=200))
def test_noise_is_a_wire_error(data):
    """Random bytes are no frame, whether with the right prefix or without."""
    for stream in (data, wire.PREFIX.pack(wire.MAGIC, len(data), 0) + data):
        with pytest.raises(WireError):
            if (frame := wire.read_frame(io.BytesIO(stream).readinto)) is None:
                raise WireError("nothing came")
            wire.decode(*frame)


# -- workers that lie ----------------------------------------------------------------------------------------

STUDENT = """
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2, 3))
        self.bias = torch.nn.Parameter(torch.zeros(3))
        self.register_buffer("mean", torch.zeros(3))
        self.inner = torch.nn.Linear(3, 3)
    def forward(self, X):
        return self.inner(X @ self.weight + self.bias)
    def grow(self):
        self.extra = torch.nn.Parameter(torch.ones(2))
class Thing:
    size = 3
    def __len__(self):
        return 2
def double(X):
    return 2 * X
def zero(X):
    X.zero_()
    X.grad = torch.ones_like(X)
    return X
def bump(net):
    net.weight.data += 1
def fail():
    raise ValueError("no")
def several(X):
    return {"a": (X * 2, 1), "b": [X.sum(), Thing()]}
"""

Reply = list[Any]  # nonce, error, value, inputs, sync, modules, graph: as JSON
Lie = Callable[[Reply], Any]


class Liar:
    """A transport to a worker that computes honestly and says what `lie` makes of the reply."""

    def __init__(self) -> None:
        self.honest = transports.InProcess()
        self.lie: Callable[[Any, list[Any], list[Any]], Any] | None = None
        self.told = 0
        self.losses: list[WireError] = []

    def exchange(self, request: list[Any], max_body: int) -> tuple[bytes, bytearray]:
        """Answer; a runtime that cannot make sense of a request is a worker that died."""
        self.told += 1
        if self.losses or self.told > 300:
            raise WorkerCrashed("this worker has ended")
        try:
            head, body = self.honest.exchange(request, max_body)
        except Exception as error:
            raise WorkerCrashed(str(error)) from error
        if self.lie is None:
            return head, body
        said = self.lie(*json.loads(head))
        return (said if isinstance(said, bytes) else json.dumps(said).encode()), body

    def lost(self, error: WireError) -> None:
        """Remember why this worker was given up."""
        self.losses.append(error)


class Stage:
    """A conversation that has begun honestly: a check's input, a module, and an object of the worker's."""

    def __init__(self) -> None:
        self.liar = Liar()
        self.session = Session(self.liar)
        self.session.call("load", {"student": {"file": "s.py", "source": STUDENT, "support": None, "names": []}})
        names = ("Net", "Thing", "double", "zero", "bump", "fail", "several")
        self.hw = RemoteSubject(self.session, dict.fromkeys(names, "student"), Path())
        self.callables = {name: getattr(self.hw, name) for name in names}
        self.net, self.thing = self.callables["Net"](), self.callables["Thing"]()
        self.own = torch.nn.Parameter(torch.ones(2, 3))
        self.callables["double"](self.own)
        self.X = torch.ones(2, 3, requires_grad=True)
        self.Y = torch.zeros(3)
        self.tensor = torch.ones(4, 2)
        grow = self.net.grow
        self.actions: dict[str, Callable[[], Any]] = {
            "tensor": lambda: self.callables["double"](self.X),
            "parameter": lambda: self.callables["double"](self.own),
            "modified": lambda: self.callables["zero"](self.Y),
            "several": lambda: self.callables["several"](self.X),
            "module": lambda: self.callables["Net"](),
            "grown": lambda: grow(),
            "forward": lambda: self.net(self.tensor),
            "synced": lambda: self.callables["bump"](self.net),
            "handle": lambda: self.callables["Thing"](),
            "number": lambda: len(self.thing),
            "error": lambda: self.callables["fail"](),
            "backward": lambda: torch.autograd.grad(self.net(self.tensor).sum(), list(self.net.parameters())),
        }

    def tell(self, lie: Lie, action: str, *, at: int = 1) -> Any:
        """Do something whose `at`-th reply is replaced by a lie about its tree."""
        start = self.liar.told

        def changed(tree: Any, described: list[Any], sizes: list[Any]) -> Any:
            return [lie(tree), described, sizes] if self.liar.told - start == at else [tree, described, sizes]

        self.liar.lie = changed
        return self.actions[action]()

    def close(self) -> None:
        """Forget the student's modules."""
        self.liar.honest.close()


@pytest.fixture
def stage():
    """A conversation with a worker that may begin to lie."""
    begun = Stage()
    yield begun
    begun.close()


def put(*path: Any, to: Any) -> Lie:
    """A lie: another content at one place of the reply; a function is applied to what is there."""

    def lie(reply: Reply) -> Any:
        place: Any = reply
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to(place[path[-1]]) if callable(to) else to
        return reply

    return lie


NONCE, ERROR, VALUE, INPUTS, SYNC, MODULES, GRAPH = range(7)
DESCRIPTION = (VALUE, "$m", 1)  # [name, is_list, training, parameters, buffers, modules]
WEIGHT = (*DESCRIPTION, 3, 0)  # [name, {"$p": [number, parameter, raw, requires_grad, grad]}]
LIES: dict[str, tuple[str, Lie]] = {
    "nonce": ("tensor", put(NONCE, to="0" * 16)),
    "nonce-number": ("tensor", put(NONCE, to=5)),
    "nonce-tensor": ("tensor", put(NONCE, to={"$t": 0})),
    "null": ("tensor", lambda reply: None),
    "text": ("tensor", lambda reply: "1234567"),
    "number": ("tensor", lambda reply: 7),
    "dict": ("tensor", lambda reply: {"$d": [[i, part] for i, part in enumerate(reply)]}),
    "short": ("tensor", lambda reply: reply[:6]),
    "long": ("tensor", lambda reply: [*reply, None]),
    "an-object-for-a-reply": ("tensor", lambda reply: {"$h": [99, "list"]}),
    "marker": ("tensor", put(VALUE, to={"$q": 1})),
    "pickle": ("tensor", put(VALUE, to={"$pickle": "gASVAA=="})),
    "down-marker": ("tensor", put(VALUE, to={"$x": [{"$t": 0}, True, True, None]})),
    "output-index-list": ("tensor", put(VALUE, "$o", 0, to=[])),
    "output-no-tensor": ("tensor", put(VALUE, "$o", 1, to=5)),
    "output-of-three": ("tensor", put(VALUE, "$o", to=[0, {"$t": 0}, 1])),
    "argument-unknown": ("tensor", put(VALUE, to={"$a": 1})),
    "argument-negative": ("tensor", put(VALUE, to={"$a": -1})),
    "argument-text": ("tensor", put(VALUE, to={"$a": "0"})),
    "argument-true": ("tensor", put(VALUE, to={"$a": False})),
    "handle-text": ("handle", put(VALUE, "$h", 0, to="1")),
    "handle-list": ("handle", put(VALUE, "$h", 0, to=[1])),
    "handle-float": ("handle", put(VALUE, "$h", 0, to=1.5)),
    "handle-huge": ("handle", put(VALUE, "$h", 0, to=2**300)),
    "handle-alone": ("handle", put(VALUE, "$h", to=[77])),
    "handle-number": ("handle", put(VALUE, "$h", to=77)),
    "handle-surrogate": ("handle", put(VALUE, "$h", 1, to="\ud800")),
    "twin-unknown": ("tensor", put(VALUE, to={"$p": [12345]})),
    "twin-list": ("tensor", put(VALUE, to={"$p": [[]]})),
    "twin-empty": ("tensor", put(VALUE, to={"$p": []})),
    "twin-null": ("tensor", put(VALUE, to={"$p": None})),
    "twin-short": ("tensor", put(VALUE, to={"$p": [12345, True]})),
    "twin-no-tensor": ("tensor", put(VALUE, to={"$p": [12345, True, 5, True, None]})),
    "twin-of-nothing": ("tensor", put(VALUE, to={"$p": [12345, False, None, False, None]})),
    "twin-in-use": ("tensor", put(VALUE, to={"$p": [-1, True, {"$t": 0}, True, None]})),
    "twin-text": ("tensor", put(VALUE, to={"$p": ["1", True, {"$t": 0}, True, None]})),
    "twin-huge": ("tensor", put(VALUE, to={"$p": [2**300, True, {"$t": 0}, True, None]})),
    "twin-own-grad": ("tensor", put(VALUE, to={"$p": [12345, False, {"$t": 0}, True, {"$t": 0}]})),
    "twin-grad-number": ("module", put(*WEIGHT, 1, "$p", 4, to=5)),
    "twin-grad-shape": ("module", put(*WEIGHT, 1, "$p", 4, to={"$t": 1})),
    "twin-grad-none": ("module", put(*WEIGHT, 1, "$p", 4, to={"$u": []})),
    "module-unknown": ("handle", put(VALUE, to={"$m": [4321]})),
    "module-list": ("handle", put(VALUE, to={"$m": [[]]})),
    "module-empty": ("handle", put(VALUE, to={"$m": []})),
    "module-text": ("module", put(VALUE, "$m", 0, to="1")),
    "module-huge": ("module", put(VALUE, "$m", 0, to=2**300)),
    "description-null": ("module", put(*DESCRIPTION, to=None)),
    "description-short": ("module", put(*DESCRIPTION, to=["Net"])),
    "description-long": ("module", put(*DESCRIPTION, to=lambda d: [*d, 1])),
    "description-object": ("module", put(*DESCRIPTION, to={"$h": [99, "x"]})),
    "description-in-modules": ("grown", put(MODULES, 0, 1, to=["Net", False])),
    "description-of-nothing": ("grown", put(MODULES, to=[[1]])),
    "modules-null": ("tensor", put(MODULES, to=None)),
    "modules-handle-list": ("grown", put(MODULES, 0, 0, to=[])),
    "dotted-parameter": ("module", put(*WEIGHT, 0, to="inner.weight")),
    "dotted-buffer": ("module", put(*DESCRIPTION, 4, 0, 0, to="a.b")),
    "dotted-module": ("module", put(*DESCRIPTION, 5, 0, 0, to="a.b")),
    "long-name": ("module", put(*WEIGHT, 0, to="w" * 1000)),
    "number-name": ("module", put(*WEIGHT, 0, to=5)),
    "null-name": ("module", put(*WEIGHT, 0, to=None)),
    "tensor-as-parameter": ("module", put(*WEIGHT, 1, "$p", 1, to=False)),
    "number-as-parameter": ("module", put(*WEIGHT, 1, to=1)),
    "object-as-parameter": ("module", put(*WEIGHT, 1, to={"$h": [99, "Parameter"]})),
    "module-as-parameter": ("module", put(*WEIGHT, 1, to={"$m": [4]})),
    "text-as-buffer": ("module", put(*DESCRIPTION, 4, 0, 1, to="mean")),
    "object-as-module": ("module", put(*DESCRIPTION, 5, 0, 1, to={"$h": [99, "Linear"]})),
    "parameter-as-module": ("module", put(*DESCRIPTION, 5, 0, 1, to={"$p": [-1]})),
    "parameters-null": ("module", put(*DESCRIPTION, 3, to=None)),
    "parameters-text": ("module", put(*DESCRIPTION, 3, to="ab")),
    "parameters-triple": ("module", put(*DESCRIPTION, 3, 0, to=["a", None, None])),
    "parameters-dict": ("module", put(*DESCRIPTION, 3, to={"$d": [["ab", 5]]})),
    "training-tensor": ("module", put(*DESCRIPTION, 2, to={"$t": 0})),
    "inputs-null": ("tensor", put(INPUTS, to=None)),
    "inputs-tensor": ("tensor", put(INPUTS, to={"$t": 0})),
    "inputs-unknown": ("tensor", put(INPUTS, to=[[1, {"$d": []}]])),
    "inputs-negative": ("tensor", put(INPUTS, to=[[-1, {"$d": []}]])),
    "inputs-true": ("tensor", put(INPUTS, to=[[False, {"$d": []}]])),
    "inputs-no-dict": ("tensor", put(INPUTS, to=[[0, []]])),
    "change-unknown": ("tensor", put(INPUTS, to=[[0, {"$d": [["shape", 1]]}]])),
    "change-key-number": ("tensor", put(INPUTS, to=[[0, {"$d": [[5, 1]]}]])),
    "change-data-null": ("tensor", put(INPUTS, to=[[0, {"$d": [["data", [True, None]]]}]])),
    "change-data-number": ("tensor", put(INPUTS, to=[[0, {"$d": [["data", [True, 5]]]}]])),
    "change-data-bare": ("tensor", put(INPUTS, to=[[0, {"$d": [["data", {"$t": 0}]]}]])),
    "change-data-flag": ("tensor", put(INPUTS, to=[[0, {"$d": [["data", [1, {"$t": 0}]]]}]])),
    "change-data-object": (
        "tensor",
        put(INPUTS, to=[[0, {"$d": [["data", [True, {"$h": [99, "Tensor"]}]]]}]]),
    ),
    "change-flag-number": ("tensor", put(INPUTS, to=[[0, {"$d": [["requires_grad", 1]]}]])),
    "change-grad-number": ("tensor", put(INPUTS, to=[[0, {"$d": [["grad", [True, 5]]]}]])),
    "change-grad-itself": ("tensor", put(INPUTS, to=[[0, {"$d": [["grad", [True, {"$a": 0}]]]}]])),
    "change-grad-shape": ("forward", put(INPUTS, to=[[0, {"$d": [["grad", [True, {"$t": 0}]]]}]])),
    "sync-null": ("tensor", put(SYNC, to=None)),
    "sync-unknown": ("tensor", put(SYNC, to=[[999, {"$d": []}]])),
    "sync-list": ("tensor", put(SYNC, to=[[[], {"$d": []}]])),
    "sync-text": ("synced", put(SYNC, 0, 0, to="1")),
    "sync-nothing": ("synced", put(SYNC, 0, 1, to=None)),
    "sync-no-tensor": ("synced", put(SYNC, 0, 1, to={"$d": [["data", [False, "1"]]]})),
    "graph-text": ("tensor", put(GRAPH, to="abc")),
    "graph-number": ("tensor", put(GRAPH, to=5)),
    "graph-short": ("tensor", put(GRAPH, to=[1, [0]])),
    "graph-number-text": ("tensor", put(GRAPH, 0, to="1")),
    "graph-number-huge": ("tensor", put(GRAPH, 0, to=2**300)),
    "graph-unknown-output": ("tensor", put(GRAPH, 1, to=[7])),
    "graph-output-list": ("tensor", put(GRAPH, 1, to=[[]])),
    "graph-outputs-null": ("tensor", put(GRAPH, 1, to=None)),
    "graph-leaves-null": ("tensor", put(GRAPH, 2, to=None)),
    "graph-leaf-text": ("tensor", put(GRAPH, 2, to=["a0"])),
    "graph-leaf-unknown": ("tensor", put(GRAPH, 2, to=[["a", 5]])),
    "graph-leaf-negative": ("tensor", put(GRAPH, 2, to=[["a", -1]])),
    "graph-leaf-kind": ("tensor", put(GRAPH, 2, to=[["q", 0]])),
    "graph-leaf-twin": ("tensor", put(GRAPH, 2, to=[["p", 999]])),
    "graph-leaf-list": ("tensor", put(GRAPH, 2, to=[[[], []]])),
    "graph-leaf-long": ("tensor", put(GRAPH, 2, to=[["a", 0, 0]])),
    "error-text": ("error", put(ERROR, to="ValueError")),
    "error-short": ("error", put(ERROR, to=["ValueError", "no"])),
    "error-name": ("error", put(ERROR, 0, to=None)),
    "error-message": ("error", put(ERROR, 1, to=["no"])),
    "error-frames": ("error", put(ERROR, 2, to=None)),
    "error-frame": ("error", put(ERROR, 2, to=[["s.py", 1]])),
    "error-frame-line": ("error", put(ERROR, 2, to=[["s.py", "1", "f", "x"]])),
    "error-frame-file": ("error", put(ERROR, 2, to=[[1, 1, "f", "x"]])),
    "error-many-frames": ("error", put(ERROR, 2, to=[["s.py", 1, "f", "x"]] * 65)),
    "error-false": ("error", put(ERROR, to=False)),
    "error-tensor": ("tensor", put(ERROR, to={"$t": 0})),
}


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("name", LIES)
def test_a_lie_ends_the_worker(stage, name):
    """A reply that cannot be is a WireError with a short text, and the worker is given up."""
    action, lie = LIES[name]
    with pytest.raises(WireError) as caught:
        stage.tell(lie, action)
    assert len(str(caught.value)) <= 400
    assert stage.liar.losses


def test_an_object_in_the_place_of_a_module_or_reply(stage):
    """A handle that is known, but of another kind of thing, is no module and no reply."""
    thing = stage.thing._handle
    with pytest.raises(WireError):
        stage.tell(put(VALUE, "$m", 0, to=thing), "module")
    other = Stage()
    with pytest.raises((WorkerLost, RemoteError)):  # it is asked for its items
        other.tell(lambda reply: {"$h": [thing, "list"]}, "tensor")
    other.close()


GRADIENTS: dict[str, Callable[[list[Any]], Any]] = {
    "shape": lambda grads: [{"$t": 1}, *grads[1:]],
    "short": lambda grads: grads[:-1],
    "long": lambda grads: [*grads, None],
    "number": lambda grads: [5, *grads[1:]],
    "null": lambda grads: None,
    "text": lambda grads: "abcd",
    "object": lambda grads: [{"$h": [99, "Tensor"]}, *grads[1:]],
    "one-object": lambda grads: {"$h": [99, "list"]},
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_gradient_that_cannot_be(stage, name):
    """The wrong number, shape or kind of gradients ends the worker, from within backward()."""
    with pytest.raises(WorkerLost):
        stage.tell(put(VALUE, to=GRADIENTS[name]), "backward", at=2)
    assert stage.liar.losses or "object" in name  # an object is asked for its shape, and there is none


def test_a_gradient_of_the_wrong_dtype(stage):
    """A gradient of integers for a float parameter is refused."""

    def lie(tree, described, sizes):
        for entry in described:
            entry[1] = "int32"
        return [tree, described, sizes]

    out = stage.net(stage.tensor)
    stage.liar.lie = lie
    with pytest.raises(WireError):
        torch.autograd.grad(out.sum(), stage.net.weight)


def test_a_huge_error_is_cut(stage):
    """A worker that raises a megabyte of text is told about in a few thousand characters."""
    frame = ["f" * 30_000, 10**60, "g" * 30_000, "h" * 30_000]
    with pytest.raises(RemoteError) as caught:
        stage.tell(put(ERROR, to=["N" * 50_000, "m" * 200_000, [frame] * 10]), "error")
    assert len(str(caught.value)) <= 5_000
    assert sum(len(str(part)) for frame in caught.value.frames for part in frame) < 50_000


def test_an_invented_error_is_a_remote_error(stage):
    """A worker may claim any exception type: it is built from our table, never looked up by its name."""
    for name in ("WorkerCrashed", "CannotCross", "SystemExit", "__import__", "Skipped", "GradcheckError", ""):
        with pytest.raises(RemoteError) as caught:
            stage.tell(put(ERROR, to=[name, "text", []]), "error")
        assert not isinstance(caught.value, (AutograderError, AssertionError))


def test_a_parameter_may_stand_where_a_buffer_does(stage):
    """torch allows it, so it is no lie; the module works on."""
    net = stage.tell(put(*DESCRIPTION, 4, 0, 1, to={"$p": [-1]}), "module")
    stage.liar.lie = None
    assert set(net.state_dict()) == {"weight", "bias", "mean", "inner.weight", "inner.bias"}
    assert net(torch.ones(4, 2)).shape == (4, 3)


HARMLESS: dict[str, tuple[str, Lie]] = {
    "output-is-the-input": ("tensor", put(VALUE, "$o", 1, to={"$a": 0})),
    "output-is-a-parameter": ("tensor", put(VALUE, "$o", 1, to={"$p": [-1]})),
    "output-twice": ("tensor", put(GRAPH, 1, to=[0, 0])),
    "leaf-twice": ("tensor", put(GRAPH, 2, to=[["a", 0], ["a", 0]])),
    "input-becomes-a-twin": ("tensor", put(VALUE, to={"$p": [50, False, {"$a": 0}, True, None]})),
    "twin-of-the-graders-number": ("tensor", put(VALUE, to={"$p": [-2, True, {"$t": 0}, True, None]})),
    "pairs-as-keys": ("module", put(*DESCRIPTION, 3, to={"$d": [[{"$u": ["w", {"$p": [-1]}]}, "evil"]]})),
    "module-in-itself": ("module", put(*DESCRIPTION, 5, to=[["me", {"$m": [2]}]])),
    "generator-of-parameters": ("module", put(*DESCRIPTION, 3, to={"$i": []})),
    "empty-name": ("module", put(*WEIGHT, 0, to="")),
    "own-name": ("module", put(*WEIGHT, 0, to="_session")),
    "known-object-for-a-module": ("tensor", put(VALUE, to={"$m": [3]})),
    "names-of-odd-kinds": ("handle", put(VALUE, to=[{"$h": [99, {"deep": [None] * 9}]}, {"$h": [98, None]}])),
    "endless-objects": ("number", put(VALUE, to={"$h": [99, "int"]})),
    "a-loss-of-dimensions": ("tensor", put(INPUTS, to=[[0, {"$d": [["data", [True, {"$t": 0}]]]}]])),
    "no-output": ("tensor", put(VALUE, to=None)),
    "frozen": ("tensor", put(INPUTS, to=[[0, {"$d": [["requires_grad", False]]}]])),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_lie_that_could_be_true_harms_nobody(stage, name):
    """What is not refused is a wrong answer, or an exception in the check; never an error of the engine's."""
    action, lie = HARMLESS[name]
    hear(stage, action, lie)


def test_a_surplus_object_is_released(stage):
    """Objects that a reply mentions in passing are let go with the next call."""
    stage.tell(put(VALUE, to=[{"$h": [10**6, "x"]}] * 3), "handle")
    stage.liar.lie = None
    assert stage.actions["number"]() == 2
    assert 10**6 not in stage.session.proxies


# A reply of any shape whatever, and honest replies with any one place changed.
ATOMS = st.none() | st.booleans() | st.integers(-5, 30) | st.integers() | st.floats() | st.text(max_size=5)
ATOMS |= st.sampled_from(["data", "grad", "requires_grad", "a", "p", "weight", "ValueError", "float32", "nan"])
MARKERS = st.sampled_from([f"${letter}" for letter in "tudfzseyiaophmxq"])
JSON = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(MARKERS, inner, min_size=1, max_size=1),
    max_leaves=12,
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place within a JSON value."""
    steps = range(len(tree)) if isinstance(tree, list) else list(tree) if isinstance(tree, dict) else []
    return [path, *(place for step in steps for place in places(tree[step], (*path, step)))]


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    """What is at a place."""
    for step in path:
        tree = tree[step]
    return tree


def use(value: Any, stage: Stage) -> None:
    """Do with a value what checks do with values; whatever this raises is the check's to raise."""
    if isinstance(value, torch.nn.Module):
        value.double()
        list(value.named_parameters()), value.state_dict(), list(value.modules())
        value.train(not value.training)
        value(torch.ones(4, 2))
    elif isinstance(value, torch.Tensor):
        if value.requires_grad:
            value.sum().backward()
    elif isinstance(value, dict):
        use(list(value.values()), stage)
    elif isinstance(value, (list, tuple)):
        for item in value[:3]:
            use(item, stage)
    elif callable(value):
        len(value), value.size, repr(value)


def hear(stage: Stage, action: str, lie: Lie | None = None) -> None:
    """Listen to a liar and go on with what it said: no error of ours but a lost worker may come of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of what a liar makes it do
            value = stage.actions[action]() if lie is None else stage.tell(lie, action)
    except (RemoteError, WorkerLost):
        return
    except Exception as error:  # of these two actions' own: len() of what is no number, sum() of what is no tensor
        assert action in ("number", "backward"), error
        assert not isinstance(error, AutograderError)
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            use(value, stage)
            stage.X.grad = stage.Y.grad = None
            for follow in ("tensor", "forward", "number", "synced"):
                use(stage.actions[follow](), stage)
    except AutograderError as error:
        raise AssertionError("a worker's lie became the grader's fault") from error
    except (Exception, WorkerLost):
        pass


FUZZ = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def actions_of_a_stage() -> list[str]:
    """The names of what a stage can do."""
    stage = Stage()
    stage.close()
    return list(stage.actions)


ACTIONS = actions_of_a_stage()


@FUZZ
@given(action=st.sampled_from(ACTIONS), said=JSON, nonce=st.booleans())
def test_any_reply_at_all(action, said, nonce):
    """Any JSON for a reply, even with the right nonce and length, is refused or does no harm."""
    stage = Stage()
    try:

        def lie(tree, described, sizes):
            parts = said if isinstance(said, list) else [said]
            return [[tree[NONCE], *(parts * 6)[:6]] if nonce else said, described, sizes]

        stage.liar.lie = lie
        hear(stage, action)
    finally:
        stage.close()


@FUZZ
@given(
    action=st.sampled_from(ACTIONS),
    said=JSON,
    how=st.sampled_from(["replace", "swap", "drop", "double"]),
    data=st.data(),
)
def test_any_change_to_an_honest_reply(action, said, how, data):
    """One place of an honest reply replaced, dropped, doubled or filled from elsewhere does no harm."""
    stage = Stage()
    at_reply, start = data.draw(st.integers(1, 3)), stage.liar.told
    try:

        def lie(*frame):
            if stage.liar.told - start < at_reply:
                return list(frame)
            tree = json.loads(json.dumps(list(frame)))
            path = data.draw(st.sampled_from([p for p in places(tree) if p]))
            place, step = at(tree, path[:-1]), path[-1]
            if how == "replace":
                place[step] = said
            elif how == "swap":
                place[step] = at(list(frame), data.draw(st.sampled_from(places(tree))))
            elif how == "drop":
                del place[step]
            elif isinstance(place, list):
                place.insert(step, place[step])
            return tree

        stage.liar.lie = lie
        hear(stage, action)
    finally:
        stage.close()


@pytest.mark.parametrize(
    "view",
    [
        lambda t: t[:, :2],
        lambda t: t[1:],
        lambda t: t.flatten()[1::3],
        lambda t: t[:, 1],
        lambda t: t.as_strided((3, 3), (1, 2), 3),
        lambda t: t[2:, 1:].T,
        lambda t: t[1].expand(3, 5),
    ],
    ids=["columns", "rows", "steps", "column", "overlapping", "transposed", "expanded"],
)
def test_what_lies_between_is_not_sent(view):
    """Of a storage go the entries that a tensor has; those beside them may be what a check expects."""
    table = torch.arange(1.0, 31.0).reshape(6, 5)
    sent = view(table)
    frame = b"".join(bytes(buffer) for buffer in wire.encode(sent))
    body = wire.read_frame(io.BytesIO(frame).readinto)[1]
    numbers = set(torch.frombuffer(body, dtype=torch.float32).tolist())
    assert numbers - {0.0} == set(sent.reshape(-1).tolist())
    header, body = wire.read_frame(io.BytesIO(frame).readinto)
    came = wire.decode(header, body, trusted=True)
    assert torch.equal(came, sent) and came.stride() == sent.stride()


def test_dicts_are_bounded():
    """Keys that share a hash make a dict cost the square of its length: a reply may not hold many."""
    pairs = [[n * (2**61 - 1), 0] for n in range(1, wire.MAX_PAIRS + 2)]
    header = json.dumps([{"$d": pairs}, [], []]).encode()
    with pytest.raises(WireError, match="too large"):
        wire.decode(header, bytearray())
    assert len(wire.decode(json.dumps([{"$d": pairs[1:]}, [], []]).encode(), bytearray())) == wire.MAX_PAIRS
