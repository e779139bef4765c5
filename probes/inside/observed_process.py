"""One observed process, from its first line to its last."""

from __future__ import annotations

import json
import os
import sys

from . import (
    become_target,
    births,
    capture,
    confine,
    descendants,
    endings,
    faults,
    imports,
    lift,
    looked_at,
    native_exit,
    plant,
    replaced,
    scheduling,
    silence,
    stacks,
    torch_hooks,
    unseen,
)
from .flight import KIND, Ring
from .lines import RecordFolder
from .tracker import Tracker


def main(arguments: list[str], before: dict) -> None:
    """Set the probes up as the spec file (first argument) says, then run the target (what stands after `--`).

    Between the two may stand how this process came to be, where it is a descendant of the observed one: "spawn"; or
    "exec" and its folder, where it was observed before another program took it over.
    `before` holds the paths and modules as they were before the boot.
    """
    spec_path, *words = arguments
    origin, command = words[: words.index("--")], words[words.index("--") + 1 :]
    with open(spec_path, encoding="utf-8") as stream:
        spec = json.load(stream)
    is_observed = not origin or descendants.may_write(spec["folder"])
    with unseen.HighDescriptors():
        folder = _set_up(spec, spec_path, origin, command) if is_observed else None
    unseen.restore(before)
    become_target.prepare(command)
    unseen.forget_shadowed(before)
    with endings.MainProgram(folder):
        become_target.run(command)


def _set_up(spec: dict, spec_path: str, origin: list[str], command: list[str]) -> RecordFolder:
    """Open every record and install every hook; return the folder of this process."""
    folder = RecordFolder(_place(spec, origin, command))
    if not origin and "supervisor" in spec:
        faults.die_with(spec["supervisor"])
    if spec.get("lift_limits") and not origin:
        lift.apply(folder)
    if spec.get("confine") and not origin:  # a descendant has inherited it
        confine.apply(spec["confine"], folder)
    faults.enable(folder.file("fault.log"), held="supervisor" in spec)
    if spec.get("stack_bytes"):
        stacks.enlarge(spec["stack_bytes"])
    scheduling.apply(spec, folder.lines("inside.jsonl"))
    if not spec.get("own_signals", True) and not origin:
        silence.apply(folder.lines("inside.jsonl"))
    if spec.get("inside_probes", True):
        observe(spec, spec_path, folder)
    return folder


def _place(spec: dict, origin: list[str], command: list[str]) -> str:
    """Return the folder of this process' records."""
    if origin[:1] == [replaced.HOW]:
        return origin[1]
    return descendants.own_folder(spec["folder"], origin[0], command) if origin else spec["folder"]


def observe(spec: dict, spec_path: str, folder: RecordFolder) -> None:
    """Open the records and wait for torch; everything that is not the crash handler."""
    ring = Ring(folder.file("flight.ring"), folder.file("flight.names"))
    inside = folder.lines("inside.jsonl")
    inside.write(event="start", python=sys.version.split()[0], executable=sys.executable, parent=os.getppid())
    tracker = Tracker(ring, folder.lines("forwards.jsonl"))
    tracker.position(KIND["start"])
    endings.watch(folder, tracker)
    births.watch(inside)
    if "supervisor" in spec:
        looked_at.expect()
    native_exit.watch(folder, inside)
    imports.when_imported("torch", lambda torch: torch_hooks.install(torch, tracker, spec, inside))
    if spec.get("capture"):  # before the plant, whose operators are part of the call that it strikes in
        imports.when_imported("torch", lambda torch: capture.install(torch, tracker, spec["capture"], folder, inside))
    if spec.get("plant"):
        imports.when_imported("torch", lambda torch: plant.install(torch, tracker, spec["plant"], inside))
    descendants.watch(spec["folder"], spec_path, folder, tracker)
