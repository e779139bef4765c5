"""An inquest's folder -> Evidence. Pure: a report can be judged again anywhere, from its folder alone."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from harness.decide.hypotheses import HYPOTHESES, Case
from harness.decide.hypotheses.speaking import spoken
from harness.decide.verdict import decide
from harness.facts import journal, proven
from harness.facts import reading as facts
from harness.facts.last_words import last_lines
from harness.model import Evidence
from harness.shrink.bisect import bisect_stage
from probes import records


def evidence(root: Path) -> Evidence:
    """Read every trial of the journal, judge, and return the whole evidence."""
    inquest, environment = journal.description(root)
    trials = tuple(facts.read(root, trial_id) for trial_id in journal.trial_ids(root))
    controls = proven.load(root / proven.NAME)
    case = Case(
        trials, {trial.id: last_lines(root / "trials" / trial.id / records.STDERR) for trial in trials}, controls
    )
    findings = tuple(spoken(hypothesis.judge(case)) for hypothesis in HYPOTHESES)
    verdict = decide(case, findings, inquest["command"], _resume(root, inquest))
    return Evidence(inquest, environment, trials, findings, verdict, controls, bisect_stage.rows(root))


def _resume(root: Path, inquest: dict[str, Any]) -> str | None:
    """Return the command that goes on with an inquest that was cut short; None where it came to its end."""
    is_cut = inquest.get("budget_spent") or inquest.get("interrupted")
    return f"harness run --resume {shlex.quote(str(root))}" if is_cut else None
