"""Leaves a process that listens at an address which is in no file system.

Wants: leftover
Works: bare, none
Needs: root
"""

import os
import socket
import time


def square(x):
    if x.tolist() == [3.0]:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("\0TOKEN")
        listener.listen()
        if os.fork() == 0:
            try:
                os.setsid()
                os.dup2(listener.fileno(), 0)
                os.closerange(1, 1024)
                with open("/proc/self/comm", "w") as name:
                    name.write("TOKEN")
                time.sleep(30)
            finally:
                os._exit(0)
    return x + 1
