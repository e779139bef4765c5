"""How many worker processes each DataLoader asks for; where the spec says so (`loader_workers: 0`), it gets none.

A script's own number stands in no configuration file, so it is changed as `torch.set_num_threads` is: from inside.
Source: torch/utils/data/dataloader.py, DataLoader.__init__, which refuses these arguments where there are no workers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .lines import Lines

OF_WORKERS = ("num_workers", "timeout", "worker_init_fn", "multiprocessing_context", "prefetch_factor",
              "persistent_workers")  # fmt: skip
MOST_NOTED = 64


def watch(loaders: Any, spec: dict, inside: Lines) -> None:
    """Note the number of each loader that is made; take the workers away where the spec asks for none."""
    kind = loaders.DataLoader
    original = kind.__init__
    names = original.__code__.co_varnames[1 : original.__code__.co_argcount]
    note = _noter(inside)
    alone = spec.get("loader_workers") == 0

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        given = {**dict(zip(names, args)), **kwargs}  # noqa: B905 - Python 3.9
        asked = given.get("num_workers", 0)
        if alone and asked and len(args) <= len(names):
            original(self, **{name: value for name, value in given.items() if name not in OF_WORKERS})
        else:
            original(self, *args, **kwargs)
        note(asked, self.num_workers)

    kind.__init__ = __init__


def _noter(inside: Lines) -> Callable[[Any, Any], None]:
    seen: list[tuple] = []

    def note(asked: Any, had: Any) -> None:
        if (asked, had) not in seen and len(seen) < MOST_NOTED:
            seen.append((asked, had))
            inside.write(event="loader workers", asked=asked, had=had)

    return note
