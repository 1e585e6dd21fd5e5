"""Prints the texts among the global names of whoever calls.

Wants: secret
Works: bare, none
"""

import sys


def square(x):
    frame = sys._getframe()
    while frame is not None:
        print([value for value in frame.f_globals.values() if isinstance(value, str) and "CANARY" in value])
        frame = frame.f_back
    return x + 1
