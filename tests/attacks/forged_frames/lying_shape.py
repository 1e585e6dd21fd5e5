"""Sends every tensor with a shape that is larger than its bytes.

Wants: harm
Works: none
"""

from autograder import wire

original = wire._Encoder.storages


def storages(self):
    described, sizes, buffers = original(self)
    for entry in described:
        entry[2], entry[3] = [1 << 20], [1]
    return described, sizes, buffers


wire._Encoder.storages = storages


def square(x):
    return x + 1
