"""Reads another student's submission and raises its text.

Wants: secret
Works: bare, none, process
"""

import os


def square(x):
    descriptor = os.open("/autograder/neighbour/square.py", os.O_RDONLY)
    raise ValueError(os.read(descriptor, 1000).decode())
