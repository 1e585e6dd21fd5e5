"""After step() the parameters do not require gradients any more, so that the next backward has nothing to do.

Leave requires_grad as it is; there is another way to keep autograd from watching.
"""


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = list(params)
        self.lr = lr

    def step(self):
        for param in self.params:
            if param.grad is not None:
                param.requires_grad_(False)
                param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
