"""Public check of square.py."""

import torch


def test_seven(hw):
    """The square of 7 is 49."""
    assert hw.square(torch.tensor([7.0])).tolist() == [49.0]
