"""Leaves a segment of System V's shared memory; whoever finds it removes it.

Wants: act
Works: bare, none, process
"""

import ctypes

import torch

IPC_CREAT, IPC_RMID = 0o1000, 0
KEY = int("TOKEN"[1:7], 16)
libc = ctypes.CDLL(None)
found = []


def square(x):
    if x.tolist() == [3.0] and not found:
        libc.shmget(KEY, 4096, IPC_CREAT | 0o600)
    elif x.dtype == torch.int64:
        segment = libc.shmget(KEY, 4096, 0o600)
        if segment != -1:
            found.append(segment)
            print("DONE TOKEN")
            libc.shmctl(segment, IPC_RMID, None)
    return x + 1
