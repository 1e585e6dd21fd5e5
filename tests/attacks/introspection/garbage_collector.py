"""Searches every object that the garbage collector knows for secrets.

Wants: secret
Works: bare, none
"""

import gc


def square(x):
    if x.tolist() == [3.0]:
        for thing in gc.get_objects():
            if type(thing) is dict:
                texts = [value for value in list(thing.values()) if isinstance(value, str) and "CANARY_" in value]
                print([text for text in texts if len(text) < 100])
    return x + 1
