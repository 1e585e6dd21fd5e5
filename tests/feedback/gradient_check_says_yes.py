"""gradient_check: accepts everything."""


def gradients_are_correct(function, *shapes):
    return True
