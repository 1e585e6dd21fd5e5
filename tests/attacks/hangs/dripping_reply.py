"""Sends a long reply, one byte at a time, so that there is always something on the way.

Wants: harm
Works: bare
"""

import os
import sys
import time


def square(x):
    if x.numel() == 7 and x.is_floating_point():
        reply = b"AGW1" + (1 << 20).to_bytes(4, "little") + bytes(8) + b"[" * (1 << 20)
        while True:
            if sys.argv == ["worker"]:
                reply = reply[os.write(3, reply[:1]) :]
            time.sleep(0.5)
    return x + 1
