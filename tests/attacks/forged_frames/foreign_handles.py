"""Sends, in place of each tensor, the handle of a module that was never given out.

Wants: harm
Works: none
"""

from autograder import worker

worker.Runtime._write_tensor = lambda self, value, node: {"$m": [998]}


def square(x):
    return x + 1
