"""Runs stretches of a captured call as scripts of their own, often enough for the failure's known rate."""

from __future__ import annotations

import dataclasses
import enum
import math
from pathlib import Path

from harness.decide.statistics import Count, interval
from harness.model import Cell, Outcome, Source
from harness.plan.plan_file import Plan
from harness.shrink.place import likeness, script
from harness.shrink.place.captured_call import Capture
from harness.shrink.place.likeness import Death, Likeness
from harness.shrink.place.narrow import Stretch
from harness.shrink.place.sub_trials import Bench, Ran, replaying

CHANCE = 0.05  # that a replay which fails as often as the target survives all of its repeats
MOST = 20  # repeats of one replay, however seldom the target fails


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is replayed: the plan and the cell that die, the captured call, the death, and how often the cell dies."""

    plan: Plan
    cell: Cell
    capture: Capture
    death: Death | None
    rate: Count

    @property
    def repeats(self) -> int:
        """How many replays of one stretch may survive before it is said to survive."""
        return repeats(self.rate)


class End(enum.StrEnum):
    """What became of one run of a script. `otherwise`: it died, but not of the failure that is followed."""

    SAME = "died the same way"
    SURVIVED = "survived"
    OTHERWISE = "died in another way"
    BROKEN = "could not be carried out"


@dataclasses.dataclass(frozen=True)
class Ended:
    """One run: what became of it, how alike its death is, `detail` in words, its trial's id, and where that stands."""

    end: End
    likeness: Likeness
    detail: str
    trial: str
    source: Source

    def __str__(self) -> str:
        """Return e.g. "died in another way: SIGABRT"."""
        return f"{self.end}: {self.detail}" if self.detail else str(self.end)


@dataclasses.dataclass(frozen=True)
class Asked:
    """One question of the search: which stretch, what became of its runs, and the answer (None: not finished)."""

    stretch: Stretch
    dies: bool | None
    runs: tuple[Ended, ...]
    left_out: tuple[tuple[int, str], ...] = ()
    stand_ins: tuple[str, ...] = ()

    @property
    def survived(self) -> int:
        """How many runs came through."""
        return sum(run.end is End.SURVIVED for run in self.runs)

    @property
    def likeness(self) -> Likeness:
        """The best that a run reached."""
        reached = [run.likeness for run in self.runs]
        return next((like for like in Likeness if like in reached), Likeness.DIFFERENT)

    @property
    def strays(self) -> tuple[Ended, ...]:
        """The runs that neither came through nor died as the target does."""
        return tuple(run for run in self.runs if run.end in (End.OTHERWISE, End.BROKEN))


class Replays:
    """Answers whether a stretch dies; usable as the search's callable. `asked` is the search's trace."""

    def __init__(self, bench: Bench, subject: Subject, capture_trial: str, name: str = "replay") -> None:
        """`capture_trial` is the id of the trial that was captured; recorded values lie in its folder."""
        self.asked: list[Asked] = []
        self._bench = bench
        self._subject = subject
        self._name = name
        self._values = f"../trials/{capture_trial}/"

    def dies(self, stretch: Stretch) -> bool | None:
        """Run a stretch until it dies as the target does, or has survived often enough; None: no run may begin."""
        known = next((asked for asked in self.asked if asked.stretch == stretch), None)
        if known is not None:
            return known.dies
        written = script.write(self._subject.capture, stretch, self._values)
        found = self._run(stretch, written)
        self.asked.append(found)
        return found.dies

    def _run(self, stretch: Stretch, written: script.Script) -> Asked:
        name = f"{self._name}-{stretch.first}-{stretch.last}"
        plan = replaying(self._subject.plan, save(written, self._bench.folder / "scripts", f"{name}.py"))
        runs: list[Ended] = []
        dies: bool | None = False
        for number in range(1, self._subject.repeats + 1):
            ran = self._bench.run(f"{name}/{number}", self._subject.cell, plan)
            if ran is None:
                dies = None
                break
            runs.append(ended(ran, self._subject.death))
            if runs[-1].end in (End.SAME, End.BROKEN):
                dies = runs[-1].end is End.SAME
                break
        return Asked(stretch, dies, tuple(runs), written.left_out, written.stand_ins)


def ended(ran: Ran, followed: Death | None) -> Ended:
    """Return what became of a run, by the death that is followed."""
    like = likeness.compare(followed, ran.death)
    end, detail = _end(ran, like)
    return Ended(end, like, detail, ran.trial.id, ran.source)


def _end(ran: Ran, like: Likeness) -> tuple[End, str]:
    if like.follows:
        return End.SAME, ""
    if ran.error:
        return End.BROKEN, ran.error.splitlines()[0]
    if ran.death:
        return End.OTHERWISE, str(ran.death)
    is_well = ran.trial.outcome is Outcome.COMPLETED
    return (End.SURVIVED, "") if is_well else (End.BROKEN, f"{ran.trial.outcome}, {ran.trial.exit.meaning}")


def save(written: script.Script, folder: Path, name: str) -> Path:
    """Write a script, and beside it the files that it needs; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    text = written.text
    for file, content in written.files.items():
        own = f"{path.stem}-{file}" if name != "repro.py" else file
        text = text.replace(f'"{file}"', f'"{own}"')
        (folder / own).write_text(content, encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    return path


def repeats(rate: Count) -> int:
    """Return how often a replay must survive before chance is excluded, by the lower bound of the target's own rate.

    A replay that fails at that rate survives them all with a probability of at most 5 %, or it is capped.
    """
    low, _ = interval(rate)
    return MOST if low <= 0 else max(1, min(MOST, math.ceil(math.log(CHANCE) / math.log1p(-min(low, 1 - 1e-9)))))


def missed(rate: Count, survived: int) -> float:
    """Return the probability that a replay which fails as often as the target survives so many times."""
    low, _ = interval(rate)
    return (1.0 - low) ** survived
