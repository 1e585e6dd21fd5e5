"""The proxy contract: a student's object in another process behaves like the thing, and where it cannot, it says so.

Every test runs in both isolation modes, so the modes agree by construction of the tests too.
"""

from __future__ import annotations

import copy
import gc
import io
from pathlib import Path

import pytest
import torch
from torch.autograd import gradcheck
from torch.autograd.gradcheck import GradcheckError

from autograder.config import Limits
from autograder.errors import CannotCross, RemoteError, WireError, WorkerCrashed
from autograder.subject import Session

LINEAR = """
import torch
class Linear(torch.nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(i, o))
        self.bias = torch.nn.Parameter(torch.zeros(o))
    def forward(self, X):
        return X @ self.weight + self.bias
class MatMul(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X, Y):
        ctx.save_for_backward(X, Y)
        return X @ Y
    @staticmethod
    def backward(ctx, grad):
        X, Y = ctx.saved_tensors
        return grad @ Y.T, X.T @ grad
def sgd_step(params, lr):
    for p in params:
        p.data -= lr * p.grad
"""


def doubles(*shape: int) -> torch.Tensor:
    """A leaf of doubles that requires grad."""
    return torch.randn(*shape, dtype=torch.double, requires_grad=True)


# -- gradients ---------------------------------------------------------------------------------------------------------


def test_gradcheck_works_over_inputs(start):
    """gradcheck perturbs its inputs in place and differentiates through the boundary."""
    assert gradcheck(start(LINEAR).MatMul.apply, (doubles(3, 2), doubles(2, 4)))


def test_gradcheck_finds_a_wrong_backward(start):
    """A backward that forgets a transpose fails gradcheck here as it does at home."""
    wrong = start(LINEAR.replace("X.T @ grad", "2 * X.T @ grad"))
    with pytest.raises(GradcheckError):
        gradcheck(wrong.MatMul.apply, (doubles(3, 2), doubles(2, 4)))


def test_gradcheck_works_over_parameters(start):
    """The Parameters of a proxy are leaves that gradcheck can perturb and differentiate."""
    layer = start(LINEAR).Linear(3, 2).double()
    X = torch.randn(4, 3, dtype=torch.double)
    assert gradcheck(lambda *_: layer(X), tuple(layer.parameters()))


def test_gradients_reach_inputs_and_parameters(start):
    """backward() on what a proxy returned accumulates in the check's tensors and in the mirrored Parameters."""
    layer = start(LINEAR).Linear(3, 2)
    X = torch.randn(4, 3, requires_grad=True)
    upstream = torch.randn(4, 2)
    for _ in range(2):
        layer(X).backward(upstream)
    torch.testing.assert_close(X.grad, 2 * upstream @ layer.weight.T)
    torch.testing.assert_close(layer.weight.grad, 2 * X.T @ upstream)
    torch.testing.assert_close(layer.bias.grad, 2 * upstream.sum(0))


def test_unused_parameters_get_no_gradient(start):
    """A Parameter that took no part has None for its gradient, as at home."""
    layer = start(LINEAR.replace("X @ self.weight + self.bias", "X @ self.weight")).Linear(3, 2)
    layer(torch.randn(4, 3)).sum().backward()
    assert layer.bias.grad is None
    assert layer.weight.grad is not None


def test_several_outputs(start):
    """Each output has its own gradient, and one that needs none says so."""
    hw = start("def f(X):\n    return 2 * X, (3 * X).detach(), X.argmax(), 5 * X")
    X = torch.randn(3, requires_grad=True)
    double, plain, index, five = hw.f(X)
    assert (double.requires_grad, plain.requires_grad, index.requires_grad) == (True, False, False)
    five.sum().backward(retain_graph=True)
    torch.testing.assert_close(X.grad, torch.full((3,), 5.0))
    (double.sum() + five.sum()).backward()
    torch.testing.assert_close(X.grad, torch.full((3,), 12.0))


