"""What every report says of an inquest, as plain values: endings, findings, controls, the machine; pure."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable

from harness import units
from harness.model import Control, Evidence, Exit, Fact, Finding, Outcome, Reason, Source, Status, Trial
from harness.report.content import circumstances

QUESTIONS = (("memory-exhaustion", "Was it memory?"), ("threading-fault", "Was it threading?"))
ANSWERS = {
    Status.ESTABLISHED: "YES, established",
    Status.SUPPORTED: "SUPPORTED, not established",
    Status.RULED_OUT: "NO, ruled out",
    Status.OPEN: "OPEN, not decided",
}
NOT_JUDGED = "NOT JUDGED"
SEVERITY = (Outcome.DIED, Outcome.HUNG, Outcome.UNRESOLVED, Outcome.STOPPED, Outcome.COMPLETED)


@dataclasses.dataclass(frozen=True)
class Ending:
    """Trials that ended the same way at the same point, and what is known around it beside the findings."""

    outcome: Outcome
    text: str
    meaning: str
    trials: tuple[str, ...]
    around: tuple[Reason, ...]


def exit_word(ending: Exit) -> str:
    """Return the shortest name of an exit: "SIGSEGV", "0xC0000005", "exit 1" or "no exit status"."""
    if ending.signal or ending.ntstatus:
        return str(ending.signal or ending.ntstatus)
    return "no exit status" if ending.code is None else f"exit {ending.code}"


def place(trial: Trial) -> str:
    """Return the point that the trial had reached, e.g. "in backbone, call 2 of step 1"; "" where not recorded."""
    event = trial.last_event
    if event is None:
        return ""
    return f"in {event}" if event.module else str(event) if event.phase.startswith("after ") else f"during {event}"


def ending_text(trial: Trial) -> str:
    """Return how a trial ended in a few words, e.g. "died by SIGSEGV in backbone, call 2 of step 1"."""
    word = exit_word(trial.exit)
    how = {
        Outcome.DIED: f"died by {word}" if trial.exit.signal else f"died with {word}",
        Outcome.HUNG: "hung",
        Outcome.STOPPED: "stopped by the harness at a limit, alive,",
        Outcome.UNRESOLVED: f"unresolved ({word})",
    }
    if trial.outcome not in how:
        return "completed"
    return f"{how[trial.outcome]} {place(trial) or 'at a point that no record shows'}"


def endings(evidence: Evidence) -> list[Ending]:
    """Return the ways in which the trials ended, the gravest and most frequent first."""
    groups: dict[tuple[Outcome, str, str], list[Trial]] = {}
    for trial in evidence.trials:
        groups.setdefault((trial.outcome, ending_text(trial), meaning(trial)), []).append(trial)
    found = [
        Ending(*key, tuple(one.id for one in trials), circumstances.told(trials)) for key, trials in groups.items()
    ]
    return sorted(found, key=lambda ending: (SEVERITY.index(ending.outcome), -len(ending.trials)))


def meaning(trial: Trial) -> str:
    """Return what the exit means, and who ended the trial where it was not the program itself."""
    by = {"itself": "", "outside": " Ended from outside.", "harness": " Ended by the harness."}
    text = trial.exit.meaning
    return (text if text.endswith((".", "!", "?")) or not text else f"{text}.") + by[trial.exit.ended_by]


def counts(evidence: Evidence) -> str:
    """Return e.g. "6 trials of 6 cells: 2 died, 4 completed"."""
    tally = Counter(trial.outcome for trial in evidence.trials)
    cells = {trial.cell.id for trial in evidence.trials}
    parts = ", ".join(f"{tally[outcome]} {outcome}" for outcome in SEVERITY if tally[outcome])
    total = f"{units.count(len(evidence.trials), 'trial')} of {units.count(len(cells), 'cell')}"
    return f"{total}: {parts}" if parts else "No trial was run"


def find(evidence: Evidence, hypothesis: str) -> Finding | None:
    """Return the finding of that hypothesis, or None where it was not judged."""
    return next((finding for finding in evidence.hypotheses if finding.id == hypothesis), None)


def others(evidence: Evidence) -> list[Finding]:
    """Return the findings besides memory and threading: first the established, then the supported, then the rest."""
    asked = [hypothesis for hypothesis, _ in QUESTIONS]
    order = (Status.ESTABLISHED, Status.SUPPORTED, Status.OPEN, Status.RULED_OUT)
    found = (finding for finding in evidence.hypotheses if finding.id not in asked)
    return sorted(found, key=lambda finding: order.index(finding.status))


def reason_text(reason: Reason) -> str:
    """Return a reason's sentence, and before it which way it speaks, where it is of a hypothesis."""
    return f"{reason.speaks}: {reason.text}" if reason.speaks else reason.text


