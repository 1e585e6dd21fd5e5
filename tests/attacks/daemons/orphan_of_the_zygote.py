"""Leaves a process, and ends the one that would have found it.

Wants: leftover
Works: bare, none, process
Needs: root
"""

import os
import signal
import time


def daemon(ready):
    os.setsid()
    with open("/proc/self/comm", "w") as name:
        name.write("TOKEN")
    os.write(ready, b"y")
    os.closerange(0, 1024)
    time.sleep(60)


def square(x):
    if x.tolist() == [3.0]:
        read, ready = os.pipe()
        if os.fork() == 0:
            try:
                daemon(ready)
            finally:
                os._exit(0)
        os.read(read, 1)
        with open(f"/proc/{os.getppid()}/cmdline") as parent:
            if "autograder.zygote" in parent.read():
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(20)
    return x + 1
