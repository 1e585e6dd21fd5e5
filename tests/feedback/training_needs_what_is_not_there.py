"""training: fails where Python itself says what is wrong, in a helper that is named on the line."""


def loss_01(H, Y):
    wrong = H.argmaxx(dim=1) != Y
    return wrong.float().mean()


def epoch(model, X_full, Y_full, opt=None, batch_size=100):
    batches = X_full / batch_size
    return loss_01(model(X_full), Y_full).item(), batches
