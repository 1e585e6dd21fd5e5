"""Opens the interfaces of the kernel in which most holes were found: bpf, userfaultfd, perf events.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import os
import platform
import struct

BPF, USERFAULTFD, PERF_EVENT_OPEN = (280, 282, 241) if platform.machine() == "aarch64" else (321, 323, 298)
libc = ctypes.CDLL(None)


def attack():
    array = struct.pack("5I100x", 2, 4, 8, 1, 0)  # BPF_MAP_TYPE_ARRAY, sizes of key and value, entries
    clock = struct.pack("IIQ112x", 1, 112, 0)  # PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK
    for opened in (
        libc.syscall(BPF, 0, array, len(array)),
        libc.syscall(USERFAULTFD, os.O_CLOEXEC),
        libc.syscall(PERF_EVENT_OPEN, clock, os.getppid(), -1, -1, 0),
    ):
        if opened >= 0:
            print("DONE TOKEN")
            os.close(opened)


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
