"""Functions of one tensor, to be differentiated."""


def weighted_sum(W):
    """The function of the course notes' example: the sum of the elementwise product of A and W."""
    return lambda A: (A * W).sum()


def sum_of_cubes(A):
    """The sum of the cubes of all entries."""
    return (A**3).sum()
