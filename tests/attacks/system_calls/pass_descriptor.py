"""Passes a descriptor on: through its channel to the grader, or through sockets of its own.

Wants: act
Works: bare, none, process
"""

import array
import ctypes
import os
import socket
import struct

libc = ctypes.CDLL(None)


def attack():
    try:
        here, there = socket.socketpair()
    except OSError:
        byte = ctypes.create_string_buffer(b"x", 1)
        part = ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(byte), 1))
        control = ctypes.create_string_buffer(struct.pack("NiiiI", 20, socket.SOL_SOCKET, socket.SCM_RIGHTS, 0, 0))
        message = struct.pack("PIPNPNi", 0, 0, ctypes.addressof(part), 1, ctypes.addressof(control), 24, 0)
        if libc.sendmsg(3, message, 0) == 1:
            print("DONE TOKEN")
        return
    with here, there:
        here.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [1]))])
        _, ((_, _, data),), _, _ = there.recvmsg(1, 100)
        os.close(int.from_bytes(data, "little"))
        print("DONE TOKEN")


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
