"""The failure that an inquest follows: its cell, its first death, and what each intervention did to it; pure."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

from harness.decide.effects import Does, Effect, count, effects
from harness.decide.interventions import CATALOGUE, NO_PROBES, ONE_THREAD, by_id, rung_share
from harness.decide.statistics import Count
from harness.model import Cell, Trial

INFORMING = frozenset(intervention.id for intervention in CATALOGUE if intervention.isolates is None)


@dataclasses.dataclass(frozen=True)
class Study:
    """One failing cell: its first death (`reference`), its trials as it is (`plain`), and under each intervention."""

    cell: Cell
    reference: Trial
    plain: tuple[Trial, ...]
    under: dict[str, tuple[Trial, ...]]

    def is_same(self, trial: Trial) -> bool:
        """Whether a trial died of the failure under inquest: another signature is another failure."""
        if NO_PROBES.id in trial.interventions:
            return _same_ending(self.reference, trial)  # unobserved, it leaves no stack to compare
        return same_death(self.reference, trial)

    @property
    def dead(self) -> tuple[Trial, ...]:
        """The cell's failures as it is, of whatever signature."""
        return tuple(trial for trial in self.plain if trial.outcome.is_failure)

    @functools.cached_property
    def without(self) -> Count:
        """How often the cell fails as it is."""
        return count(self.plain, self.is_same)

    @functools.cached_property
    def effects(self) -> dict[str, Effect]:
        """What each intervention did; the rungs of the memory ladder are read by another rule."""
        tested = {name: trials for name, trials in self.under.items() if rung_share(name) is None}
        return {effect.intervention: effect for effect in effects(self.plain, tested, self.is_same, INFORMING)}

    @property
    def rungs(self) -> list[tuple[float, Trial]]:
        """The trials of the memory ladder with their share of the peak, the widest first."""
        rows = [(rung_share(name), trial) for name, trials in self.under.items() for trial in trials]
        return sorted([(share, trial) for share, trial in rows if share is not None], key=lambda row: -row[0])

    def does(self, intervention: str) -> Does:
        """Return what an intervention did; undecided where it was not tried."""
        effect = self.effects.get(intervention)
        return effect.does if effect else Does.UNDECIDED

    @property
    def others(self) -> tuple[Trial, ...]:
        """Trials of this cell that failed in another way; on the memory ladder that is what is asked for, not news."""
        under = (trials for name, trials in self.under.items() if rung_share(name) is None)
        trials = [*self.plain, *(trial for trials in under for trial in trials)]
        return tuple(trial for trial in trials if trial.outcome.is_failure and not self.is_same(trial))


def of(trials: Sequence[Trial]) -> Study | None:
    """Return the study of the failing cell with the most trials; of equals the one that needed least memory, the
    cheapest to repeat. None: no failure.
    """
    plain = [trial for trial in trials if not trial.interventions]
    dead = [trial for trial in plain if trial.outcome.is_failure]
    if not dead:
        return None
    cells = [trial.cell for trial in trials]
    cell = min(dead, key=lambda trial: (-cells.count(trial.cell), trial.peak_rss_bytes or 0)).cell
    own = tuple(trial for trial in plain if trial.cell == cell)
    reference = next(trial for trial in own if trial.outcome.is_failure)
    return Study(cell, reference, own, _under(trials, plain, cell))


def _under(trials: Sequence[Trial], plain: Sequence[Trial], cell: Cell) -> dict[str, tuple[Trial, ...]]:
    """Group a cell's trials by intervention; a plain trial of the very cell that one leads to counts as well."""
    under: dict[str, list[Trial]] = {}
    single = ONE_THREAD.applied_to(cell)
    if single != cell and "threads" in cell.as_dict():
        under[ONE_THREAD.id] = [trial for trial in plain if trial.cell == single]
    for trial in trials:
        if trial.cell == cell and len(trial.interventions) == 1 and by_id(trial.interventions[0]):
            under.setdefault(trial.interventions[0], []).append(trial)
    return {name: tuple(rows) for name, rows in under.items()}


def same_death(one: Trial, other: Trial) -> bool:
    """Whether two trials failed in the same way: equal loose signatures; where stacks are missing, equal points."""
    if not (one.outcome.is_failure and other.outcome.is_failure) or one.signature is None or other.signature is None:
        return False
    if _same_instruction(one, other) or _same_full_stack(one, other):
        return True
    if one.signature.loose and other.signature.loose:
        return one.signature.loose == other.signature.loose
    return one.signature.point == other.signature.point


def _same_instruction(one: Trial, other: Trial) -> bool:
    """Whether both died at one machine instruction, in one place in the model.

    The frames around it differ where a pool's worker ran it in one trial and the main thread in the other.
    """
    instruction = one.value("fault_instruction")
    assert one.signature is not None and other.signature is not None
    same = instruction is not None and instruction == other.value("fault_instruction")
    return same and one.signature.point is not None and one.signature.point == other.signature.point


def _same_full_stack(one: Trial, other: Trial) -> bool:
    """Whether a stack ran out in both, in one place in the model: at which instruction, and whether what lies beyond it
    could be written to, so that a handler ran, is chance.
    """
    assert one.signature is not None and other.signature is not None
    full = [trial.fact("stack_overflow") or trial.fact("no_stack_left") for trial in (one, other)]
    return all(full) and one.signature.point == other.signature.point


def _same_ending(one: Trial, other: Trial) -> bool:
    return one.outcome == other.outcome and (one.exit.signal, one.exit.code, one.exit.ntstatus) == (
        other.exit.signal, other.exit.code, other.exit.ntstatus
    )  # fmt: skip