def is_brief(finding: Finding) -> bool:
    """Whether one row of a table holds all that the finding says."""
    return len(finding.reasons) <= 1 and finding.status in (Status.OPEN, Status.RULED_OUT)


def machine(evidence: Evidence) -> str:
    """Return the machine in one line: system, architecture, processors, memory, Python, torch."""
    about = evidence.environment
    parts = [about.get("platform"), about.get("machine")]
    parts += [units.count(about["cpus"], "CPU")] if about.get("cpus") else []
    parts += [f"{units.size(about['memory_bytes'])} memory"] if about.get("memory_bytes") else []
    parts += [f"Python {about['python']}"] if about.get("python") else []
    parts += [f"torch {version}"] if (version := (about.get("packages") or {}).get("torch")) else []
    return ", ".join(str(part) for part in parts if part) or units.UNKNOWN


def when(evidence: Evidence) -> str:
    """Return when the inquest ran, for how long, within which budget, and whether it was cut short."""
    about = evidence.inquest
    parts = [units.moment(about.get("started"))]
    parts += [units.duration(about["seconds"])] if about.get("seconds") is not None else []
    parts += [f"budget {units.duration(about['budget_seconds'])}"] if about.get("budget_seconds") else []
    parts += ["INTERRUPTED, can be resumed"] if about.get("interrupted") else []
    return ", ".join(parts)


def stages(evidence: Evidence) -> str:
    """Return the stages with their wall times, e.g. "baseline 12 s, matrix 84 s"; "" where none is recorded."""
    found = evidence.inquest.get("stages") or []
    return ", ".join(f"{stage.get('name')} {units.duration(stage.get('seconds'))}" for stage in found)


def sources_of(evidence: Evidence, trial: Trial) -> list[Source]:
    """Return every record line of a trial that a fact or a finding rests on, each once."""
    folder = f"trials/{trial.id}/"
    facts = (source for fact in trial.facts for source in fact.sources)
    reasons = (source for finding in evidence.hypotheses for reason in finding.reasons for source in reason.evidence)
    return list(dict.fromkeys(source for source in (*facts, *reasons) if source.file.startswith(folder)))


def controls_text(controls: Iterable[Control]) -> str:
    """Return e.g. "5 of 6 planted faults were recognised on this machine"."""
    proven = [control.proven for control in controls]
    return f"{sum(proven)} of {units.count(len(proven), 'planted fault')} recognised on this machine"


def short_list(names: Iterable[str], limit: int = 8) -> str:
    """Return names separated by two spaces; beyond the limit, how many more there are."""
    every = list(names)
    rest = [f"and {len(every) - limit} more"] if len(every) > limit else []
    return "  ".join([*every[:limit], *rest])


def fact_text(fact: Fact) -> str:
    """Return a fact's value as text: with its unit, lists a line an entry, objects as JSON."""
    if isinstance(fact.value, list | tuple):
        return "\n".join(part if isinstance(part, str) else json.dumps(part) for part in fact.value) or "none"
    if isinstance(fact.value, dict):
        return json.dumps(fact.value, indent=1, ensure_ascii=False)
    return units.measure(fact.name, fact.value)
