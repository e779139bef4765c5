"""A regular expression that backtracks for ages: a loop in C that never gives the GIL back."""

import re
import signal
import threading

signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.alarm(60)  # where nobody watches it, it ends all the same


def match() -> None:
    """Try all 2 ** 60 ways."""
    re.match(r"(a+)+$", "a" * 60 + "b")


threading.Thread(target=match, name="matcher").start()
print("never printed: the print needs the GIL", flush=False)
