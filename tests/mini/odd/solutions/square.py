"""The square of a number."""


def square(x):
    """Return ``x * x``, entry by entry; there is none of text."""
    if isinstance(x, str):
        raise ValueError("text has no square")
    return x * x
