"""Code of the program ends a worker of a process pool by C exit(1); no Python hears of it."""

import ctypes
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import weights  # noqa: F401 - it is held


def work(number: int) -> int:
    """Return a square; leave at the last."""
    if number == 5:
        ctypes.CDLL(None).exit(1)
    return number * number


if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        for step, square in enumerate(pool.map(work, range(6))):
            print(f"step {step}: {square}", flush=True)
