"""Takes a host name of its own, in a namespace of its own.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import os

CLONE_NEWUTS = 0x04000000
libc = ctypes.CDLL(None)


def attack():
    if libc.unshare(CLONE_NEWUTS) == 0 and libc.sethostname(b"TOKEN", 11) == 0 and os.uname().nodename == "TOKEN":
        print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
