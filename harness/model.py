"""The nouns of an inquest, as frozen dataclasses; derived facts are properties beside the raw fields."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any


class Outcome(enum.StrEnum):
    """How a trial ended.

    `stopped`: the harness ended it at a limit while it was alive and well. `unresolved`: the records do not tell.
    """

    COMPLETED = "completed"
    DIED = "died"
    HUNG = "hung"
    STOPPED = "stopped"
    UNRESOLVED = "unresolved"

    @property
    def is_failure(self) -> bool:
        """Whether this outcome is the thing an inquest looks for."""
        return self in (Outcome.DIED, Outcome.HUNG)


class EndedBy(enum.StrEnum):
    """Who ended a trial: the program itself, somebody outside (the kernel included), or this harness."""

    ITSELF = "itself"
    OUTSIDE = "outside"
    HARNESS = "harness"


class Status(enum.StrEnum):
    """What is known of a hypothesis."""

    ESTABLISHED = "established"
    SUPPORTED = "supported"
    RULED_OUT = "ruled-out"
    OPEN = "open"

    @property
    def is_decided(self) -> bool:
        """Whether the question is closed, one way or the other."""
        return self in (Status.ESTABLISHED, Status.RULED_OUT)


class Speaks(enum.StrEnum):
    """Which way a reason speaks, for its hypothesis or against it."""

    FOR = "for"
    AGAINST = "against"


class VerdictStatus(enum.StrEnum):
    """The three verdicts there are."""

    NO_FAILURE = "no-failure"
    NAMED = "named"
    OPEN = "open"


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a claim can be read: a record file, relative to the inquest's folder, and its line (from 1)."""

    file: str
    line: int

    def __str__(self) -> str:
        """Return `file:line`, which editors open."""
        return f"{self.file}:{self.line}"


@dataclasses.dataclass(frozen=True)
class Fact:
    """A typed value read from records, with its sources. Units are in the name (`_bytes`, `_seconds`)."""

    name: str
    value: Any
    sources: tuple[Source, ...] = ()


@dataclasses.dataclass(frozen=True)
class Gap:
    """Evidence that is missing: which probe should have given it, and why it did not."""

    probe: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Cell:
    """One combination of factor values, in the plan's order."""

    factors: tuple[tuple[str, Any], ...]

    @property
    def id(self) -> str:
        """The cell's name, which is also its folder under `trials/`."""
        return ",".join(f"{name}={_as_path(value)}" for name, value in self.factors) or "as-is"

    def as_dict(self) -> dict[str, Any]:
        """Return factor -> value."""
        return dict(self.factors)


@dataclasses.dataclass(frozen=True)
class Exit:
    """How a process ended, as the operating system told it.

    `code` is the exit code (None where a signal ended it), `signal` a name such as "SIGSEGV", `ntstatus` a Windows
    status such as "0xC0000005", `meaning` one sentence.
    """

    code: int | None
    signal: str | None
    ntstatus: str | None
    meaning: str
    ended_by: EndedBy


@dataclasses.dataclass(frozen=True)
class LastEvent:
    """The last record of the flight ring: the point of death in the model.

    `step` and `call` count from 1; `call` is how often the module had been entered within the step.
    """

    epoch: int | None
    step: int | None
    phase: str
    module: str | None
    call: int | None

    def __str__(self) -> str:
        """Return e.g. "backbone, call 2 of step 7"."""
        if self.module is None:
            return f"{self.phase} of step {self.step}" if self.step else self.phase
        return f"{self.module}, call {self.call} of step {self.step}"


@dataclasses.dataclass(frozen=True)
class ForwardTiming:
    """Timings of one call of one top-level module over a trial; `unfinished` counts begins without an end."""

    module: str
    call: int
    count: int
    unfinished: int
    median_seconds: float | None
    p95_seconds: float | None


@dataclasses.dataclass(frozen=True)
class Signature:
    """What makes two deaths the same death; None where the evidence for that part is missing."""

    exact: str | None
    loose: str | None
    point: str | None


@dataclasses.dataclass(frozen=True)
class Trial:
    """One launch of one cell, as its records tell it."""

    id: str
    cell: Cell
    interventions: tuple[str, ...]
    outcome: Outcome
    exit: Exit
    last_event: LastEvent | None
    peak_rss_bytes: int | None
    forwards: tuple[ForwardTiming, ...]
    signature: Signature | None
    facts: tuple[Fact, ...]
    gaps: tuple[Gap, ...]

    def fact(self, name: str) -> Fact | None:
        """Return the fact of that name, or None where no record gave it."""
        return next((fact for fact in self.facts if fact.name == name), None)

    def value(self, name: str) -> Any:
        """Return the value of the fact of that name, or None."""
        return getattr(self.fact(name), "value", None)

    @property
    def factors(self) -> dict[str, Any]:
        """Factor -> value."""
        return self.cell.as_dict()


@dataclasses.dataclass(frozen=True)
class Reason:
    """One sentence of a finding, the records that carry it, and which way it speaks (None: of no hypothesis)."""

    text: str
    evidence: tuple[Source, ...] = ()
    speaks: Speaks | None = None


@dataclasses.dataclass(frozen=True)
class Finding:
    """A hypothesis' status with its reasons, and the gaps that keep it from being decided."""

    id: str
    status: Status
    reasons: tuple[Reason, ...]
    gaps: tuple[Gap, ...] = ()


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What to do next: what it would decide, and the command that does it."""

    decides: str
    command: str


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The answer; `cause` is a hypothesis' id and is given only where `status` is `named`."""

    status: VerdictStatus
    cause: str | None
    statement: str
    next_experiments: tuple[Experiment, ...] = ()


@dataclasses.dataclass(frozen=True)
class Control:
    """A planted, real fault run through the same pipeline: what it should show, what it showed.

    `seen`: the direct evidence of memory that its probes gave (`decide/no_way_to_exhaust.py` has the words).
    """

    id: str
    expected: str
    observed: str
    proven: bool
    seen: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Evidence:
    """All of an inquest that the reports show; `evidence.json` is this, as JSON.

    `bisect`: what the searches found, by name (thresholds, difference, samples, place, repro), as their records say it.
    """

    inquest: dict[str, Any]
    environment: dict[str, Any]
    trials: tuple[Trial, ...]
    hypotheses: tuple[Finding, ...]
    verdict: Verdict
    controls: tuple[Control, ...] = ()
    bisect: dict[str, Any] = dataclasses.field(default_factory=dict)


class ConfigError(Exception):
    """What the user asked for cannot be done: one message for all problems, each with its key path. Exit code 2."""

    def __init__(self, problems: list[str] | str) -> None:
        """Take one problem or all of them."""
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


def _as_path(value: Any) -> str:
    """Spell a factor's value so that it is a folder name on every system."""
    text = str(value)
    return "".join(letter if letter.isalnum() or letter in "._-+" else "_" for letter in text)