def test_same_tensor_twice(start):
    """The same tensor passed twice is one tensor over there, and its gradient is the sum."""
    hw = start("def f(X, Y):\n    return X * Y, X is Y")
    X = torch.randn(3, requires_grad=True)
    out, same = hw.f(X, X)
    out.sum().backward()
    assert same is True
    torch.testing.assert_close(X.grad, 2 * X.detach())


def test_no_grad_holds_on_both_sides(start):
    """Under torch.no_grad() student code runs without a graph."""
    hw = start("import torch\ndef f(X):\n    return X * 2, torch.is_grad_enabled()")
    X = torch.randn(3, requires_grad=True)
    with torch.no_grad():
        out, enabled = hw.f(X)
    assert (out.requires_grad, enabled) == (False, False)


def test_chained_calls_share_one_graph(start):
    """What one proxy returned can go into another; the gradient runs back through both."""
    hw = start(LINEAR)
    first, second = hw.Linear(3, 4), hw.Linear(4, 2)
    X = torch.randn(5, 3, requires_grad=True)
    second(torch.relu(first(X))).sum().backward()
    hidden = X.detach() @ first.weight.detach() + first.bias.detach()
    expected = ((hidden > 0) * (torch.ones(5, 2) @ second.weight.detach().T)) @ first.weight.detach().T
    torch.testing.assert_close(X.grad, expected)


def test_second_derivatives_say_that_they_do_not_cross(start):
    """create_graph raises an error that names the reason, instead of a wrong zero."""
    out = start(LINEAR).MatMul.apply(X := doubles(2, 2), doubles(2, 2))
    with pytest.raises(CannotCross, match="second derivatives"):
        torch.autograd.grad(out.sum(), X, create_graph=True)


def test_graphs_are_freed(start):
    """The worker forgets a graph, and the objects behind proxies, once the check has dropped them."""
    hw = start(
        LINEAR
        + "import gc\ndef alive():\n    gc.collect()\n    return sum(type(o) is Linear for o in gc.get_objects())"
    )
    X = torch.randn(2, 3, requires_grad=True)
    layers = [hw.Linear(3, 2) for _ in range(5)]
    outs = [layer(X) for layer in layers]
    assert hw.alive() == 5
    outs.pop()
    layers.pop()
    gc.collect()
    assert hw.alive() == 4
    outs.clear()
    layers.clear()
    gc.collect()
    assert hw.alive() == 0


# -- Parameters --------------------------------------------------------------------------------------------------------


def test_parameters_train_under_an_optimizer_on_this_side(start):
    """torch.optim.SGD on the mirrored Parameters trains the student's module."""
    layer = start(LINEAR).Linear(3, 1)
    X, target = torch.randn(32, 3), torch.randn(32, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = (layer(X) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    torch.testing.assert_close(layer(X), X @ layer.weight + layer.bias)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.data.add_(1.0),
        lambda p: setattr(p, "data", p.data + 1.0),
        lambda p: p.detach().copy_(p.detach() + 1.0),
        lambda p: p.data.numpy().__iadd__(1.0),
    ],
    ids=["data-in-place", "data-replaced", "detached", "numpy"],
)
def test_changes_on_this_side_are_seen_there(start, change):
    """Idioms that leave the version counter alone are synchronised by content."""
    hw = start(LINEAR)
    layer = hw.Linear(3, 2)
    before = layer.weight.detach().clone()
    change(layer.weight)
    torch.testing.assert_close(layer(torch.eye(3)), before + 1.0 + layer.bias)


@pytest.mark.parametrize(
    "body",
    [
        "p.data -= 1",
        "p.data = p.data - 1",
        "p.detach().sub_(1)",
        "p.data.numpy()[...] -= 1",
        "with torch.no_grad():\n            p -= 1",
        "with torch.no_grad():\n            p.copy_(p - 1)",
    ],
)
def test_changes_over_there_are_seen_here(start, body):
    """The same idioms in student code change the check's Parameter."""
    hw = start(f"import torch\ndef step(params):\n    for p in params:\n        {body}\n")
    p = torch.nn.Parameter(torch.randn(3))
    before = p.detach().clone()
    hw.step([p])
    assert torch.equal(p.detach(), before - 1)


