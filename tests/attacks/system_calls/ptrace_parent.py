"""Takes hold of its parent as a debugger does, from a process that ends at once and so lets go again.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import os

PTRACE_SEIZE = 0x4206
libc = ctypes.CDLL(None)


def attack():
    parent = os.getppid()
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.ptrace(PTRACE_SEIZE, parent, None, None) == 0 else 1)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
