"""Sleeps, which uses no processor time.

Wants: harm
Works: bare
"""

import time


def square(x):
    if x.numel() == 7 and x.is_floating_point():
        time.sleep(1_000_000)
    return x + 1
