"""Answers with lists in lists, a hundred thousand deep.

Wants: harm
Works: none
"""

import struct

from autograder import worker

HEADER = b"[" * 100_000 + b"]" * 100_000
worker.Runtime.answer = lambda *_: [struct.pack("<4sIQ", b"AGW1", len(HEADER), 0) + HEADER]


def square(x):
    return x + 1
