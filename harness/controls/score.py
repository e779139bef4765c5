"""What a control's evidence says, against what was planted; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from harness.controls.catalogue import Planted
from harness.decide import no_way_to_exhaust, observed, wants
from harness.facts.refused import wording
from harness.model import Evidence, Finding, Status, VerdictStatus

NO_FAILURE = "no-failure"
GOAL = 0.95
RANKS = (Status.ESTABLISHED, Status.SUPPORTED, Status.OPEN, Status.RULED_OUT)
SPECIFIC = (
    "memory-exhaustion", "resource-limit", "stack-overflow", "illegal-instruction", "io-fault", "external-kill",
    "deliberate-exit", "threading-fault", "hang", "python-exception", "native-fault",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Score:
    """One control's result, a row of controls.json.

    `status`: that of the expected family. `named`: the verdict's cause, if any. `observed`: the family named, else the
    first of the findings; "no-failure" where nothing failed. `established`: all families that are. `wrong`: a healthy
    program was accused, or a family named that was not planted. `missing`: why it could not be run here; then nothing
    else is known. `seen`: the direct evidence of memory that its probes gave.
    """

    id: str
    expected: str
    observed: str
    proven: bool
    status: str = ""
    named: str | None = None
    established: tuple[str, ...] = ()
    wrong: bool = False
    missing: str | None = None
    seen: tuple[str, ...] = ()
    seconds: float = 0.0
    trials: int = 0

    @property
    def is_healthy(self) -> bool:
        """Whether nothing was planted."""
        return self.expected == NO_FAILURE


def of(planted: Planted, evidence: Evidence) -> Score:
    """Compare the evidence with what was planted.

    A fault is proven, that is, its probes fire here, where its family is supported or established, and is the first of
    the findings (families that are true of it as well left out), and no other is named.
    """
    if planted.expected is None:
        return _of_healthy(planted, evidence)
    own = {planted.expected, *planted.also}
    status = {finding.id: finding.status for finding in evidence.hypotheses}[planted.expected]
    first = first_of([finding for finding in evidence.hypotheses if finding.id not in planted.also])
    cause = evidence.verdict.cause
    established = tuple(finding.id for finding in evidence.hypotheses if finding.status is Status.ESTABLISHED)
    wrong = (cause is not None and cause not in own) or not own.issuperset(established)
    failed = any(trial.outcome.is_failure for trial in evidence.trials)
    observed = cause or (first if failed else NO_FAILURE)
    proven = failed and not wrong and first == planted.expected and status in (Status.ESTABLISHED, Status.SUPPORTED)
    seen = tuple(_seen(evidence))
    return Score(planted.id, planted.expected, observed, proven, str(status), cause, established, wrong, seen=seen)


def _seen(evidence: Evidence) -> Iterator[str]:
    """Yield what probes gave of memory: a system call that was refused it at a full limit, an OOM kill counted."""
    failed = [trial for trial in evidence.trials if trial.outcome.is_failure]
    refused = (want for trial in failed for want in wants.of(trial) if want.by == "refusal" and want.is_observed)
    if any(want.resource == wording.MEMORY for want in refused):
        yield no_way_to_exhaust.REFUSED
    if any(trial.value("oom_kill_on_host") and observed.oom_kill(trial) for trial in failed):  # its own, no neighbour's
        yield no_way_to_exhaust.COUNTED


def _of_healthy(planted: Planted, evidence: Evidence) -> Score:
    well = evidence.verdict.status is VerdictStatus.NO_FAILURE
    failed = any(trial.outcome.is_failure for trial in evidence.trials)
    first = first_of(evidence.hypotheses) if failed else "open"
    observed = NO_FAILURE if well else evidence.verdict.cause or first
    return Score(
        planted.id, NO_FAILURE, observed, well, str(evidence.verdict.status), evidence.verdict.cause, (), failed
    )


def first_of(findings: tuple[Finding, ...] | list[Finding]) -> str:
    """Return the family that the findings speak for most; of two alike, the more specific one."""
    best = min(findings, key=lambda finding: (RANKS.index(finding.status), SPECIFIC.index(finding.id)))
    return best.id


def from_row(row: dict[str, Any]) -> Score:
    """Return what a line of controls.json tells."""
    return Score(**{**row, "established": tuple(row["established"]), "seen": tuple(row.get("seen", ()))})


def missing(planted: Planted, reason: str) -> Score:
    """Return the row of a control that cannot be run here."""
    return Score(planted.id, planted.expected or NO_FAILURE, "not run", False, missing=reason)


def failed(planted: Planted, reason: str) -> Score:
    """Return the row of a control whose worker gave no result: it counts as not proven."""
    return Score(planted.id, planted.expected or NO_FAILURE, f"no result: {reason}", False)


def confusion(scores: list[Score]) -> dict[tuple[str, str], int]:
    """Return (expected, observed) -> how many, of those that were run, in the order of the catalogue."""
    pairs = [(score.expected, score.observed) for score in scores if score.missing is None]
    return {pair: pairs.count(pair) for pair in dict.fromkeys(pairs)}


def is_good(scores: list[Score], quick: bool) -> bool:
    """Whether no healthy one is accused, no wrong family is named, all are proven and enough of the faults established.

    A quick run has too few trials to establish much: there, proven is all that is asked.
    """
    ran = [score for score in scores if score.missing is None]
    faults = [score for score in ran if not score.is_healthy]
    established = sum(score.status == Status.ESTABLISHED for score in faults)
    enough = quick or established >= GOAL * len(faults)
    return enough and all(score.proven and not score.wrong for score in ran)
