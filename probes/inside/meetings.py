"""Where ranks meet: who has come to torch.distributed, as which rank of how many, and who is still waited for.

Sources: torch/distributed/distributed_c10d.py, init_process_group; torch/distributed/elastic/rendezvous, whose state
says how many nodes have come.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Any

from . import imports
from .lines import Lines

PUBLIC = "torch.distributed"
GROUPS = "torch.distributed.distributed_c10d"
RENDEZVOUS = "torch.distributed.elastic.rendezvous.dynamic_rendezvous"
ARGUMENTS = ("backend", "init_method", "timeout", "world_size", "rank")


def watch(inside: Lines) -> None:
    """Record each meeting as it begins and as it is complete."""
    imports.when_imported(GROUPS, lambda module: _watch_groups(module, inside))
    imports.when_imported(RENDEZVOUS, lambda module: _watch_rendezvous(module, inside))


def _watch_groups(module: Any, inside: Lines) -> None:
    original = getattr(module, "init_process_group", None)
    if original is None:  # a torch that was built without it
        return

    @functools.wraps(original)
    def init_process_group(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(ARGUMENTS, args)), **kwargs}  # noqa: B905 - Python 3.9
        where = {"backend": given.get("backend"), "init_method": given.get("init_method")}
        rank, size = _number(given.get("rank"), "RANK"), _number(given.get("world_size"), "WORLD_SIZE")
        inside.write(event="process group", at="begin", rank=rank, world_size=size, **where)
        result = original(*args, **kwargs)
        rank, size = module.get_rank(), module.get_world_size()
        inside.write(event="process group", at="end", rank=rank, world_size=size, **where)
        return result

    for place in (module, sys.modules.get(PUBLIC)):  # the package has taken the function over by its name
        if getattr(place, "init_process_group", None) is original:
            place.init_process_group = init_process_group  # type: ignore[union-attr]


def _number(given: Any, variable: str) -> Any:
    """Return what was given, else what the environment says (init_method="env://"); -1 where neither does."""
    text = os.environ.get(variable, "")
    return given if isinstance(given, int) and given >= 0 else int(text) if text.isdigit() else -1


def _watch_rendezvous(module: Any, inside: Lines) -> None:
    holder: Any = getattr(module, "_BackendRendezvousStateHolder", None)
    if holder is None:
        return
    original = holder.sync
    told: list[int] = []

    @functools.wraps(original)
    def sync(self: Any) -> Any:
        result = original(self)
        came, settings = len(self.state.participants), self._settings
        if told[-1:] != [came]:
            told.append(came)
            inside.write(event="rendezvous", came=came, least=settings.min_nodes, run_id=str(settings.run_id))
        return result

    holder.sync = sync
