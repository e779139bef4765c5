"""One observed process, from its first line to its last."""

from __future__ import annotations

import json
import os
import sys
import threading

from . import endings, faults, imports, plant, target, torch_hooks
from .flight import KIND, Ring
from .lines import Lines
from .tracker import Tracker


def main(arguments: list[str]) -> None:
    """Set the probes up as the spec file (first argument) says, then run the target (what stands after `--`)."""
    spec_path, _, *command = arguments
    with open(spec_path, encoding="utf-8") as stream:
        spec = json.load(stream)
    folder = spec["folder"]
    faults.enable(os.path.join(folder, "fault.log"))
    if spec.get("inside_probes", True):
        observe(spec, folder)
    with endings.MainProgram(folder):
        target.run(command)


def observe(spec: dict, folder: str) -> None:
    """Open the records and wait for torch; everything that is not the crash handler."""
    ring = Ring(os.path.join(folder, "flight.ring"), os.path.join(folder, "flight.names"))
    ring.write(KIND["start"], 0, 0, 0, 0, 0, threading.get_native_id())
    inside = Lines(os.path.join(folder, "inside.jsonl"))
    inside.write(event="start", pid=os.getpid(), python=sys.version.split()[0], executable=sys.executable)
    tracker = Tracker(ring, Lines(os.path.join(folder, "forwards.jsonl")))
    endings.watch(folder, tracker)
    imports.when_imported("torch", lambda torch: torch_hooks.install(torch, tracker, spec, inside))
    if spec.get("plant"):
        imports.when_imported("torch", lambda torch: plant.install(torch, tracker, spec["plant"], inside))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=tracker.detach)
