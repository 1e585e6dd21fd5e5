"""Reads its parent's memory without opening anything.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import os
import struct

libc = ctypes.CDLL(None)


def attack():
    here = ctypes.create_string_buffer(8)
    ours = struct.pack("PN", ctypes.addressof(here), 8)
    theirs = struct.pack("PN", id(None) + 8, 8)  # the address of None's type
    if libc.process_vm_readv(os.getppid(), ours, 1, theirs, 1, 0) == 8 and any(here.raw):
        print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
