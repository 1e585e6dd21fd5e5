"""step() puts new tensors into your own list. The model still has the old ones, and never learns.

The parameters that you were given have to change themselves, in place.
"""


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr

    def step(self):
        for i, param in enumerate(self.params):
            if param.grad is not None:
                updated = (param - self.lr * param.grad).detach().requires_grad_()
                updated.grad = param.grad
                self.params[i] = updated

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
