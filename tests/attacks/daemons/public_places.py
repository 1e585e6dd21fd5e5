"""Leaves a file wherever others look: temporary folders, shared memory, the home folder's start-up files.

Wants: leftover
Works: bare, none, process
"""

import contextlib
import os

PLACES = ("/tmp/TOKEN.pth", "/var/tmp/TOKEN", "/dev/shm/TOKEN", "/run/TOKEN", "~/.TOKEN_profile")


def square(x):
    for place in PLACES:
        with contextlib.suppress(OSError), open(os.path.expanduser(place), "w") as file:
            file.write("# nothing\n")
    return x + 1