@pytest.mark.parametrize(
    ("body", "gradient"),
    [
        ("p.grad.data.zero_()", 0.0),
        ("p.grad = None", None),
        ("p.grad = torch.ones_like(p)", 1.0),
        ("p.grad *= 2", 4.0),
    ],
)
def test_gradients_changed_over_there(start, body, gradient):
    """A gradient is zeroed in place, removed, replaced or scaled: the check's Parameter has the same."""
    hw = start(f"import torch\ndef f(p):\n    {body}\n")
    p = torch.nn.Parameter(torch.randn(3))
    p.grad = torch.full((3,), 2.0)
    held = p.grad
    hw.f(p)
    assert p.grad is None if gradient is None else torch.equal(p.grad, torch.full((3,), gradient))
    if body.startswith(("p.grad.data", "p.grad *=")):
        assert p.grad is held


def test_nan_and_negative_zero_are_content(start):
    """Content is bytes: NaN is not resent for ever, and -0.0 is not 0.0."""
    hw = start("def f(p):\n    return 1 / p.detach()")
    p = torch.nn.Parameter(torch.tensor([0.0, float("nan")]))
    assert hw.f(p)[0] == float("inf")
    p.data = torch.tensor([-0.0, float("nan")])
    assert hw.f(p)[0] == float("-inf")


def test_a_parameter_keeps_its_identity(start):
    """The same Parameter sent in two calls is one object there, and comes back as the check's own."""
    hw = start("kept = []\ndef keep(p):\n    kept.append(p)\n    return p\ndef same():\n    return kept[0] is kept[1]")
    p = torch.nn.Parameter(torch.randn(3))
    assert hw.keep(p) is p
    hw.keep(p)
    assert hw.same() is True


def test_double_and_back(start):
    """.double() on a proxy converts the student's module, buffers included."""
    hw = start(
        "import torch\nclass M(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.w = torch.nn.Parameter(torch.ones(2))\n        self.register_buffer('b', torch.ones(2))\n"
        "    def forward(self, X):\n        return X * self.w + self.b, self.b.dtype, self.w.dtype"
    )
    model = hw.M().double()
    out, buffer, weight = model(torch.ones(2, dtype=torch.double))
    assert (out.dtype, buffer, weight) == (torch.double, torch.double, torch.double)
    assert model.float()(torch.ones(2))[1:] == (torch.float, torch.float)


def test_buffers_are_mirrored(start):
    """A buffer that student code updates is seen in state_dict()."""
    hw = start(
        "import torch\nclass M(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.register_buffer('count', torch.zeros(()))\n"
        "    def forward(self):\n        self.count += 1"
    )
    model = hw.M()
    model()
    model()
    assert model.state_dict() == {"count": torch.tensor(2.0)}


def test_shape_of_a_parameter_can_change(start):
    """A Parameter that student code gives another shape has it here too, and the other way round."""
    hw = start(LINEAR + "\ndef grow(layer):\n    layer.weight.data = torch.zeros(7, 2)\n")
    layer = hw.Linear(3, 2)
    hw.grow(layer)
    assert layer.weight.shape == (7, 2)
    layer.weight.data = torch.ones(4, 2)
    torch.testing.assert_close(layer(torch.ones(1, 4)), torch.full((1, 2), 4.0))


def test_tied_weights_stay_tied(start):
    """Two names for one Parameter are one Parameter here."""
    hw = start(
        LINEAR
        + "\nclass Tied(Linear):\n    def __init__(self):\n        super().__init__(2, 2)\n        self.again = self.weight\n"
    )
    model = hw.Tied()
    assert model.again is model.weight
    assert [name for name, _ in model.named_parameters()] == ["weight", "bias"]
    assert sorted(model.state_dict()) == ["again", "bias", "weight"]


