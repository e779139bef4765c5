"""Runs stretches of a captured call as scripts of their own, often enough for the failure's known rate."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

from harness.model import Cell, Source
from harness.place import likeness, script
from harness.place.bench import Bench, Ran, replaying
from harness.place.capture import Capture
from harness.place.likeness import Death, Likeness
from harness.place.narrow import Stretch
from harness.plan import Plan
from harness.search.statistics import Count, interval

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


@dataclasses.dataclass(frozen=True)
class Asked:
    """One question of the search: which stretch, what became of its runs, and the answer (None: it was not finished).

    `likeness` is the best that a run reached, `ends` how each run ended.
    """

    stretch: Stretch
    dies: bool | None
    likeness: Likeness
    ends: tuple[str, ...]
    sources: tuple[Source, ...]
    left_out: tuple[tuple[int, str], ...]
    stand_ins: tuple[str, ...]

    @property
    def survived(self) -> int:
        """How many runs came through."""
        return self.ends.count("survived")

    @property
    def otherwise(self) -> tuple[str, ...]:
        """How the runs ended that neither came through nor died as the target does."""
        return tuple(end for end in self.ends if end not in ("survived", "died the same way"))


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
        done: list[tuple[Ran, Likeness]] = []
        for number in range(1, self._subject.repeats + 1):
            ran = self._bench.run(f"{name}/{number}", self._subject.cell, plan)
            if ran is None:
                return self._asked(stretch, written, done, None)
            done.append((ran, likeness.compare(self._subject.death, ran.death)))
            if done[-1][1].follows or ran.error:
                break
        return self._asked(stretch, written, done, done[-1][1].follows)

    def _asked(
        self, stretch: Stretch, written: script.Script, done: list[tuple[Ran, Likeness]], dies: bool | None
    ) -> Asked:
        best = next((like for like in Likeness if like in [found for _, found in done]), Likeness.DIFFERENT)
        return Asked(
            stretch, dies, best, tuple(end_of(ran, like) for ran, like in done), tuple(ran.source for ran, _ in done),
            written.left_out, written.stand_ins,
        )  # fmt: skip


def end_of(ran: Ran, like: Likeness) -> str:
    """Say how a run ended."""
    if like.follows:
        return "died the same way"
    if ran.error:
        return f"could not be carried out: {ran.error.splitlines()[0]}"
    return f"died in another way: {ran.death}" if ran.death else "survived"


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
