"""Fills a public folder with files, each small enough.

Wants: leftover
Works: bare, none, process
"""

import os


def square(x):
    if x.tolist() == [3.0]:
        os.makedirs("/var/tmp/TOKEN", exist_ok=True)
        for number in range(1000):
            with open(f"/var/tmp/TOKEN/{number}", "w") as file:
                file.write("x")
    return x + 1
