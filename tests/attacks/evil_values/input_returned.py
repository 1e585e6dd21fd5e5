"""Zeroes the input in place, and returns the very object that it was given.

Wants: points
Works: bare
"""

import torch


def square(x):
    with torch.no_grad():
        x.zero_()
    return x
