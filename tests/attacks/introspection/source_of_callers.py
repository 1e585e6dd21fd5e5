"""Has the source of each caller's module printed.

Wants: secret
Works: bare, none
"""

import inspect
import sys


def square(x):
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name.startswith("test_"):
            print("".join(inspect.findsource(frame)[0]))
        frame = frame.f_back
    return x + 1
