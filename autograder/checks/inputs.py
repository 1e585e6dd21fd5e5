"""Inputs that several checks draw, and the comparisons they share.

Hypothesis draws shapes, dtypes and memory layouts; `randn` fills the values.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError, gradcheck

sides = st.integers(1, 5)
dtypes = st.sampled_from([torch.float64, torch.float32])
layouts = st.sampled_from(["contiguous", "transposed", "strided", "expanded"])

# Room for a few hundred products of numbers of order 1, summed in any order, and far below a 1 % error.
TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-4}

# How often a statistical assertion may reject a right answer; a check makes at most ten: 1e-6 in all.
FALSE_FAILURE_RATE = 1e-7


def shapes(
    min_dims: int = 0, max_dims: int = 3, *, min_side: int = 1, max_side: int = 4
) -> st.SearchStrategy[tuple[int, ...]]:
    """Tuples of sizes; `min_side=0` includes empty tensors."""
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


def randn(*shape: int, dtype: torch.dtype = torch.float64, layout: str = "contiguous") -> Tensor:
    """A standard normal tensor, laid out in memory as `layout` says (without dimensions there is one way).

    "transposed" reverses the strides, "strided" leaves a gap after every element, "expanded" repeats one
    slice along the first dimension with stride 0, and so must not be written to.

    Both sides are seeded alike before every example, so the global generator only seeds another one here:
    numbers straight from it would be those that the student's own first `torch.randn` draws.
    """
    generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))

    def draw(*sizes: int) -> Tensor:
        return torch.randn(sizes, dtype=dtype, generator=generator)

    if not shape or layout == "contiguous":
        return draw(*shape)
    if layout == "transposed":
        return draw(*shape[::-1]).permute(*reversed(range(len(shape))))
    if layout == "strided":
        return draw(*shape[:-1], 2 * shape[-1])[..., ::2]
    return draw(1, *shape[1:]).expand(shape)


def assert_matches(actual: object, expected: Tensor, what: str, tolerance: float | None = None) -> None:
    """Assert that `actual` is a tensor of the shape, dtype and values of `expected`; NaN never matches.

    Args:
        what: Names the value in the message, for example "the gradient for X".
        tolerance: Relative and absolute; by default that of TOLERANCES, or torch's own for other dtypes.
    """
    assert isinstance(actual, Tensor), f"{what} should be a tensor; it is {actual!r}"
    tolerance = TOLERANCES.get(expected.dtype) if tolerance is None else tolerance

    def message(text: str) -> str:
        if actual.shape == expected.shape and expected.dim() and expected.numel():
            worst = (actual.double() - expected.double()).abs().nan_to_num(torch.inf).argmax().item()
            index = tuple(int(i) for i in torch.unravel_index(torch.tensor(worst), expected.shape))
            came, wanted = actual[index].item(), expected[index].item()
            text += f"\nAt {index}: {came:.6g} came, {wanted:.6g} was expected."
        return f"{what} is not what it should be (shape {tuple(expected.shape)}).\n{text}"

    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance, msg=message)


def gradients(output: object, inputs: Sequence[Tensor], upstream: Tensor, names: Sequence[str]) -> tuple[Tensor, ...]:
    """Return the gradients of `(output * upstream).sum()` for `inputs`, or fail naming one that gets none."""
    assert isinstance(output, Tensor), f"the result should be a tensor; it is {output!r}"
    assert output.shape == upstream.shape, (
        f"the result should have shape {tuple(upstream.shape)}; it has shape {tuple(output.shape)}"
    )
    assert output.requires_grad, (
        f"the result is cut off from {' and '.join(names)}: no gradient can flow back. "
        "Look for detach, .data, numpy, item or no_grad on the way"
    )
    found = torch.autograd.grad(output, list(inputs), upstream, allow_unused=True)
    for name, gradient in zip(names, found, strict=True):
        assert gradient is not None, f"no gradient reaches {name}"
    return found


def assert_gradcheck(function: Callable[..., Tensor], *inputs: Tensor) -> None:
    """Assert that torch's gradcheck, in its slow mode, accepts `function` at `inputs`: double, few entries.

    It passes functions that return zeros, and gradients of another dtype: compare the values as well.
    """
    try:
        gradcheck(function, inputs, check_undefined_grad=False)
    except GradcheckError as error:
        raise AssertionError(f"backward and finite differences of forward disagree.\n{error}") from error


def assert_variance(sample: Tensor, variance: float, what: str) -> None:
    """Assert that the entries of `sample`, taken to be normal and independent, have this variance.

    A right answer fails with probability FALSE_FAILURE_RATE: the sum of the n squared distances from the
    mean, divided by the variance, has a chi-square distribution of n - 1 degrees of freedom, whose
    cumulative distribution function at x is the regularized gamma function P((n - 1) / 2, x / 2).
    """
    found = sample.detach().double().var()
    half_degrees = torch.tensor((sample.numel() - 1) / 2, dtype=torch.float64)
    half_sum = half_degrees * found / variance
    below = torch.special.gammainc(half_degrees, half_sum)
    above = torch.special.gammaincc(half_degrees, half_sum)
    assert 2 * torch.minimum(below, above) >= FALSE_FAILURE_RATE, (
        f"{what} should be drawn with variance {variance:.4g}; {sample.numel()} of them have {found:.4g}, "
        f"{found / variance:.3g} times as much"
    )


@contextmanager
def unchanged(**tensors: Tensor) -> Iterator[None]:
    """Fail when the code inside changes the values of one of the tensors, which the message names."""
    before = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    yield
    for name, tensor in tensors.items():
        assert tensor.shape == before[name].shape, f"the shape of {name} was changed to {tuple(tensor.shape)}"
        assert torch.equal(tensor.detach(), before[name]), f"{name} was changed; it should be left as it was"
