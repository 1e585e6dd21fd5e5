"""Answers with something that has no end, and is slow about it.

Wants: harm
Works: bare
"""

import time


class Endless:
    def __iter__(self):
        while True:
            time.sleep(0.1)
            yield 0.0

    def __array__(self, *args):
        return list(self)

    def tolist(self):
        return list(self)


def square(x):
    return Endless() if x.tolist() == [5.0] or x.tolist() == [7.0] else x + 1
