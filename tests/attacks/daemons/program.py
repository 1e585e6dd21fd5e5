"""Starts a program and goes on without it.

Wants: leftover
Works: bare, none
Needs: root
"""

import subprocess


def square(x):
    if x.tolist() == [3.0]:
        nothing = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        subprocess.Popen(["/bin/sh", "-c", "sleep 30; exit", "TOKEN"], start_new_session=True, **nothing)
    return x + 1
