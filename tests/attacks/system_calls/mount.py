"""Leaves the mounts behind and mounts a file system of its own.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import os

CLONE_NEWNS, MS_PRIVATE, MS_REC = 0x00020000, 1 << 18, 1 << 14
libc = ctypes.CDLL(None)


def mounts():
    libc.unshare(CLONE_NEWNS)
    libc.mount(b"none", b"/", None, MS_PRIVATE | MS_REC, None)
    return libc.mount(b"none", b"/mnt", b"tmpfs", 0, None) == 0


def attack():
    try:
        child = os.fork()
    except OSError:
        child = -1  # then this process has to do
    if child == 0:
        os._exit(not mounts())
    if mounts() if child < 0 else os.waitpid(child, 0)[1] == 0:
        print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
