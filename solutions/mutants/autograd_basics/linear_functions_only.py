"""Your gradient is right only for linear functions, such as the example of the notes. For others it
depends on A.

Go backward through the graph of `f(A)` rather than trying out f elsewhere.
"""

import torch


def gradient_of(f, A):
    zero = torch.zeros_like(A).detach()
    gradient = torch.zeros_like(A).detach()
    for i in range(A.numel()):
        unit = torch.zeros(A.numel(), dtype=A.dtype)
        unit[i] = 1
        gradient.view(-1)[i] = (f(unit.reshape(A.shape)) - f(zero)).detach()
    return gradient
