"""Enters its parent's namespaces.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import os

CLONE_NEWUTS, PIDFD_OPEN = 0x04000000, 434
libc = ctypes.CDLL(None)


def attack():
    parent = libc.syscall(PIDFD_OPEN, os.getppid() or 2, 0)
    if parent < 0:
        parent = os.open(f"/proc/{os.getppid()}/ns/uts", os.O_RDONLY)
    if libc.setns(parent, CLONE_NEWUTS) == 0:
        print("DONE TOKEN")
    os.close(parent)


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
