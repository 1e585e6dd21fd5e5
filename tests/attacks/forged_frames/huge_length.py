"""Answers with a frame that promises more bytes than there are.

Wants: harm
Works: none
"""

import struct

from autograder import worker

worker.Runtime.answer = lambda self, header, body: [struct.pack("<4sIQ", b"AGW1", 8, 1 << 62), b"[[],[],[]]"]


def square(x):
    return x + 1