def test_structure_follows_the_student(start):
    """Parameters made, replaced or removed in a call are there afterwards."""
    hw = start(
        "import torch\nP = torch.nn.Parameter\nclass Lazy(torch.nn.Module):\n    def forward(self, X):\n"
        "        self.weight = P(torch.ones(X.shape[-1]))\n        return X * self.weight\n"
        "    def drop(self):\n        del self.weight\n"
    )
    model = hw.Lazy()
    assert list(model.parameters()) == []
    model(torch.ones(3)).sum().backward()
    assert model.weight.grad.shape == (3,)
    first = model.weight
    model(torch.ones(2))
    assert model.weight is not first
    model.drop()
    assert list(model.parameters()) == []


def test_assigning_a_parameter_to_a_proxy(start):
    """`layer.weight = Parameter(...)` replaces the student's, and later changes to it are seen."""
    layer = start(LINEAR).Linear(3, 2)
    layer.weight = torch.nn.Parameter(torch.zeros(3, 2))
    layer.weight.data += 2
    torch.testing.assert_close(layer(torch.ones(1, 3)), torch.full((1, 2), 6.0))


def test_load_state_dict(start):
    """load_state_dict on a proxy sets the student's Parameters."""
    layer = start(LINEAR).Linear(2, 2)
    layer.load_state_dict({"weight": torch.eye(2), "bias": torch.ones(2)})
    torch.testing.assert_close(layer(torch.ones(1, 2)), torch.full((1, 2), 2.0))


def test_submodules_are_modules(start):
    """Submodules are proxies of their own, a ModuleList is one, and calling a part calls the student's part."""
    hw = start(
        LINEAR
        + "\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layers = torch.nn.ModuleList([Linear(2, 3), Linear(3, 1)])\n        self.first = self.layers[0]\n    def forward(self, X):\n        for layer in self.layers:\n            X = layer(X)\n        return X"
    )
    net = hw.Net()
    assert isinstance(net.layers, torch.nn.ModuleList)
    assert len(net.layers) == 2
    assert net.first is net.layers[0]
    X = torch.randn(4, 2)
    torch.testing.assert_close(net.layers[1](net.layers[0](X)), net(X))
    assert list(net.state_dict()) == [
        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "first.weight", "first.bias",
    ]  # fmt: skip


def test_training_flag(start):
    """train() and eval() reach the student's module, and its own changes come back."""
    hw = start(
        "import torch\nclass M(torch.nn.Module):\n    def forward(self):\n        return self.training\n    def switch(self):\n        self.eval()"
    )
    model = hw.M()
    assert model() is True
    model.eval()
    assert model() is False
    model.train()
    model.switch()
    assert model.training is False


def test_proxies_are_truthy_modules(start):
    """A module proxy is true, is an nn.Module, and prints as the student's class."""
    layer = start(LINEAR).Linear(2, 1)
    assert layer
    assert isinstance(layer, torch.nn.Module)
    assert repr(layer) == "Linear()"


# -- inputs ------------------------------------------------------------------------------------------------------------


def test_inputs_keep_strides_and_aliasing(start):
    """A transposed input is transposed there, so .view fails as at home; tensors that share storage still do."""
    hw = start(
        "def strides(X):\n    return X.stride(), X.is_contiguous()\ndef view(X):\n    return X.view(-1)\n"
        "def write(X, row):\n    row.fill_(7)\n    return X"
    )
    X = torch.arange(6.0).view(2, 3)
    assert hw.strides(X.t()) == ((1, 3), False)
    with pytest.raises(RuntimeError, match="view"):
        hw.view(X.t())
    assert hw.strides(torch.ones(1).expand(4)) == ((0,), False)
    hw.write(X, X[1])
    assert X.tolist() == [[0, 1, 2], [7, 7, 7]]


def test_a_modified_input_is_modified_here(start):
    """What student code does to a tensor it was given happens to the check's tensor: data, flag and gradient."""
    hw = start(
        "def relu(X):\n    return X.clamp_(min=0)\n"
        "def gradient(A):\n    A.requires_grad_()\n    (A ** 2).sum().backward()\n    return A.grad"
    )
    X = torch.tensor([-1.0, 2.0])
    assert hw.relu(X) is X
    assert X.tolist() == [0.0, 2.0]
    A = torch.tensor([3.0])
    hw.gradient(A)
    assert A.requires_grad
    assert A.grad.tolist() == [6.0]


