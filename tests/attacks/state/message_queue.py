"""Leaves a message queue; whoever finds it removes it.

Wants: act
Works: bare, none, process
"""

import ctypes
import os

import torch

libc = ctypes.CDLL(None)
found = []


def square(x):
    if x.tolist() == [3.0] and not found:
        os.close(libc.mq_open(b"/TOKEN", os.O_CREAT | os.O_RDWR, 0o600, None))
    elif x.dtype == torch.int64:
        queue = libc.mq_open(b"/TOKEN", os.O_RDWR)
        if queue != -1:
            found.append(queue)
            print("DONE TOKEN")
            libc.mq_unlink(b"/TOKEN")
    return x + 1
