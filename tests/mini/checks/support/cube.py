"""The third power, for questions that are judged with another's answer in its place."""


def cube(x):
    """Return the third power of x."""
    return x**3
