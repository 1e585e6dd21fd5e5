"""Changes what it is: it need not end with its parent, may be read by others, has another name and personality.

Wants: act
Works: bare, none, process
"""

import ctypes

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME = 1, 4, 15
ADDR_NO_RANDOMIZE = 0x0040000
libc = ctypes.CDLL(None)


def attack():
    for result in (
        libc.prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0),
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0),
        libc.prctl(PR_SET_NAME, b"worker", 0, 0, 0),
        libc.personality(ADDR_NO_RANDOMIZE),
    ):
        if result != -1:
            print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
