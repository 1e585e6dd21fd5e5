"""Raises an exception that ends the process when somebody asks for its text.

Wants: harm
Works: bare
"""

import os


class Evil(Exception):
    def __str__(self):
        os._exit(0)


def square(x):
    if x.tolist() == [3.0]:
        raise Evil
    return x + 1
