"""step() is recorded by autograd, which refuses to have a parameter changed in place while it watches.

The update is not part of the model: it has to happen where autograd does not look.
"""


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr

    def step(self):
        for param in self.params:
            if param.grad is not None:
                param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
