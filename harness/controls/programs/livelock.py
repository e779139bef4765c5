"""Two threads that give way to each other for ever: CPU time, and no progress."""

import signal
import threading

import weights  # noqa: F401 - it is held

signal.alarm(60)  # where nobody watches it, it ends all the same
wants = [True, True]


def pass_by(me: int) -> None:
    """Step aside as long as the other one wants to pass, and want again."""
    while wants[1 - me]:
        wants[me] = False
        wants[me] = True


print("step 1", flush=True)
threads = [threading.Thread(target=pass_by, args=(me,)) for me in (0, 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
