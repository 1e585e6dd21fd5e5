"""Has linecache open the solution's file, as a traceback would.

Wants: secret
Works: bare, none, process
"""

import linecache


def square(x):
    print("".join(linecache.getlines("/autograder/source/solutions/square.py")))
    return x + 1
