"""A worker grows under the limit of a control group until the OOM killer takes it; its parent raises an exception."""

import multiprocessing
import time

import weights  # noqa: F401 - it is held


def grow() -> None:
    """Touch more and more memory."""
    held = []
    for _ in range(64):
        held.append(b"\1" * (8 << 20))
        time.sleep(0.02)


if __name__ == "__main__":
    worker = multiprocessing.get_context("fork").Process(target=grow)
    worker.start()
    print("step 1", flush=True)
    worker.join()
    if worker.exitcode:
        raise RuntimeError(f"a worker ended with {worker.exitcode}")
