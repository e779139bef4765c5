"""What a rule gets to see, and small helpers to word its reasons."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from harness.model import Control, Finding, Gap, Reason, Source, Status, Trial


@dataclasses.dataclass(frozen=True)
class Case:
    """All trials of an inquest, the text of their stderr (by trial id), and what is proven on this machine."""

    trials: tuple[Trial, ...]
    stderr: dict[str, tuple[str, ...]]
    controls: tuple[Control, ...] = ()

    @property
    def failures(self) -> tuple[Trial, ...]:
        """The trials that died or hung."""
        return tuple(trial for trial in self.trials if trial.outcome.is_failure)

    @property
    def survivors(self) -> tuple[Trial, ...]:
        """The trials that completed, or were alive and well when the harness stopped them."""
        return tuple(trial for trial in self.trials if trial.outcome in ("completed", "stopped"))

    def is_proven(self, hypothesis: str) -> bool:
        """Whether a control of this family has been seen to fire on this machine."""
        return any(control.proven and control.expected == hypothesis for control in self.controls)

    def stderr_lines(self, trial: Trial, words: Iterable[str]) -> list[tuple[str, Source]]:
        """Return the lines of a trial's stderr that hold any of the words, with where they are."""
        lowered = [word.lower() for word in words]
        return [
            (line.strip(), Source(f"trials/{trial.id}/stderr.log", number))
            for number, line in enumerate(self.stderr.get(trial.id, ()), 1)
            if any(word in line.lower() for word in lowered)
        ]


def nothing_to_judge(identity: str) -> Finding:
    """Return the finding where no trial failed: open, since nothing failed that could have had this cause."""
    return Finding(identity, Status.OPEN, (Reason("no trial failed, so there is nothing that this could have caused"),))


def no_sign(identity: str, text: str, sources: tuple[Source, ...] = ()) -> Finding:
    """Return the finding where the evidence shows no sign: open until a control has proven that the probe fires."""
    gap = Gap(
        f"control of {identity}",
        "no planted fault of this family has been run on this machine, so silence proves nothing",
    )
    return Finding(identity, Status.OPEN, (Reason(text, sources),), (gap,))


def exit_source(trial: Trial) -> Source:
    """Return where the end of a trial is recorded."""
    return Source(f"trials/{trial.id}/exit.json", 1)


def death_reasons(failures: Iterable[Trial]) -> tuple[Reason, ...]:
    """Return one reason a failed trial: how it ended and where in the model."""
    return tuple(
        Reason(
            f"{trial.id}: {trial.exit.meaning}" + (f", in {trial.last_event}" if trial.last_event else ""),
            (exit_source(trial),),
        )
        for trial in failures
    )
