"""matmul: a known mistake, written otherwise than the mutant: the gradient for Y has the wrong sign."""

from torch.autograd import Function


class MatMul(Function):
    @staticmethod
    def forward(ctx, X, Y):
        ctx.save_for_backward(X, Y)
        return X.mm(Y)

    @staticmethod
    def backward(ctx, grad):
        X, Y = ctx.saved_tensors
        return grad.mm(Y.t()), X.t().mm(-grad)
