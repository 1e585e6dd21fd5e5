"""Leaves a module, and a line of it in the cache of source lines.

Wants: act
Works: bare, none
"""

import linecache
import sys
import types

import torch


def square(x):
    if x.tolist() == [3.0]:
        sys.modules["TOKEN"] = types.ModuleType("TOKEN")
        linecache.cache["TOKEN.py"] = (4, None, ["seen"], "TOKEN.py")
    elif x.dtype == torch.int64 and ("TOKEN" in sys.modules or linecache.getline("TOKEN.py", 1)):
        print("DONE TOKEN")
    return x + 1
