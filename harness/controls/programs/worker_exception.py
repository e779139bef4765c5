"""A spawned worker dies of its own exception; the main process only notices that it is gone."""

import multiprocessing

import weights  # noqa: F401 - it is held


def work(results: object, number: int) -> None:
    """Put three results, then fail."""
    for step in range(3):
        results.put(step)  # type: ignore[attr-defined]
    raise ValueError(f"sample {number} is damaged")


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    results: object = context.Queue()
    worker = context.Process(target=work, args=(results, 7))
    worker.start()
    for step in range(3):
        print(f"step {results.get()}", flush=True)  # type: ignore[attr-defined]
    worker.join()
    if worker.exitcode:
        raise RuntimeError(f"worker {worker.pid} exited unexpectedly")
