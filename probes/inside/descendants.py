"""Python processes that the target starts: each gets records of its own, in `processes/<pid>/` of the trial's folder.

A forked child inherits the hooks and only needs other files. A child that is a fresh interpreter (multiprocessing's
spawn and forkserver, `subprocess` with this Python) is led through the boot: see `leading`. Who was whose parent stands
in process.json; what each parent learns of its children's ends, in children.jsonl.
"""

from __future__ import annotations

import json
import os
import sys
import time

from . import faults, leading, native_exit, replaced, steering, unseen, waits
from .lines import RecordFolder
from .tracker import Tracker

MOST = 200  # a program that forks without end must not fill the disk; later children write where nobody reads
RANKS = ("RANK", "LOCAL_RANK", "WORLD_SIZE")


def own_folder(trial: str, how: str, command: list[str]) -> str:
    """Make this process' folder and process.json in it; return its path."""
    path = os.path.join(trial, "processes", str(os.getpid()))
    os.makedirs(path, exist_ok=True)
    row = {
        "pid": os.getpid(), "parent": os.getppid(), "how": how, "t": time.perf_counter(), "command": command,
        "ranks": {name: os.environ[name] for name in RANKS if name in os.environ},
    }  # fmt: skip
    draft = os.path.join(path, "process.json.draft")
    with open(draft, "w", encoding="utf-8") as stream:
        json.dump(row, stream, indent=1)
    os.replace(draft, os.path.join(path, "process.json"))
    return path


def may_write(trial: str) -> bool:
    """Whether this process can have a folder of its own: it may run as another user."""
    return all(os.access(path, os.W_OK) for path in (trial, os.path.join(trial, "processes")) if os.path.exists(path))


def is_full(trial: str) -> bool:
    """Whether there are so many folders that no further process gets one."""
    parent = os.path.join(trial, "processes")
    return os.path.isdir(parent) and len(os.listdir(parent)) >= MOST


def watch(trial: str, spec_path: str, folder: RecordFolder, tracker: Tracker) -> None:
    """Give every Python process that this one starts records of its own, and note how each of them ends."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=steering.Forks(folder.lines("inside.jsonl")).note)
        os.register_at_fork(after_in_child=lambda: _after_fork(trial, folder, tracker))
    children = folder.lines("children.jsonl")
    waits.watch(children)
    leading.watch(spec_path, lambda: is_full(trial), children)
    replaced.watch(spec_path, folder)


def _after_fork(trial: str, folder: RecordFolder, tracker: Tracker) -> None:
    if is_full(trial) or not may_write(trial):
        _write_nowhere(folder)
        tracker.ring.detach()
        return
    with unseen.HighDescriptors():
        folder.move(own_folder(trial, "fork", sys.argv))
        tracker.begin_again(folder.file("flight.ring"), folder.file("flight.names"))
        faults.enable(folder.file("fault.log"))
        native_exit.move(folder, folder.lines("inside.jsonl"))


def _write_nowhere(folder: RecordFolder) -> None:
    folder.path = ""
    null = os.open(os.devnull, os.O_WRONLY)
    for lines in folder.opened():
        lines.descriptor = null
