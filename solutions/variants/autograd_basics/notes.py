"""As in the course notes: `requires_grad_()`, `backward()`, `.grad`; on a copy, so that A stays as it was."""


def gradient_of(f, A):
    A = A.detach().clone().requires_grad_()
    f(A).backward()
    return A.grad
