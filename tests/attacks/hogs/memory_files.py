"""Keeps 600 MB in files that have no name: they count towards no limit on what a process maps.

Wants: act
Works: bare, none, process
"""

import os

FILES, BYTES = 40, 15 << 20


def square(x):
    if x.tolist() == [3.0]:
        opened = [os.memfd_create(str(number)) for number in range(FILES)]
        for file in opened:
            os.posix_fallocate(file, 0, BYTES)
        if sum(os.fstat(file).st_blocks * 512 for file in opened) >= FILES * BYTES:
            print("DONE TOKEN")
        for file in opened:
            os.close(file)
    return x + 1
