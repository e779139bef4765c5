"""A loop in C that never gives the GIL back: a regular expression that backtracks for ages."""

import re
import signal

import weights  # noqa: F401 - it is held

signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.alarm(60)  # where nobody watches it, it ends all the same
print("step 1", flush=True)
re.match(r"(a+)+$", "a" * 60 + "b")
