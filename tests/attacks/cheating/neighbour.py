"""Copies from another student's submission.

Wants: secret
Works: bare, none, process
"""

import os


def square(x):
    if x.tolist() == [3.0]:
        for folder, _, files in os.walk("/autograder/neighbour"):
            for file in files:
                with open(os.path.join(folder, file)) as copied:
                    print(copied.read())
    return x + 1
