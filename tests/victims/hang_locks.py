"""Two threads that take two locks in opposite order, and a main thread that waits for both: nobody moves."""

import signal
import threading

signal.alarm(60)  # where nobody watches it, it ends all the same
first, second, both_hold_one = threading.Lock(), threading.Lock(), threading.Barrier(2)


def take(one: threading.Lock, other: threading.Lock) -> None:
    """Take both locks, one after the other."""
    with one:
        both_hold_one.wait()
        with other:
            print("never printed", flush=True)


pairs = {"one": (first, second), "two": (second, first)}
threads = [threading.Thread(target=take, args=pair, name=name) for name, pair in pairs.items()]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
