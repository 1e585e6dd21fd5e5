"""After your function, `A.requires_grad` is `False` even where it was `True` before.

Switching it off again is right only for an A that came without it. A detached copy spares you the
question.
"""

import torch


def gradient_of(f, A):
    A.requires_grad_()
    (gradient,) = torch.autograd.grad(f(A), A)
    A.requires_grad_(False)
    return gradient