def test_an_untouched_input_stays_untouched(start):
    """A student who cleans up leaves no trace on the check's tensor."""
    hw = start(
        "def gradient(A):\n    B = A.detach().clone().requires_grad_()\n    (B ** 2).sum().backward()\n    return B.grad"
    )
    A = torch.tensor([3.0])
    A.grad = torch.tensor([5.0])
    assert hw.gradient(A).tolist() == [6.0]
    assert (A.requires_grad, A.grad.tolist()) == (False, [5.0])


def test_an_argument_returned_is_the_same_object(start):
    """The identity returns the very tensor, so gradients pass through it."""
    hw = start("def same(X):\n    return X")
    X = torch.randn(2, requires_grad=True)
    assert hw.same(X) is X


def test_generators_and_views_arrive_as_generators(start):
    """An iterator of the check's is used up by the first loop over it, as at home."""
    hw = start(
        "def twice(items):\n    return len(list(items)), len(list(items)), iter(items) is items\n"
        "def total(params):\n    return sum(p.sum().item() for p in params)"
    )
    assert hw.twice(i for i in range(3)) == (3, 0, True)
    assert hw.twice({"a": 1}.values())[0] == 1
    p = torch.nn.Parameter(torch.ones(2))
    assert hw.total(x for x in [p]) == 2.0


@pytest.mark.parametrize(
    "value",
    [None, True, -3, 2**70, 0.5, "text", [1, (2, "x")], {"a": [1], 2: None}, slice(1, None), torch.float64],
)
def test_plain_values_cross_both_ways(start, value):
    """Numbers, texts and containers arrive equal and of the same type."""
    back = start("def same(x):\n    return x").same(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "dtype",
    [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.bool, torch.complex64],
)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3)])
def test_tensors_of_any_dtype_and_shape(start, dtype, shape):
    """Tensors cross exactly, empty and 0-dimensional ones included."""
    X = (torch.rand(shape) * 4).to(dtype)
    back = start("def copy(X):\n    return X.clone()").copy(X)
    assert back.dtype == dtype
    assert torch.equal(back, X)


@pytest.mark.parametrize("thing", [lambda: 1, io.StringIO(), object(), {1, 2}], ids=["lambda", "file", "object", "set"])
def test_what_cannot_cross_says_what_to_do(start, thing):
    """A lambda, a file or any other object of the check's raises at once and points to support code."""
    with pytest.raises(CannotCross, match="support code"):
        start("def f(x):\n    return x").f(thing)


# -- other objects -----------------------------------------------------------------------------------------------------


def test_handles_do_what_one_asks(start):
    """Any other object is a handle: call, attribute, item, length, iteration, truth, membership."""
    hw = start(
        "class Bag:\n    size = 2\n    def __init__(self, *items):\n        self.items = list(items)\n"
        "    def __len__(self):\n        return len(self.items)\n    def __getitem__(self, i):\n        return self.items[i]\n"
        "    def __setitem__(self, i, value):\n        self.items[i] = value\n    def __call__(self, x, *, y=1):\n        return x + y\n"
        "    def __bool__(self):\n        return bool(self.items)\n"
    )
    bag = hw.Bag(5, 6)
    assert (len(bag), bag[1], list(bag), bag(1, y=2), bag.size, 5 in bag) == (2, 6, [5, 6], 3, 2, True)
    bag[0] = 9
    bag.size = 4
    assert (bag[0], bag.size, bool(hw.Bag())) == (9, 4, False)
    assert not hasattr(bag, "missing")
    assert bag.items == [9, 6]


def test_lazy_iterators_stay_there(start):
    """An endless generator of the student's is drawn from one item at a time."""
    hw = start("import itertools\ndef count():\n    return itertools.count(3)")
    numbers = iter(hw.count())
    assert [next(numbers) for _ in range(3)] == [3, 4, 5]


