"""Launch, watch, sweep and reap one trial: from a cell to a folder of records. Judges nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.decide.interventions import Intervention
from harness.facts.ended.ntstatus import ENDED_BY_HARNESS
from harness.launch import command as launching
from harness.launch import interpreter, stop_rules, surroundings
from harness.launch.memory_limit import Confinement
from harness.launch.process import Child, Launch, Reaped
from harness.launch.pulses import Pulses
from harness.launch.stillness import allowed_seconds
from harness.launch.stop_rules import Limit, Pulse
from harness.launch.system import verbs
from harness.model import Cell, EndedBy
from harness.plan.reading import Plan
from harness.plan.target import MEMORY_FACTOR
from probes import records
from probes.outside import PROBES, Probe, Watched
from probes.outside.crash import torch_stacks

BOOT = Path(__file__).resolve().parents[2] / "probes" / "inside" / "boot.py"
CONTROL_C_EXIT = 0xC000013A
Watcher = Callable[[Pulse], bool]


@dataclasses.dataclass(frozen=True)
class Request:
    """One trial to run: its id (which is its folder under the inquest's), its cell, the plan, what is changed.

    `capture`: which call of which module is to be recorded, operator by operator (probes/inside/capture.py).
    """

    id: str
    folder: Path
    cell: Cell
    plan: Plan
    intervention: Intervention | None = None
    memory_limit_bytes: int | None = None
    memory_means: str | None = None
    capture: Mapping[str, Any] | None = None

    @property
    def limit_bytes(self) -> int | None:
        """The memory limit: an intervention's, else the cell's own; the tighter where there are both."""
        limits = [self.memory_limit_bytes, self.cell.as_dict().get(MEMORY_FACTOR)]
        return min((limit for limit in limits if limit is not None), default=None)

    @property
    def effective(self) -> Cell:
        """The factor values that the target gets: the cell's, under the intervention."""
        return self.intervention.applied_to(self.cell) if self.intervention else self.cell


def run(request: Request, keep_going: Watcher) -> None:
    """Run one trial to its end; afterwards its folder holds all records, exit.json last.

    `keep_going` is shown every pulse and answers False to have the trial ended (Ctrl-C).
    """
    request.folder.mkdir(parents=True)
    with ExitStack() as stack:
        confinement = stack.enter_context(Confinement(request.limit_bytes, request.folder, request.memory_means))
        command = prepare(request, confinement.spec)
        child = _launch(request, command)
        watched = Watched(child.pid, request.folder, request.plan.interval_seconds, time.perf_counter())
        started = datetime.now(UTC)
        closing = stack.enter_context(_Closing(child, _open_probes(watched), request.folder))
        limit = _watch(request, child, watched, closing.probes, keep_going)
    reaped = closing.reaped
    assert reaped is not None
    records.write_json(
        request.folder / records.EXIT, _exit_record(child, watched, started, reaped, limit, closing.left)
    )


def prepare(request: Request, confine: Mapping[str, Any] | None = None) -> list[str]:
    """Write the configuration's copy, spec.json and environment.json; return the target's command."""
    plan, folder = request.plan, request.folder.resolve()
    target, values = plan.target, values_of(request)
    command = launching.command(target, values, launching.write_config(target, values))
    factors = request.effective.as_dict()
    changed = request.intervention
    records.write_json(folder / records.SPEC, {
        "schema": "inquest/spec/1", "trial": request.id, "folder": str(folder), "command": command,
        "factors": request.cell.as_dict(), "interventions": [changed.id] if changed else [],
        "python": target.interpreter, "directory": str(target.directory), "supervisor": os.getpid(),
        "threads": _told_threads(request), "interop_threads": factors.get("interop_threads"),
        "inside_probes": plan.inside_probes and (changed is None or changed.inside_probes),
        "onednn": changed is None or changed.onednn, "own_signals": changed is None or changed.own_signals,
        "stack_bytes": changed.stack_bytes if changed else None, "lift_limits": bool(changed and changed.lift_limits),
        "expect_steps": plan.expect_steps, "survive": str(plan.survive) if plan.survive else None,
        "plant": dataclasses.asdict(plan.plant) if plan.plant else None, "limits": dataclasses.asdict(plan.limits),
        "interval_seconds": plan.interval_seconds, "started_monotonic": time.perf_counter(),
        "confine": confine, "capture": request.capture,
    })  # fmt: skip
    environment = child_environment(request)
    records.write_json(folder / records.ENVIRONMENT, surroundings.of_child(environment, interpreter.ask(target)))
    return command


def _told_threads(request: Request) -> int | None:
    """Return the number of threads that torch is told by a call; None: it follows the variables."""
    changed = request.intervention
    if changed and not changed.tells_torch:
        return None
    threads: int | None = request.effective.as_dict().get("threads")
    return changed.torch_threads or threads if changed else threads


def values_of(request: Request) -> launching.Values:
    """Return what the target of this trial is given."""
    return launching.Values(request.folder, request.plan.settings, request.effective.as_dict())


def child_environment(request: Request) -> dict[str, str]:
    """Return the child's environment, with the intervention's own variables last."""
    more = request.intervention.variables if request.intervention else ()
    return launching.environment(request.plan.target, values_of(request), more)


def _launch(request: Request, command: list[str]) -> Child:
    target, folder = request.plan.target, request.folder
    options, rest = launching.split_options(command)
    boot = [target.interpreter, *options, str(BOOT), str(folder.resolve() / records.SPEC), "--", *rest]
    stack_bytes = request.intervention.stack_bytes if request.intervention else None
    environment = child_environment(request)
    return verbs.start(
        Launch(boot, environment, target.directory, folder / records.STDOUT, folder / records.STDERR, stack_bytes)
    )


def _open_probes(watched: Watched) -> list[Probe]:
    probes = []
    for kind in PROBES:
        missing = kind.missing()
        if missing is None:
            probes.append(kind(watched))
        else:
            records.append(watched.folder / records.GAPS, {"probe": kind.name, "reason": missing})
    return probes


class _Closing:
    """Whatever happens while a child is watched, it is swept, its probes are closed and it is reaped, in that order."""

    def __init__(self, child: Child, probes: list[Probe], folder: Path) -> None:
        self.probes = probes
        self._folder = folder
        self.left: list[int] = []
        self.reaped: Reaped | None = None
        self._child = child

    def __enter__(self) -> _Closing:
        return self

    def __exit__(self, *_: object) -> None:
        self.left = verbs.sweep(self._child)
        for probe in self.probes:
            probe.close()
        torch_stacks.separate(self._folder, self._child.pid)
        self.reaped = verbs.reap(self._child)


def _watch(request: Request, child: Child, watched: Watched, probes: list[Probe], keep_going: Watcher) -> str | None:
    """Sample until the child has ended; return the name of the limit at which the harness ended it, if it did."""
    survive = request.plan.survive
    pulses = Pulses(watched, probes, counts_forwards=survive is not None and survive.field == "forwards")
    armed = stop_rules.from_plan(request.plan.limits, survive)
    while not verbs.has_ended(child):
        now = time.perf_counter()
        for probe in probes:
            if now >= probe.due:
                probe.sample(now)
                probe.due = now + probe.interval_seconds
        pulse = pulses.take(now)
        reason = _reason_to_end(armed, pulse, keep_going(pulse))
        if reason and not verbs.has_ended(child) and not _is_vetoed(request, probes, reason, pulse):
            verbs.end(child)
            return reason
        time.sleep(watched.interval_seconds)
    return None


def _is_vetoed(request: Request, probes: list[Probe], reason: str, pulse: Pulse) -> bool:
    """Note the limit, let every probe take what can only be had now; whether one of them has seen it move after all."""
    records.append(request.folder / records.LIMITS, {
        "t": time.perf_counter(), "limit": reason, **dataclasses.asdict(pulse),
        "allowed_idle_seconds": allowed_seconds(request.plan.limits, pulse.median_step_seconds),
    })  # fmt: skip
    return any([probe.before_end(reason) for probe in probes])


def _reason_to_end(armed: tuple[Limit, ...], pulse: Pulse, keep_going: bool) -> str | None:
    reached = next((limit.name for limit in armed if limit.reached(pulse)), None)
    return reached if keep_going else "interrupted"


def _exit_record(
    child: Child, watched: Watched, started: datetime, reaped: Reaped, limit: str | None, left: list[int]
) -> dict[str, Any]:
    name = signal_name(reaped.signal)
    return {
        "system": sys.platform, "pid": child.pid, "code": reaped.code, "signal": name,
        "ntstatus": None if reaped.ntstatus is None else f"0x{reaped.ntstatus:08X}",
        "ended_by": _ended_by(name, reaped, limit), "limit": limit, "core": reaped.core,
        "max_rss_bytes": reaped.max_rss_bytes, "user_seconds": reaped.user_seconds,
        "system_seconds": reaped.system_seconds, "left_behind": left,
        "started": started.isoformat(timespec="milliseconds"), "started_monotonic": watched.started,
        "ended": datetime.now(UTC).isoformat(timespec="milliseconds"), "seconds": time.perf_counter() - watched.started,
    }  # fmt: skip


SENT = (
    "SIGKILL",
    "SIGTERM",
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGUSR1",
    "SIGUSR2",
    "SIGALRM",
    "SIGPIPE",
)


def _ended_by(name: str | None, reaped: Reaped, limit: str | None) -> str:
    """A limit's kill counts only where the death is ours: a child that crashed in that very instant ended itself."""
    if limit and (name == "SIGKILL" or reaped.code == ENDED_BY_HARNESS):
        return EndedBy.HARNESS
    return EndedBy.OUTSIDE if name in SENT or reaped.ntstatus == CONTROL_C_EXIT else EndedBy.ITSELF


def signal_number(name: str) -> int:
    """Return 11 for "SIGSEGV"; the inverse of `signal_name`."""
    known = {member.name: member.value for member in signal.Signals}
    return known[name] if name in known else int(name.split()[-1])


def signal_name(number: int | None) -> str | None:
    """Return "SIGSEGV" for 11; the bare number for a signal without a name (real-time signals)."""
    known = {member.value: member.name for member in signal.Signals}
    return None if number is None else known.get(number, f"signal {number}")
