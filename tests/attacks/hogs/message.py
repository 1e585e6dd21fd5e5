"""Raises an exception with a message of 20 MB: its end comes out only where all of it is kept.

Wants: act
Works: bare
"""

MESSAGE = "x" * (20 << 20) + "\nDONE TOKEN"


def square(x):
    if x.tolist() == [3.0]:
        raise ValueError(MESSAGE)
    return x + 1