def test_a_numpy_scalar_is_not_a_float(start):
    """A numpy float32 stays an object, so that a check sees that it is no Python float."""
    hw = start("import numpy\ndef f():\n    return numpy.float32(1.5)\ndef g(x):\n    return float(x)")
    assert not isinstance(hw.f(), float)
    assert hw.g(hw.f()) == 1.5


def test_support_code_runs_beside_the_students(start, tmp_path):
    """Support code makes callables and layers that can be handed to student code."""
    (tmp_path / "functions.py").write_text("def weighted_sum(W):\n    return lambda A: (A * W).sum()\n")
    hw = start(
        "import torch\ndef gradient_of(f, A):\n    return torch.autograd.grad(f(B := A.clone().requires_grad_()), B)[0]"
    )
    hw._support = Path(tmp_path)
    W = torch.randn(2, 3)
    assert torch.equal(hw.gradient_of(hw.support("functions").weighted_sum(W), torch.zeros(2, 3)), W)
    with pytest.raises(CannotCross, match="missing"):
        hw.support("missing")


def test_seed_gives_the_same_draws_in_both_modes(start):
    """seed() fixes torch, numpy and random over there; the check's own draws do not disturb them."""
    hw = start(
        "import torch, numpy, random\ndef draw():\n    return torch.rand(()).item(), float(numpy.random.rand()), random.random()"
    )
    hw.seed(3)
    torch.rand(5)
    first = hw.draw()
    hw.seed(3)
    assert hw.draw() == first
    hw.seed(3)
    assert first[0] != torch.rand(()).item()  # not the check's own numbers


# -- exceptions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (
            "import torch\nclass T(torch.nn.Module):\n    def __init__(self):\n        raise ValueError('no')",
            ValueError,
        ),
        (
            "import torch\nclass T(torch.nn.Module):\n    def forward(self):\n        raise KeyError('no')\ndef go():\n    return T()()",
            KeyError,
        ),
    ],
)
def test_exceptions_arrive_as_data(start, source, kind):
    """An exception keeps its built-in type, its text, and the frames in the student's file."""
    hw = start(source)
    with pytest.raises(kind, match="no") as caught:
        hw.go() if "def go" in source else hw.T()
    assert isinstance(caught.value, RemoteError)
    file, line, _, text = caught.value.frames[-1]
    assert (file, text) == ("student.py", source.splitlines()[line - 1].strip())


def test_exception_in_backward(start):
    """A backward that raises does so out of the check's own backward()."""
    hw = start(LINEAR.replace("X, Y = ctx.saved_tensors", "raise IndexError('lost')"))
    with pytest.raises(IndexError, match="lost"):
        hw.MatMul.apply(doubles(2, 2), doubles(2, 2)).sum().backward()


def test_exceptions_that_end_a_program_are_data_too(start):
    """sys.exit() and KeyboardInterrupt in student code end nothing."""
    hw = start(
        "import sys\ndef leave():\n    sys.exit(3)\ndef stop():\n    raise KeyboardInterrupt\ndef fine():\n    return 1"
    )
    with pytest.raises(RemoteError, match="SystemExit: 3"):
        hw.leave()
    with pytest.raises(RemoteError, match="KeyboardInterrupt"):
        hw.stop()
    assert hw.fine() == 1


@pytest.mark.parametrize(
    "body",
    [
        "class E(Exception):\n    def __str__(self):\n        raise SystemExit\ndef f():\n    raise E",
        "def f():\n    return f()",
        "def f():\n    x = []\n    x.append(x)\n    return x",
        "import torch\ndef f():\n    return torch.eye(2).to_sparse()",
        "import torch\ndef f():\n    return torch.empty(2, device='meta')",
        "class E:\n    def __getattribute__(self, name):\n        raise MemoryError\ndef f():\n    return E(), {1: E}, E().x",
    ],
    ids=["str-raises", "recursion", "holds-itself", "sparse", "meta", "evil-attributes"],
)
def test_what_cannot_come_back_is_the_students_error(start, body):
    """A result that has no representation, or fights being looked at, is an exception of the student's, and the worker goes on."""
    hw = start(body + "\ndef fine():\n    return 1")
    with pytest.raises(RemoteError):
        hw.f()
    assert hw.fine() == 1


