"""You let A itself require a gradient, and clear its `.grad` first: afterwards both are not what they were.

Work on a tensor of your own, with the values of A.
"""


def gradient_of(f, A):
    A.requires_grad_()
    A.grad = None
    f(A).backward()
    return A.grad
