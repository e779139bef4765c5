"""What a rule gets to see, and small helpers to word its reasons."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable

from harness.decide import judged
from harness.decide import study as studies
from harness.decide.effects import Does
from harness.decide.hypotheses.speaking import con, pro
from harness.decide.memory_ladder import UNKNOWN, YES, LadderReading, compare
from harness.model import Control, Finding, Gap, Reason, Source, Status, Trial

MOST_SOURCES = 3


@dataclasses.dataclass(frozen=True)
class Case:
    """All trials of an inquest, the text of their stderr (by trial id), and what is proven on this machine."""

    trials: tuple[Trial, ...]
    stderr: dict[str, tuple[str, ...]]
    controls: tuple[Control, ...] = ()

    @property
    def plain(self) -> tuple[Trial, ...]:
        """The trials without intervention: the target as it is, in each cell."""
        return tuple(trial for trial in self.trials if not trial.interventions)

    @property
    def failures(self) -> tuple[Trial, ...]:
        """The plain trials that died or hung."""
        return tuple(trial for trial in self.plain if trial.outcome.is_failure)

    @property
    def survivors(self) -> tuple[Trial, ...]:
        """The plain trials that completed, or were alive and well when the harness stopped them."""
        return tuple(trial for trial in self.plain if trial.outcome in ("completed", "stopped"))

    @functools.cached_property
    def study(self) -> studies.Study | None:
        """The failure that is followed, and what each intervention did to it; None where nothing failed."""
        return studies.of(self.trials)

    @property
    def unlike(self) -> tuple[Trial, ...]:
        """The failures, in whatever cell, that are not the one that is followed: what it was is not known of them."""
        study = self.study
        return tuple(trial for trial in self.failures if study and not study.is_same(trial))

    @functools.cached_property
    def ladder(self) -> LadderReading | None:
        """What the memory ladder shows of it; None where it was not climbed."""
        return _spoken(compare(self.study.reference, self.study.rungs)) if self.study and self.study.rungs else None

    def effect(self, intervention: str) -> tuple[Does, tuple[Reason, ...]]:
        """Return what an intervention did to the failure, and the sentence that says it with its numbers."""
        effect = self.study.effects.get(intervention) if self.study else None
        if effect is None or self.study is None:
            return Does.UNDECIDED, ()
        trials = (*self.study.plain, *self.study.under[intervention])
        return effect.does, (Reason(str(effect), tuple(exit_source(trial) for trial in trials)),)

    def is_proven(self, hypothesis: str) -> bool:
        """Whether a control of this family has been seen to fire on this machine."""
        return any(control.proven and control.expected == hypothesis for control in self.controls)


def _spoken(reading: LadderReading) -> LadderReading:
    """Return a reading whose reasons say which way they speak of memory; without an answer the last says why not."""
    if reading.matches != UNKNOWN:
        mark = pro if reading.matches == YES else con
        return dataclasses.replace(reading, reasons=mark(reading.reasons))
    *told, why = reading.reasons
    gap = Gap("memory ladder", why.text)
    return dataclasses.replace(reading, reasons=con(told[len(reading.rungs) :]), gaps=(*reading.gaps, gap))


def ruled_out(case: Case, identity: str, reasons: Iterable[Reason]) -> Finding:
    """Return the finding of what speaks against a family: ruled out where its control fired here, else open."""
    proven = case.is_proven(identity)
    status = Status.RULED_OUT if proven else Status.OPEN
    return Finding(identity, status, con(reasons), () if proven else unproven(identity))


def unproven(identity: str) -> tuple[Gap, ...]:
    """Return the gap that keeps a hypothesis from being ruled out: its probes have not been seen to fire here."""
    return (
        Gap(f"control of {identity}", "no planted fault of this family has been seen by the probes of this machine"),
    )


def no_sign_of(case: Case, identity: str, text: str) -> Finding:
    """Return the finding where no failure shows a sign of a family: ruled out where its control fired, else open."""
    sources = tuple(exit_source(trial) for trial in case.failures[:MOST_SOURCES])
    return ruled_out(case, identity, (Reason(text, sources),))


def nothing_to_judge(identity: str) -> Finding:
    """Return the finding where no trial failed: open, since nothing failed that could have had this cause."""
    text = "no trial failed, so there is nothing that this could have caused"
    return Finding(identity, Status.OPEN, con((Reason(text),)))


def exit_source(trial: Trial) -> Source:
    """Return where the end of a trial is recorded."""
    return Source(f"trials/{trial.id}/exit.json", 1)


def death_reasons(failures: Iterable[Trial]) -> tuple[Reason, ...]:
    """Return one reason a failed trial: how it ended and where in the model."""
    return tuple(
        Reason(
            f"{trial.id}: {judged.first_words(trial) or trial.exit.meaning}"
            + (f", in {trial.last_event}" if trial.last_event else ""),
            judged.of(trial).sources or (exit_source(trial),),
        )
        for trial in failures
    )
