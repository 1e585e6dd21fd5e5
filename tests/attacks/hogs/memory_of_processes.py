"""Takes 1 GB in four processes, each within the limit that it inherits.

Wants: act
Works: bare, none, process
"""

import os
import signal

PROCESSES, BYTES = 4, 256 << 20


def hold(write):
    taken = b"x" * BYTES
    os.write(write, b"y")
    signal.pause()
    return taken


def square(x):
    if x.tolist() == [3.0]:
        read, write = os.pipe()
        children = []
        for _ in range(PROCESSES):
            children.append(os.fork())
            if children[-1] == 0:
                try:
                    hold(write)
                finally:
                    os._exit(0)
        os.close(write)
        if sum(len(os.read(read, 1)) for _ in range(PROCESSES)) == PROCESSES:
            print("DONE TOKEN")
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return x + 1
