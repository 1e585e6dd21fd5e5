"""The autograder: grades a PyTorch homework with checks that live in another process than the student's code."""

__all__ = ["__version__"]

__version__ = "0.1.0"
