"""Runs the trials of one inquest's folder, one after the other, and keeps the journal that makes it resumable."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from harness.facts import journal
from harness.facts import reading as facts
from harness.launch import trial
from harness.launch.interrupt import Interrupt
from harness.launch.request import Request
from harness.launch.stop_rules import Pulse
from harness.model import Cell, Trial
from harness.plan.intervention import Intervention
from harness.plan.plan_file import Plan
from probes import records

Beside = Callable[[Path], AbstractContextManager[Any]]  # of a trial's folder: what is open while the trial runs


class Onlooker(Protocol):
    """Who is told what happens."""

    def say(self, text: str) -> None:
        """Receive a line that stays."""

    def trial_begins(self, trial_id: str, place: str) -> None:
        """Receive a trial that begins, and why."""

    def pulse(self, pulse: Pulse) -> None:
        """Receive what is known of the running trial at one instant."""

    def trial_ended(self, trial: Trial) -> None:
        """Receive a trial that has ended."""


class Runner:
    """Everything that it learns is in the folder before it is used: an interrupted inquest goes on from there."""

    def __init__(
        self, root: Path, plan: Plan, onlooker: Onlooker, interrupt: Interrupt,
        budget_seconds: float | None = None, beside: Beside | None = None,
    ) -> None:  # fmt: skip
        """Take the folder, which exists. No trial begins after the budget; `beside` is open while one runs."""
        self.root = root
        self._plan, self._onlooker, self._interrupt = plan, onlooker, interrupt
        self._budget, self._beside = budget_seconds, beside
        self._began = time.monotonic()
        self._known: dict[str, Trial] = {}
        self._told_spent = False

    @property
    def elapsed_seconds(self) -> float:
        """The time since this runner was made."""
        return round(time.monotonic() - self._began, 3)

    def note(self, event: str, **fields: Any) -> None:
        """Append a line to the journal."""
        records.append(self.root / records.JOURNAL, {"event": event, "time": now(), **fields})

    def may_begin(self) -> bool:
        """Whether a further trial may begin: nobody asked to end, and there is time left."""
        return not self._interrupt.asked and not self._is_spent()

    def trials(self) -> tuple[Trial, ...]:
        """Return the trials that have ended, in their order; each is read once, as its records do not change."""
        return tuple(self._read(trial_id) for trial_id in journal.trial_ids(self.root))

    def run(
        self, cell: Cell, why: str, intervention: Intervention | None = None,
        memory_limit_bytes: int | None = None, means: str | None = None,
    ) -> Trial | None:  # fmt: skip
        """Run one trial; return it, or None where it was interrupted: then the journal does not count it."""
        identity = self._free_id(f"{cell.id}+{intervention.id}" if intervention else cell.id)
        folder = self.root / "trials" / identity
        self.note("trial begins", trial=identity)
        self._onlooker.trial_begins(identity, why)
        self._carry_out(Request(identity, folder, cell, self._plan, intervention, memory_limit_bytes, means))
        if self._interrupt.asked:
            return None
        self.note("trial ended", trial=identity)
        ended = self._read(identity)
        self._onlooker.trial_ended(ended)
        return ended

    def pulse(self, pulse: Pulse) -> bool:
        """Pass a pulse on; False where the trial is to be ended (Ctrl-C)."""
        self._onlooker.pulse(pulse)
        return not self._interrupt.asked

    def _carry_out(self, request: Request) -> None:
        with self._beside(request.folder) if self._beside else nullcontext():
            trial.run(request, self.pulse)

    def _read(self, trial_id: str) -> Trial:
        if trial_id not in self._known:
            self._known[trial_id] = facts.read(self.root, trial_id)
        return self._known[trial_id]

    def _free_id(self, name: str) -> str:
        """Return the id of the next trial of that name, past the folders that an interruption left behind."""
        folder = self.root / "trials" / name
        taken = [int(path.name) for path in folder.iterdir() if path.name.isdigit()] if folder.exists() else []
        return f"{name}/{max(taken, default=0) + 1}"

    def _is_spent(self) -> bool:
        spent = self._budget is not None and self.elapsed_seconds > self._budget
        if spent and not self._told_spent:
            self._told_spent = True
            self.note("budget spent", budget_seconds=self._budget)
            self._onlooker.say(f"the budget of {self._budget:g} s is spent; no further trial begins")
        return spent


def now() -> str:
    """Return the time as the journal has it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
