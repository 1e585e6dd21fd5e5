"""Leaves a memory file that needs no folder to be found again; whoever finds it removes it.

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
        os.close(libc.shm_open(b"/TOKEN", os.O_CREAT | os.O_RDWR, 0o600))
    elif x.dtype == torch.int64:
        file = libc.shm_open(b"/TOKEN", os.O_RDWR, 0)
        if file != -1:
            found.append(file)
            print("DONE TOKEN")
            libc.shm_unlink(b"/TOKEN")
    return x + 1
