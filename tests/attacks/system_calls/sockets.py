"""Opens sockets of every family: internet, local, kernel, raw packets, virtual machines.

Wants: act
Works: bare, none, process
"""

import socket

FAMILIES = {
    socket.AF_INET: socket.SOCK_DGRAM,
    socket.AF_INET6: socket.SOCK_STREAM,
    socket.AF_UNIX: socket.SOCK_STREAM,
    socket.AF_NETLINK: socket.SOCK_RAW,
    socket.AF_PACKET: socket.SOCK_RAW,
    socket.AF_VSOCK: socket.SOCK_STREAM,
}


def attack():
    for family, kind in FAMILIES.items():
        try:
            socket.socket(family, kind).close()
            print("DONE TOKEN", family)
        except OSError:
            pass


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
