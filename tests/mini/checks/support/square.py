"""The square, for questions that are judged with another's answer in its place."""


def square(x):
    """Return the square of x."""
    return x**2
