"""As in the course notes: the split tensors zipped, running sums, averages over batches."""

import torch

from cross_entropy_loss import CrossEntropyLoss


def loss_01(H, Y):
    return torch.mean((torch.argmax(H, -1) != Y).float())


def epoch(model, X_full, Y_full, opt=None, batch_size=100):
    loss = CrossEntropyLoss()
    X_batches, Y_batches = X_full.split(batch_size), Y_full.split(batch_size)
    total_err, total_loss = 0.0, 0.0
    for X, Y in zip(X_batches, Y_batches):  # noqa: B905 - as in the notes
        H = model(X)
        batch_loss = loss(H, Y)
        total_err += loss_01(H, Y).item()
        total_loss += batch_loss.item()
        if opt:
            opt.zero_grad()
            batch_loss.backward()
            opt.step()
    return total_err / len(X_batches), total_loss / len(X_batches)
