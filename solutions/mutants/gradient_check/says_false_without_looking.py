"""Your answer is `False` whatever the function is, also where its backward is right.

If you do compare, is the tolerance one that finite differences can meet?
"""


def gradients_are_correct(function, *shapes):
    return False
