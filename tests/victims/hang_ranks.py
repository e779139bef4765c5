"""Two ranks train together, started without torchrun: `hang_ranks.py uneven|alone FOLDER`.

uneven: rank 1 has one batch less than rank 0, and then waits for its own turn at another barrier. alone: rank 1 is
never started, rank 0 waits for it where ranks meet.
"""

import datetime
import signal
import sys
import threading

import torch
import torch.multiprocessing as multiprocessing
from torch.nn.parallel import DistributedDataParallel

BATCHES = 6


def train(rank: int, how: str, place: str) -> None:
    """Train on this rank's batches."""
    signal.alarm(150)
    torch.set_num_threads(1)
    limit = datetime.timedelta(seconds=300)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{place}", rank=rank, world_size=2, timeout=limit
    )  # fmt: skip
    model = DistributedDataParallel(torch.nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(BATCHES - (rank if how == "uneven" else 0)):
        optimizer.zero_grad()
        model(torch.ones(2, 4)).mean().backward()
        optimizer.step()
    threading.Event().wait()  # e.g. for a message of rank 0 that its epoch is done


if __name__ == "__main__":
    signal.alarm(150)  # where nobody watches it, it ends all the same
    context = multiprocessing.get_context("spawn")
    count = 1 if sys.argv[1] == "alone" else 2
    ranks = [context.Process(target=train, args=(rank, *sys.argv[1:3])) for rank in range(count)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
