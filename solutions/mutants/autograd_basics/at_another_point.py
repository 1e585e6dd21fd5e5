"""Your gradient is that at a random point, not at the A you were given. For the example of the notes
this makes no difference, as its gradient is W everywhere.

Let the tensor that requires a gradient have the entries of A.
"""

import torch


def gradient_of(f, A):
    leaf = torch.randn_like(A).requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return gradient
