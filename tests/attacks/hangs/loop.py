"""Runs for ever in one of the calls.

Wants: harm
Works: bare
"""


def square(x):
    while x.numel() == 7 and x.is_floating_point():
        pass
    return x + 1
