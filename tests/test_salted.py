"""Salted MNIST: what a student may have memorised of the public data is worth nothing, and the salt is all it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from autograder.checks.salted import salted
from autograder.config import Homework
from autograder.plugin import load_reference

Digits = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture(scope="module")
def public(homework: Homework) -> Digits:
    """MNIST as everyone has it, a byte a pixel; what can be memorised."""
    X, Y, X_test, Y_test = homework.load_module("assignment/data.py").load_bytes()
    return X, Y, X_test, Y_test


@pytest.fixture(scope="module")
def hidden(homework: Homework, public: Digits) -> Digits:
    """MNIST as checks use it."""
    X, Y, X_test, Y_test = public
    return *salted(homework.salt, "train", X, Y), *salted(homework.salt, "test", X_test, Y_test)


@pytest.fixture(scope="module")
def trained(homework: Homework, public: Digits) -> Iterator[Any]:
    """A network that was trained on the public data."""
    hw = load_reference(homework)
    torch.manual_seed(0)
    model = hw.TwoLayerNN(784, 100, 10)
    hw.epoch(model, public[0].float() / 255, public[1], hw.SGD(model.parameters(), lr=0.5))
    yield model


class Memorised:
    """Labels of the public test images, found again in several ways."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor):
        self.labels = labels
        self.by_hash = {row.numpy().tobytes(): int(label) for row, label in zip(images, labels, strict=True)}
        self.sorted = self._signature(images)

    @staticmethod
    def _signature(images: torch.Tensor) -> torch.Tensor:
        rows = images.float().sort(1).values
        return rows / rows.norm(dim=1, keepdim=True)

    def place(self, images: torch.Tensor) -> torch.Tensor:
        """By the place in the file."""
        return self.labels[: len(images)]

    def hash(self, images: torch.Tensor) -> torch.Tensor:
        """By the bytes of an image."""
        return torch.tensor([self.by_hash.get(row.numpy().tobytes(), 0) for row in images])

    def sorted_pixels(self, images: torch.Tensor) -> torch.Tensor:
        """By the nearest image, whatever the order of the pixels and however bright."""
        return self.labels[(self._signature(images) @ self.sorted.T).argmax(1)]


def accuracy_after_best_renaming(guesses: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of right guesses if each guessed class is renamed as suits best: new numbers of classes are learned."""
    counts = torch.zeros(10, 10).index_put_((guesses, labels), torch.ones(()), accumulate=True)
    return (counts.max(1).values.sum() / len(labels)).item()


@pytest.mark.parametrize("way", ["place", "hash", "sorted_pixels"])
def test_memorised_labels_are_worth_nothing(public, hidden, way):
    """Labels found by place, hash or sorted pixels are all right on public images, and near chance on salted ones."""
    some = 2000
    memorised = Memorised(public[2][:some], public[3][:some])
    assert accuracy_after_best_renaming(getattr(memorised, way)(public[2][:some]), public[3][:some]) == 1.0
    unshuffled, labels = salted("another", "test", public[2][:some], public[3][:some])
    assert accuracy_after_best_renaming(getattr(memorised, way)(unshuffled), labels) < 0.2


def test_trained_weights_are_worth_nothing(public, hidden, trained):
    """A network trained on public images reads these, and guesses on salted ones."""
    with torch.no_grad():
        known, unknown = (trained(X.float() / 255).argmax(1) for X in (public[2], hidden[2]))
    assert accuracy_after_best_renaming(known, public[3]) > 0.9
    assert accuracy_after_best_renaming(unknown, hidden[3]) < 0.25


def test_the_salt_decides(public):
    """The same salt gives the same images, another one others; all images and labels are still there."""
    X, Y = public[2][:500], public[3][:500]
    once, again, other = salted("a", "test", X, Y), salted("a", "test", X, Y), salted("b", "test", X, Y)
    assert torch.equal(once[0], again[0]) and torch.equal(once[1], again[1])
    assert not torch.equal(once[0], other[0])
    assert sorted(once[1].bincount(minlength=10)) == sorted(Y.bincount(minlength=10))


def test_parts_go_together(public):
    """Pixels and classes are permuted alike in both parts, so that what is learned from one holds for the other."""
    X, Y = public[0][:200], public[1][:200]
    (train, labels), (test, same) = salted("a", "train", X, Y), salted("a", "test", X, Y)
    means = [images.float().mean(0) for images in (train, test)]
    assert torch.corrcoef(torch.stack(means))[0, 1] > 0.95
    assert torch.equal(labels.bincount(minlength=10), same.bincount(minlength=10))
    assert not torch.equal(train, test)
