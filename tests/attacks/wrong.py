"""A plain wrong answer: what attacks would earn without their tricks.

Wants: points
Works: bare
"""


def square(x):
    """Return something else."""
    return x + 1
