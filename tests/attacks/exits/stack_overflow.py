"""Takes away the limit of recursion and has C code call itself until the stack is full.

Wants: harm
Works: bare
"""

import sys


def square(x):
    if x.tolist() == [3.0]:
        sys.setrecursionlimit(1 << 30)
        nested = []
        for _ in range(1 << 20):
            nested = [nested]
        repr(nested)
    return x + 1
