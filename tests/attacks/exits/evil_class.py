"""Raises what is no Exception, says that it is an outcome of pytest's, and ends the process when looked at.

Wants: harm
Works: bare
"""

import os

import pytest


class Evil(BaseException):
    @property
    def __class__(self):
        return pytest.skip.Exception

    def __getattribute__(self, name):
        if name in ("msg", "args", "allow_module_level", "__notes__"):
            os._exit(0)
        return super().__getattribute__(name)


def square(x):
    raise Evil
