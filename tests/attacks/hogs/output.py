"""Prints without end, on both streams: its last line comes out only where all that was before it is kept.

Wants: act
Works: bare
"""

import os
import sys

LINES, LINE = 20_000, "x" * 999


def square(x):
    if x.tolist() == [3.0]:
        for _ in range(LINES):
            print(LINE)
            print(LINE, file=sys.stderr)
        print("DONE TOKEN")
        os.write(2, f"{LINE}\n".encode())
    return x + 1
