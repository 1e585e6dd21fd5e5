"""Answers with an object that says that it is a tensor: compiled code that believes it reads the wrong memory.

Wants: harm
Works: bare
"""

import torch


class Liar:
    def __init__(self, content):
        self.content = content

    @property
    def __class__(self):
        return torch.Tensor

    def __getattr__(self, name):
        return getattr(self.content, name)


def square(x):
    return Liar(x + 1)
