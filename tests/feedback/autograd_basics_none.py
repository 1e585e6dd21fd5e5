"""autograd_basics: the result is not returned."""


def gradient_of(f, A):
    A = A.detach().clone().requires_grad_()
    f(A).backward()
    A.grad
