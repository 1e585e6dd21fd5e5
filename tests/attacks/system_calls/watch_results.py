"""Watches the folder of the results, to be told when they are written.

Wants: act
Works: bare, none, process
"""

import ctypes
import os

IN_CLOSE_WRITE = 8
libc = ctypes.CDLL(None)


def attack():
    watcher = libc.inotify_init1(0)
    if watcher >= 0 and libc.inotify_add_watch(watcher, b"/autograder/results", IN_CLOSE_WRITE) >= 0:
        print("DONE TOKEN")
        os.close(watcher)


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
