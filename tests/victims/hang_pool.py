"""One process of a Pool is killed with its task in hand: a new one takes its place, the result never comes."""

import multiprocessing
import os
import signal

signal.alarm(60)  # where nobody watches it, it ends all the same


def work(number: int) -> int:
    """Return a square, or die."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(work, range(6), chunksize=1))
