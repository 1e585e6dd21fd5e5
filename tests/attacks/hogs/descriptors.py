"""Opens two thousand descriptors at once.

Wants: act
Works: bare, none
"""

import os
import resource


def square(x):
    if x.tolist() == [3.0]:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard > 64:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        opened = []
        try:
            opened.extend(os.dup(1) for _ in range(2000))
            print("DONE TOKEN")
        finally:
            for descriptor in opened:
                os.close(descriptor)
    return x + 1
