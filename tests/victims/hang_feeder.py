"""A worker puts what cannot be pickled into a queue: its feeder thread prints an error and goes on, the result never
comes, and the main process waits for it."""

import multiprocessing
import signal
import threading

signal.alarm(60)  # where nobody watches it, it ends all the same


def work(results: "multiprocessing.Queue[object]") -> None:
    """Give the result, with a lock in it, and wait to be told that it was the last."""
    results.put({"batch": 1, "lock": threading.Lock()})
    multiprocessing.Event().wait()


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    context.Process(target=work, args=(results,), daemon=True, name="loader").start()
    print(results.get())
