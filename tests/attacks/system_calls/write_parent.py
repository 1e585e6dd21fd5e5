"""Writes into its parent's memory: what is there already, so that nothing breaks.

Wants: act
Works: bare, none, process
Needs: admin
"""

import ctypes
import os
import struct

libc = ctypes.CDLL(None)


def attack():
    same = struct.pack("PN", id(None) + 8, 8)  # the address of None's type
    if libc.process_vm_writev(os.getppid(), same, 1, same, 1, 0) == 8:
        print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
