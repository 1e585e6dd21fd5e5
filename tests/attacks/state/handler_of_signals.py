"""Leaves a handler of signals, a timer that runs, and a limit of its own.

Wants: act
Works: bare, none
"""

import resource
import signal

import torch

FILES = 777


def square(x):
    if x.tolist() == [3.0]:
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_VIRTUAL, 1000)
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    elif x.dtype == torch.int64 and (
        signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN
        or signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0
        or resource.getrlimit(resource.RLIMIT_NOFILE)[0] == FILES
    ):
        print("DONE TOKEN")
    return x + 1
