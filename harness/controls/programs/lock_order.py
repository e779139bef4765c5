"""Two threads take two locks in opposite order: both wait for ever, without CPU time."""

import signal
import threading

import weights  # noqa: F401 - it is held

signal.alarm(60)  # where nobody watches it, it ends all the same
first, second, both_hold_one = threading.Lock(), threading.Lock(), threading.Barrier(2)


def take(one: threading.Lock, other: threading.Lock) -> None:
    """Take both locks, one after the other."""
    with one:
        both_hold_one.wait()
        with other:
            print("never printed", flush=True)


print("step 1", flush=True)
threads = [threading.Thread(target=take, args=pair) for pair in ((first, second), (second, first))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
