"""Sets its parent's limits, processors and priority, each to what it is.

Wants: act
Works: bare, none, process
"""

import os
import resource


def attack():
    parent = os.getppid() or 2
    ways = (
        lambda: resource.prlimit(parent, resource.RLIMIT_CORE, resource.prlimit(parent, resource.RLIMIT_CORE)),
        lambda: os.sched_setaffinity(parent, os.sched_getaffinity(parent)),
        lambda: os.setpriority(os.PRIO_PROCESS, parent, os.getpriority(os.PRIO_PROCESS, parent)),
    )
    for way in ways:
        try:
            way()
            print("DONE TOKEN")
        except OSError:
            pass


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
