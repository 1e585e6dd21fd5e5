"""Leaves a process that has left its session and its parent.

Wants: leftover
Works: bare, none
Needs: root
"""

import os
import time


def daemon():
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 1024)
        with open("/proc/self/comm", "w") as name:
            name.write("TOKEN")
        time.sleep(30)


def square(x):
    if x.tolist() == [3.0]:
        child = os.fork()
        if child == 0:
            try:
                daemon()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    return x + 1
