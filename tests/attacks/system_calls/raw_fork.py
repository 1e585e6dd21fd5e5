"""Makes a process by each of the numbers that the kernel has for it.

Wants: act
Works: bare, none, process
"""

import ctypes
import os
import platform
import signal
import struct

CLONE3 = 435  # the same on all architectures
CLONE, FORK = (220, None) if platform.machine() == "aarch64" else (56, 57)
libc = ctypes.CDLL(None)


def attack():
    arguments = struct.pack("8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    ways = (
        lambda: libc.syscall(CLONE, signal.SIGCHLD, 0, 0, 0, 0),
        lambda: libc.syscall(CLONE3, arguments, len(arguments)),
        lambda: -1 if FORK is None else libc.syscall(FORK),
    )
    for way in ways:
        child = way()
        if child == 0:
            os._exit(7)
        if child > 0 and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7:
            print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
