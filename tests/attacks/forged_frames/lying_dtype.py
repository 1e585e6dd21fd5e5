"""Sends every tensor under the name of another dtype, and as part of a storage that others use too.

Wants: harm
Works: none
"""

from autograder import wire

original = wire._Encoder.storages


def storages(self):
    described, sizes, buffers = original(self)
    return [[0, "complex128", [1], [1], 1 << 50] for _ in described], sizes, buffers


wire._Encoder.storages = storages


def square(x):
    return x + 1
