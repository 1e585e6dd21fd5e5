"""Maps 1.5 GB that no allocator knows of, and touches every page.

Wants: act
Works: bare
"""

import mmap

SIZE = 1500 << 20


def square(x):
    if x.tolist() == [3.0]:
        with mmap.mmap(-1, SIZE) as taken:
            taken[:: mmap.PAGESIZE] = b"x" * (SIZE // mmap.PAGESIZE)
            print("DONE TOKEN")
    return x + 1
