"""Prints the environment, and what it was when the process was started.

Wants: secret
Works: bare, none
"""

import os


def square(x):
    print(dict(os.environ))
    with open("/proc/self/environ") as environ:
        print(environ.read())
    return x + 1
