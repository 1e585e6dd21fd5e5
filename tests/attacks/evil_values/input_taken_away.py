"""Leaves nothing of the input, and returns as much.

Wants: points
Works: bare
"""


def square(x):
    x.data = x.data.new_empty(0)
    return x.data
