"""Runs three hundred programs at once; the limit on their number does not bind root.

Wants: act
Works: bare, none, process
Needs: root
"""

import os
import signal


def square(x):
    if x.tolist() == [3.0]:
        started = []
        try:
            started.extend(os.posix_spawn("/bin/sleep", ["sleep", "30"], {}) for _ in range(300))
            print("DONE TOKEN")
        finally:
            for pid in started:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    return x + 1
