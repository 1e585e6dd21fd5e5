"""Sends its parent, in all the ways there are, a signal that changes nothing.

Wants: act
Works: bare, none, process
"""

import ctypes
import os
import signal

PIDFD_OPEN, PIDFD_SEND_SIGNAL = 434, 424  # the same on all architectures
libc = ctypes.CDLL(None)


def attack():
    parent = os.getppid() or 2
    for sent in (
        libc.kill(parent, signal.SIGCONT),
        libc.tgkill(parent, parent, signal.SIGCONT),
        libc.killpg(libc.getpgid(parent), signal.SIGCONT),
        libc.syscall(PIDFD_SEND_SIGNAL, libc.syscall(PIDFD_OPEN, parent, 0), signal.SIGCONT, None, 0),
    ):
        if sent == 0:
            print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
