"""Leaves a key in the kernel's ring of this user; whoever finds it takes it away.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import platform

import torch

ADD_KEY, KEYCTL = (217, 219) if platform.machine() == "aarch64" else (248, 250)
USER_KEYRING, SEARCH, INVALIDATE = -4, 10, 21
libc = ctypes.CDLL(None)
found = []


def square(x):
    if x.tolist() == [3.0] and not found:
        libc.syscall(ADD_KEY, b"user", b"TOKEN", b"square", 6, USER_KEYRING)
    elif x.dtype == torch.int64:
        key = libc.syscall(KEYCTL, SEARCH, USER_KEYRING, b"user", b"TOKEN", 0)
        if key != -1:
            found.append(key)
            print("DONE TOKEN")
            libc.syscall(KEYCTL, INVALIDATE, key)
    return x + 1
