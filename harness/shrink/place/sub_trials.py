"""Runs trials in a sub-folder of the inquest, each once: what its journal says has ended is read and not run again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.facts import reading as facts
from harness.facts.folder import TrialFolder
from harness.launch import trial
from harness.launch.stop_rules import Pulse
from harness.model import Cell, Source, Trial
from harness.plan.plan_file import Plan
from harness.plan.target_section import Target
from harness.shrink.place import likeness
from harness.shrink.place.likeness import Death
from probes import records

REPLAY_SECONDS = 300.0  # of a replay, unless the plan allows a trial less


@dataclasses.dataclass(frozen=True)
class Ran:
    """One trial of the bench that has ended: its id, what was read of it, how it died (None: it did not), and where
    that stands, relative to the inquest's folder.
    """

    trial: Trial
    death: Death | None
    folder: TrialFolder
    source: Source

    @property
    def error(self) -> str | None:
        """The uncaught exception's text: the script could not be carried out."""
        found = self.trial.value("python_error")
        return f"{found['type']}: {found['message']}" if found else None


class Bench:
    """The folder `root / name`, with `trials/` and a journal of its own, so that no rule takes a replay for a trial of
    the target.
    """

    def __init__(self, root: Path, name: str, may_begin: Callable[[], bool], keep_going: trial.KeepGoing) -> None:
        """`may_begin` is asked before each trial (the budget), `keep_going` at every pulse of one (Ctrl-C)."""
        self.folder = root / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self._journal = self.folder / records.JOURNAL
        self._may_begin = may_begin
        self._keep_going = keep_going
        self._interrupted = False

    def run(self, name: str, cell: Cell, plan: Plan, capture: Mapping[str, Any] | None = None) -> Ran | None:
        """Return the trial of this name, run now if it has not been; None where none may begin any more."""
        known = self._ended().get(name)
        if known is not None:
            return self._read(known)
        if self._interrupted or not self._may_begin():
            return None
        identity = self._free(name)
        request = trial.Request(identity, self.folder / "trials" / identity, cell, plan, capture=capture)
        trial.run(request, self._pulse)
        if self._interrupted:
            return None
        records.append(self._journal, {"event": "trial ended", "name": name, "trial": identity})
        return self._read(identity)

    def _pulse(self, pulse: Pulse) -> bool:
        self._interrupted = self._interrupted or not self._keep_going(pulse)
        return not self._interrupted

    def _ended(self) -> dict[str, str]:
        rows = records.read_lines(self._journal).rows
        return {row.value["name"]: row.value["trial"] for row in rows}

    def _free(self, name: str) -> str:
        """Return an id whose folder is not there: an interruption may have left one behind."""
        tried = (name, *(f"{name}-again-{number}" for number in range(2, 100)))
        return next(identity for identity in tried if not (self.folder / "trials" / identity).exists())

    def _read(self, identity: str) -> Ran:
        folder = TrialFolder(self.folder, identity)
        found = facts.read(self.folder, identity)
        line = records.line_of(folder.path / records.EXIT, "signal")
        source = Source(f"{self.folder.name}/trials/{identity}/{records.EXIT}", line)
        return Ran(found, likeness.of(folder, found), folder, source)


def replaying(plan: Plan, script: Path) -> Plan:
    """Return the plan that runs a script instead of the target: nothing planted, nothing set, nothing expected."""
    wall = min(REPLAY_SECONDS, plan.limits.wall_seconds or REPLAY_SECONDS)
    limits = dataclasses.replace(plan.limits, wall_seconds=wall, steps=None)
    own = Target((str(script.resolve()),), python=plan.target.python, cwd=plan.target.cwd, env=plan.target.env)
    return dataclasses.replace(
        plan, target=own, settings={}, plant=None, expect_steps=None, limits=limits,
        inside_probes=True,
    )  # fmt: skip
