"""What a person sees while an inquest runs: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.decide.interventions import NO_PROBES
from harness.launch.stop_rules import Pulse
from harness.model import Outcome, Trial
from harness.units import duration, size

COLOURS = {
    Outcome.COMPLETED: "green",
    Outcome.STOPPED: "green",
    Outcome.DIED: "red",
    Outcome.HUNG: "magenta",
    Outcome.UNRESOLVED: "yellow",
}
REFRESH_SECONDS = 0.25


class Screen:
    """A console whose last lines are redrawn in place, where it is a terminal; elsewhere only what stays is printed."""

    def __init__(self, console: Console) -> None:
        """Take the console to draw on."""
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was found."""
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def spent(self) -> str:
        """Say how long this has gone on."""
        return duration(time.monotonic() - self._began)


class Display(Screen):
    """Receives what happens in an inquest. On a terminal its last lines are redrawn; elsewhere one line an event."""

    def __init__(self, console: Console) -> None:
        """Take the console to draw on."""
        super().__init__(console)
        self._drawn = 0.0
        self._stage = self._trial = self._place = ""
        self._outcomes: list[Outcome] = []

    def stage(self, name: str) -> None:
        """A stage begins."""
        self._stage, self._trial = name, ""
        if not self._live:
            self.say(f"stage {name}")

    def doctor(self, sources: Sequence[dict[str, Any]]) -> None:
        """Name the evidence that this machine cannot give."""
        for source in sources:
            if not source["available"]:
                self.say(f"not available here: {source['name']}: {source['detail']}")

    def trial_begins(self, trial_id: str, place: str) -> None:
        """A trial begins; `place` is e.g. "2 of 6"."""
        self._trial, self._place = trial_id, place
        if not self._live:
            self.say(f"trial {trial_id} ({place})")

    def pulse(self, pulse: Pulse) -> None:
        """Redraw, at most four times a second."""
        now = time.monotonic()
        if self._live and now - self._drawn >= REFRESH_SECONDS:
            self._drawn = now
            self._live.update(self._picture(pulse), refresh=True)

    def trial_ended(self, trial: Trial) -> None:
        """Print how a trial ended; the line stays."""
        self._outcomes.append(trial.outcome)
        where = f" in {trial.last_event}" if trial.outcome.is_failure and trial.last_event else ""
        how = trial.exit.meaning if trial.outcome is not Outcome.COMPLETED else _work(trial)
        line = Text.assemble(
            (f"{trial.outcome:<10}", COLOURS[trial.outcome]), f" {trial.id}  ",
            (f"{how}{where}", "bold" if where else ""),
            f"  peak {size(trial.peak_rss_bytes)}, {duration(trial.value('duration_seconds'))}",
        )  # fmt: skip
        self._console.print(line, soft_wrap=True, highlight=False)

    def _picture(self, pulse: Pulse) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        table.add_row(Text(self._stage, "bold"), Text(f"trial {self._trial} ({self._place})"))
        table.add_row(
            "", Text(f"step {pulse.step or '-'} ({pulse.kind})  RSS {size(pulse.rss_bytes)}  {pulse.threads} threads")
        )
        table.add_row("", Text(f"trial {duration(pulse.seconds)}  inquest {self.spent()}"))
        return Group(table, self._tally())

    def _tally(self) -> Text:
        counts = [(outcome, self._outcomes.count(outcome)) for outcome in Outcome]
        parts = [(f"{count} {outcome}  ", COLOURS[outcome]) for outcome, count in counts if count]
        return Text.assemble("so far  ", *parts) if parts else Text("so far  no trial has ended")


def _work(trial: Trial) -> str:
    """Say how much was done; without the inside probes nobody has counted."""
    return "unobserved" if NO_PROBES.id in trial.interventions else f"{trial.value('steps_done')} steps"
