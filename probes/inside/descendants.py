"""Python processes that the target starts: each gets records of its own, in `processes/<pid>/` of the trial's folder.

A forked child inherits the hooks and only needs other files. A child that multiprocessing spawns is a fresh
interpreter: its command line is led through the boot. Who was whose parent stands in process.json.
"""

from __future__ import annotations

import json
import os
import sys
import types

from . import faults, imports, steering, unseen
from .lines import RecordFolder
from .tracker import Tracker

MOST = 200  # a program that forks without end must not fill the disk; later children write where nobody reads
BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.py")


def own_folder(trial: str, how: str, command: list[str]) -> str:
    """Make this process' folder and process.json in it; return its path."""
    path = os.path.join(trial, "processes", str(os.getpid()))
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "process.json"), "w", encoding="utf-8") as stream:
        json.dump({"pid": os.getpid(), "parent": os.getppid(), "how": how, "command": command}, stream, indent=1)
    return path


def watch(trial: str, spec_path: str, folder: RecordFolder, tracker: Tracker) -> None:
    """Give every Python process that this one forks or spawns records of its own."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=steering.Forks(folder.lines("inside.jsonl")).note)
        os.register_at_fork(after_in_child=lambda: _after_fork(trial, folder, tracker))
    imports.when_imported("multiprocessing.spawn", lambda module: _lead_spawn_through_boot(module, spec_path))


def _after_fork(trial: str, folder: RecordFolder, tracker: Tracker) -> None:
    parent = os.path.join(trial, "processes")
    if os.path.isdir(parent) and len(os.listdir(parent)) >= MOST:
        _write_nowhere(folder)
        tracker.ring.detach()
        return
    with unseen.HighDescriptors():
        folder.move(own_folder(trial, "fork", sys.argv))
        tracker.begin_again(folder.file("flight.ring"), folder.file("flight.names"))
        faults.enable(folder.file("fault.log"))


def _write_nowhere(folder: RecordFolder) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    for lines in folder.opened():
        lines.descriptor = null


def _lead_spawn_through_boot(spawn: types.ModuleType, spec_path: str) -> None:
    """Put the boot before `-c CODE` in the command line of a child that multiprocessing spawns."""
    original = spawn.get_command_line

    def get_command_line(**kwargs: object) -> list[str]:
        command: list[str] = original(**kwargs)
        if "-c" not in command:  # a frozen program has no interpreter to lead through
            return command
        at = command.index("-c")
        return [*command[:at], BOOT, spec_path, "spawn", "--", *command[at:]]

    spawn.get_command_line = get_command_line  # type: ignore[attr-defined]
