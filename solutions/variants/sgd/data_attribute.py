"""Goes around autograd through `.data`, of parameters and of gradients."""


class SGD:
    def __init__(self, params, lr=1.0):
        self.params = [p for p in params]
        self.lr = lr

    def zero_grad(self):
        for p in self.params:
            if p.grad is not None:
                p.grad.data.zero_()

    def step(self):
        for p in self.params:
            if p.grad is None:
                continue
            p.data -= self.lr * p.grad.data
