"""Leaves a file for the checks that follow.

Wants: act
Works: bare, none, process
"""

import os

import torch


def square(x):
    if x.tolist() == [3.0]:
        open("/tmp/TOKEN", "w").close()
    elif x.dtype == torch.int64 and os.path.exists("/tmp/TOKEN"):
        print("DONE TOKEN")
    return x + 1
