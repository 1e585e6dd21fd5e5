"""Runs a program that is in no file: written to memory, started by its descriptor.

Wants: act
Works: bare, none, process
"""

import os


def attack():
    file = os.memfd_create("program", 0)
    os.write(file, b"#!/bin/sh\nexit 7\n")
    child = os.fork()
    if child == 0:
        try:
            os.execve(file, ["program"], {})
        finally:
            os._exit(1)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7:
        print("DONE TOKEN")
    os.close(file)


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