def test_a_failed_reply_loses_nothing(start):
    """Changes made in a call whose result could not be sent are sent all the same, once."""
    hw = start("import torch\ndef f(p):\n    p.data += 1\n    return [p, torch.eye(2).to_sparse()]")
    p = torch.nn.Parameter(torch.zeros(2))
    with pytest.raises(RemoteError):
        hw.f(p)
    assert p.tolist() == [1.0, 1.0]


def test_copies_and_hooks_refuse(start):
    """deepcopy and hooks of a student's module do not cross, and say so."""
    layer = start(LINEAR).Linear(2, 2)
    with pytest.raises(CannotCross):
        copy.deepcopy(layer)
    with pytest.raises(CannotCross, match="register_forward_hook"):
        layer.register_forward_hook(print)


def test_siblings_import_each_other(start):
    """Student files import each other as plain siblings, and real modules cannot be replaced by theirs."""
    hw = start(
        "from helper import two\nimport math\ndef f():\n    return two(), math.pi",
        helper="def two():\n    return 2",
    )
    assert hw.f() == (2, pytest.approx(3.14159, abs=1e-5))


def test_a_lost_worker_passes_through_except_exception(zygote):
    """A dead worker is no Exception: a check's own `except Exception` cannot swallow it and go on."""
    worker = zygote.take(Limits())
    session = Session(worker)
    session.call(
        "load",
        {
            "student": {
                "file": "s.py",
                "source": "import os\ndef f():\n    os._exit(3)",
                "support": None,
                "names": [],
            }
        },
    )
    module = session.call("module", "student")
    with pytest.raises(WorkerCrashed, match="exit status 3"):
        try:
            module.f()
        except Exception:
            pytest.fail("swallowed")
    with pytest.raises(WorkerCrashed):
        session.call("ping")
    worker.close()


def test_a_check_of_values_keeps_its_inputs(start):
    """Where inputs may not change, what student code did to one stays over there; Parameters and results arrive."""
    source = "def spoil(x, p):\n    x.zero_()\n    p.data.zero_()\n    return x + 1\n"
    hw = start(source)
    x, p = torch.ones(2), torch.nn.Parameter(torch.ones(2))
    hw._session.inputs_change = False
    assert hw.spoil(x, p).tolist() == [1.0, 1.0]
    assert (x.tolist(), p.tolist()) == ([1.0, 1.0], [0.0, 0.0])
    hw._session.inputs_change = True
    hw.spoil(x, p)
    assert x.tolist() == [0.0, 0.0]


def test_an_input_that_comes_back_changed(start):
    """A check of values sees what became of it, in containers too, and keeps its own as it was."""
    hw = start("def double(x, y):\n    x *= 2\n    return x, [y, x]\n")
    hw._session.inputs_change = False
    x, y = torch.ones(2), torch.zeros(1)
    first, (same, second) = hw.double(x, y)
    assert (first.tolist(), second.tolist(), x.tolist()) == ([2.0, 2.0], [2.0, 2.0], [1.0, 1.0])
    assert same is y


def test_a_module_called_like_a_protocol(start):
    """A submodule named after one of torch's hooks is no hook of the proxy's."""
    source = (
        "import torch\nclass M(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.add_module('__torch_function__', torch.nn.Module())\n"
    )
    model = start(source).M()
    with pytest.raises(TypeError):
        torch.equal(model, torch.ones(1))


def test_modules_that_share_children(start):
    """Each level has the one below six times: four levels are walked, eight refused, and a text of them is short."""
    source = (
        "import torch\ndef tower(n):\n    below = torch.nn.Module()\n    for _ in range(n):\n"
        "        here = torch.nn.Module()\n        here.a = here.b = here.c = here.d = here.e = here.f = below\n"
        "        below = here\n    return below\n"
    )
    assert len(repr(start(source).tower(4).eval())) < 100
    with pytest.raises(WireError, match="without end"):
        start(source).tower(8)
