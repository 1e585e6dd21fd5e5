"""Searches the imported modules for the checks' own, and prints a secret of theirs.

Wants: secret
Works: bare, none
"""

import sys


def square(x):
    for module in list(sys.modules.values()):
        if "SECRET" in getattr(module, "__dict__", ()):
            print(module.SECRET)
    return x + 1
