"""Writes a file of 200 MB.

Wants: act
Works: bare, none
"""

import os

SIZE = 200 << 20


def square(x):
    if x.tolist() == [3.0]:
        file = os.open("/tmp/TOKEN", os.O_RDWR | os.O_CREAT)
        try:
            os.posix_fallocate(file, 0, SIZE)
            if os.fstat(file).st_size == SIZE:
                print("DONE TOKEN")
        finally:
            os.close(file)
            os.unlink("/tmp/TOKEN")
    return x + 1
