"""A worker of a process pool faults in native code; the main process raises what the pool raises for it."""

import ctypes
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import weights  # noqa: F401 - it is held


def work(number: int) -> int:
    """Return a square; read what is not there for the last."""
    return len(ctypes.string_at(64, 8)) if number == 5 else number * number


if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        for step, square in enumerate(pool.map(work, range(6))):
            print(f"step {step}: {square}", flush=True)
