"""Leaves a descriptor open under a number that it knows.

Wants: act
Works: bare, none
"""

import contextlib
import os

import torch

NUMBER = 60


def square(x):
    if x.tolist() == [3.0]:
        os.dup2(0, NUMBER)
    elif x.dtype == torch.int64:
        with contextlib.suppress(OSError):
            os.close(NUMBER)
            print("DONE TOKEN")
    return x + 1
