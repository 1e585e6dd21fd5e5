"""Becomes root of a user namespace of its own.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import os

CLONE_NEWUSER = 0x10000000
libc = ctypes.CDLL(None)


def attack():
    try:
        child = os.fork()
    except OSError:
        child = -1  # then this process has to do
    if child <= 0:
        refused = libc.unshare(CLONE_NEWUSER) != 0
        if child == 0:
            os._exit(refused)
    else:
        refused = os.waitpid(child, 0)[1] != 0
    if not refused:
        print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
