"""training: a known mistake, written otherwise than the mutant: averages over examples."""

from cross_entropy_loss import CrossEntropyLoss


def loss_01(H, Y):
    return (H.argmax(-1) != Y).double().mean()


def epoch(model, X_full, Y_full, opt=None, batch_size=100):
    criterion = CrossEntropyLoss()
    errors = losses = 0.0
    for X, Y in zip(X_full.split(batch_size), Y_full.split(batch_size)):
        logits = model(X)
        loss = criterion(logits, Y)
        if opt is not None:
            opt.zero_grad()
            loss.backward()
            opt.step()
        errors += float(loss_01(logits, Y)) * X.shape[0]
        losses += float(loss) * X.shape[0]
    return errors / X_full.shape[0], losses / X_full.shape[0]
