"""Kills the process that started its own.

Wants: harm
Works: bare
"""

import os
import signal


def square(x):
    if x.tolist() == [3.0]:
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return x + 1
