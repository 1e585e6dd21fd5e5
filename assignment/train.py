"""Trains your network on MNIST with your own parts, and draws how it went."""

import argparse
import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from torch.nn import Module
from tqdm import tqdm

from data import DataError, load_mnist
from linear import Linear
from relu import ReLU
from sequential import Sequential
from sgd import SGD
from submit import find_problem
from training import epoch
from two_layer_nn import TwoLayerNN

ROWS, COLUMNS = 3, 10  # of misclassified digits
TRAINING, TEST, GREY = "tab:blue", "tab:orange", "0.4"  # colours


def main(arguments: list[str] | None = None) -> int:
    """Train, print a line an epoch, save the picture; return the exit code."""
    options = parse(arguments)
    try:
        check_parts("sequential" if options.sequential else "two_layer_nn")
        X_train, Y_train, X_test, Y_test = load_mnist()
    except (Unfinished, DataError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1

    torch.manual_seed(options.seed)
    model = build_model(options.hidden, options.sequential)
    opt = SGD(model.parameters(), lr=options.lr)
    X_train, Y_train = X_train[: options.limit], Y_train[: options.limit]

    history = []  # one (training error, training loss, test error, test loss) an epoch
    print("epoch   training error    loss   test error    loss")
    for number in tqdm(range(1, options.epochs + 1), unit="epoch", leave=False, disable=None):
        training = epoch(model, X_train, Y_train, opt, options.batch_size)
        test = epoch(model, X_test, Y_test, batch_size=options.batch_size)
        history.append((*training, *test))
        line = "{:5}   {:14.2%}  {:6.4f}   {:10.2%}  {:6.4f}".format(number, *history[-1])
        tqdm.write(line, file=sys.stdout)

    with torch.no_grad():
        H = model(X_test)
    draw(history, H, X_test, Y_test).savefig(options.out, dpi=120)
    print(f"curves and misclassified digits: {options.out}")
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--epochs", type=positive, default=20, help="passes over the training images")
    parser.add_argument("--lr", type=float, default=0.5, help="learning rate")
    parser.add_argument("--batch-size", type=positive, default=100, help="images in a batch")
    parser.add_argument("--hidden", type=positive, default=100, help="size of the hidden layer")
    parser.add_argument("--seed", type=int, default=0, help="makes the random weights repeat")
    parser.add_argument("--limit", type=positive, help="train on the first so many images only")
    parser.add_argument("--sequential", action="store_true", help="train a Sequential, no TwoLayerNN")
    parser.add_argument("--out", type=picture, default="training.png", help="where the picture goes")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def picture(text: str) -> Path:
    """Read the name of a PNG file in a folder that exists."""
    path = Path(text)
    if path.suffix.lower() != ".png" or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a .png file in a folder that exists")
    return path


class Unfinished(Exception):
    """A part that training needs is not written yet."""


def check_parts(network: str) -> None:
    """Raise for the first part that is not written yet, in the order of the handout."""
    for part in ("linear", "relu", "cross_entropy_loss", network, "sgd", "training"):
        if problem := find_problem(f"{part}.py", part):
            raise Unfinished(f"do this first: {problem}")


def build_model(hidden_dim: int, sequential: bool) -> Module:
    """Return a network for images of 784 pixels and 10 digits."""
    if sequential:
        return Sequential(Linear(784, hidden_dim), ReLU(), Linear(hidden_dim, 10, init_factor=1.0))
    return TwoLayerNN(784, hidden_dim, 10)


def draw(history: list[tuple[float, ...]], H: torch.Tensor, X: torch.Tensor, Y: torch.Tensor) -> Figure:
    """Draw the curves, and misclassified images out of X (n, 784) with logits H (n, 10), labels Y (n)."""
    figure = Figure(figsize=(10, 8), layout="constrained")
    curves, digits = figure.subfigures(2, 1, height_ratios=[1, 1.1])
    train_err, train_loss, test_err, test_loss = zip(*history, strict=True)
    left, right = curves.subplots(1, 2)
    draw_curves(left, "error", train_err, test_err)
    left.yaxis.set_major_formatter(PercentFormatter(1))
    draw_curves(right, "loss", train_loss, test_loss)
    draw_mistakes(digits, H, X, Y)
    return figure


def draw_curves(axes, name: str, training: tuple[float, ...], test: tuple[float, ...]) -> None:
    """Draw one measure of training and test images over the epochs."""
    epochs = range(1, len(training) + 1)
    style = {"marker": "o", "markersize": 4, "clip_on": False}
    axes.plot(epochs, training, color=TRAINING, label="training, during the epoch", **style)
    axes.plot(epochs, test, color=TEST, label="test, after the epoch", **style)
    axes.set_title(name, loc="left", fontweight="bold")
    axes.set_xlabel("epoch")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.grid(axis="y", color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def draw_mistakes(figure, H: torch.Tensor, X: torch.Tensor, Y: torch.Tensor) -> None:
    """Draw the misclassified images, those with the greatest loss first."""
    predicted = H.argmax(dim=1)
    loss = H.logsumexp(dim=1) - H[torch.arange(len(Y)), Y]
    wrong = (predicted != Y).nonzero().flatten()
    worst = wrong[loss[wrong].argsort(descending=True)][: ROWS * COLUMNS].tolist()
    title = f"{len(wrong)} of {len(Y)} test images misclassified; those with the greatest loss:"
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    for i, axes in enumerate(figure.subplots(ROWS, COLUMNS).flat):
        axes.axis("off")
        if i < len(worst):
            axes.imshow(X[worst[i]].view(28, 28).numpy(), cmap="gray_r")
            axes.set_title(f"label {Y[worst[i]]}\npredicted {predicted[worst[i]]}", fontsize=9, color=GREY)


if __name__ == "__main__":
    sys.exit(main())
