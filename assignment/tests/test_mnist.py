"""Public checks of all parts together, on small data made here. train.py does it on MNIST itself."""

import torch


def patterns():
    """600 noisy copies of 10 random patterns of 8 x 8 numbers, and which pattern each one is."""
    Y = torch.arange(600) % 10
    X = torch.randn(10, 64)[Y] + 0.7 * torch.randn(600, 64)
    return X, Y


# Right parts get all of these easily separated patterns right; guessing is wrong for 90 %.
MESSAGE = (
    "After 10 epochs, {:.0%} of the test examples are wrong; at most 10 % should be. "
    "The mean loss of the first epoch was {:.3f}, of the last {:.3f}. "
    "Check the parts alone first; their checks say more than this one."
)


def test_network_of_two_layers_learns(hw):
    """TwoLayerNN, SGD, CrossEntropyLoss and epoch, together, learn to tell 10 patterns."""
    X, Y = patterns()
    model = hw.TwoLayerNN(64, 32, 10)
    opt = hw.SGD(model.parameters(), lr=0.1)

    history = [hw.epoch(model, X[:400], Y[:400], opt, batch_size=20) for _ in range(10)]

    wrong = (model(X[400:]).argmax(1) != Y[400:]).float().mean().item()
    assert wrong <= 0.1, MESSAGE.format(wrong, history[0][1], history[-1][1])


def test_same_network_layer_by_layer_learns(hw):
    """Sequential(Linear, ReLU, Linear) learns to tell 10 patterns, too."""
    X, Y = patterns()
    model = hw.Sequential(hw.Linear(64, 32), hw.ReLU(), hw.Linear(32, 10, init_factor=1.0))
    opt = hw.SGD(model.parameters(), lr=0.1)

    history = [hw.epoch(model, X[:400], Y[:400], opt, batch_size=20) for _ in range(10)]

    wrong = (model(X[400:]).argmax(1) != Y[400:]).float().mean().item()
    assert wrong <= 0.1, MESSAGE.format(wrong, history[0][1], history[-1][1])
