"""Runs for ever while it is imported.

Wants: harm
Works: bare
"""

while True:
    pass


def square(x):
    return x + 1
