"""Raises, goes from the traceback to the check's frame, and raises what it has read from the labels.

Wants: secret
Works: bare, none
"""


def square(x):
    try:
        raise ValueError
    except ValueError as error:
        frame = error.__traceback__.tb_frame
    while frame is not None:
        if "secret" in frame.f_locals:
            raise ValueError(frame.f_locals["secret"])
        frame = frame.f_back
    return x + 1
