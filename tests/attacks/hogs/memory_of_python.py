"""Takes 1.5 GB in Python objects, three times what it may have.

Wants: act
Works: bare
"""

BLOCKS, BYTES = 24, 64 << 20


def square(x):
    if x.tolist() == [3.0]:
        taken = [b"x" * BYTES for _ in range(BLOCKS)]
        print("DONE TOKEN", len(taken))
    return x + 1
