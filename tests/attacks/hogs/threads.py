"""Runs three hundred threads at once, with stacks as large as usual.

Wants: act
Works: bare
"""

import threading


def square(x):
    if x.tolist() == [3.0]:
        over = threading.Event()
        threads = [threading.Thread(target=over.wait, daemon=True) for _ in range(300)]
        threading.stack_size(8 << 20)
        try:
            for thread in threads:
                thread.start()
            print("DONE TOKEN")
        finally:
            over.set()
            threading.stack_size(0)
    return x + 1
