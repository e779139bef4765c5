"""Starts a pool of OMP_NUM_THREADS threads where the user may have no more: pthread_create fails."""

import os
import threading

import few_threads
import weights  # noqa: F401 - it is held

few_threads.allow(0)
print("step 1", flush=True)
pool = [threading.Thread(target=print, args=("a worker",)) for _ in range(1, int(os.environ["OMP_NUM_THREADS"]))]
for thread in pool:
    thread.start()
for thread in pool:
    thread.join()
