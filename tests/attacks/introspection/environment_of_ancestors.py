"""Prints the environments of the process that started this one, and of those above it.

Wants: secret
Works: bare, none, process
Needs: admin
"""


def square(x):
    pid = "self"
    for _ in range(3):
        with open(f"/proc/{pid}/environ") as environ:
            print([text for text in environ.read().split("\0") if "CANARY" in text])
        with open(f"/proc/{pid}/stat") as stat:
            pid = stat.read().rpartition(")")[2].split()[1]
    return x + 1
