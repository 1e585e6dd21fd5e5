"""Your function fails when A is, for example, the transpose of another tensor: `view` needs entries that
lie in memory one after the other. There is no need to flatten A at all.
"""

import torch


def gradient_of(f, A):
    leaf = A.detach().view(-1).requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf.view(A.shape)), leaf)
    return gradient.view(A.shape)
