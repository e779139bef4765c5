"""An inquest's folder -> Evidence. Pure: a report can be judged again anywhere, from its folder alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.controls import store
from harness.decide.hypotheses import HYPOTHESES, Case
from harness.decide.verdict import decide
from harness.facts import reading as facts
from harness.facts.last_words import last_lines
from harness.model import Evidence
from harness.shrink.bisect import bisect_stage
from probes import records


def evidence(root: Path) -> Evidence:
    """Read every trial of the journal, judge, and return the whole evidence."""
    inquest, environment = _from_journal(root)
    trials = tuple(facts.read(root, trial_id) for trial_id in trial_ids(root))
    controls = store.load(root / store.NAME)
    case = Case(
        trials, {trial.id: last_lines(root / "trials" / trial.id / records.STDERR) for trial in trials}, controls
    )
    findings = tuple(hypothesis.judge(case) for hypothesis in HYPOTHESES)
    verdict = decide(case, findings, inquest["command"])
    return Evidence(inquest, environment, trials, findings, verdict, controls, bisect_stage.rows(root))


def trial_ids(root: Path) -> list[str]:
    """Return the trials that the journal says were finished, in their order."""
    rows = records.read_lines(root / records.JOURNAL).rows
    return [row.value["trial"] for row in rows if row.value["event"] == "trial ended"]


def _from_journal(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what evidence.json says of the inquest and of the machine; later lines win."""
    inquest: dict[str, Any] = {"id": root.name, "command": "harness run", "stages": []}
    environment: dict[str, Any] = {}
    for row in records.read_lines(root / records.JOURNAL).rows:
        if row.value["event"] == "begin":
            inquest |= row.value["inquest"]
            environment |= row.value["environment"]
        elif row.value["event"] == "stage ended":
            inquest["stages"] = [*inquest["stages"], {"name": row.value["stage"], "seconds": row.value["seconds"]}]
        elif row.value["event"] in ("end", "interrupted"):
            inquest |= {
                "ended": row.value["time"],
                "seconds": row.value["seconds"],
                "interrupted": row.value["event"] == "interrupted",
            }
    return inquest, environment
