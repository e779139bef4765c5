"""Evidence <-> evidence.json (schema "inquest/evidence/1")."""

from __future__ import annotations

import dataclasses
import enum
import json
from importlib import resources
from pathlib import Path
from typing import Any

from harness.model import (
    Cell,
    ConfigError,
    Control,
    EndedBy,
    Evidence,
    Exit,
    Experiment,
    Fact,
    Finding,
    ForwardTiming,
    Gap,
    LastEvent,
    Outcome,
    Reason,
    Signature,
    Source,
    Speaks,
    Status,
    Trial,
    Verdict,
    VerdictStatus,
)
from probes.records import EVIDENCE, write_json

SCHEMA = "inquest/evidence/1"


def to_json(evidence: Evidence) -> dict[str, Any]:
    """Return the object that evidence.json holds, made of dicts, lists and scalars only; pure."""
    return {
        "schema": SCHEMA,
        "inquest": _plain(evidence.inquest),
        "environment": _plain(evidence.environment),
        "trials": [_trial_json(trial) for trial in evidence.trials],
        "hypotheses": [_plain(dataclasses.asdict(finding)) for finding in evidence.hypotheses],
        "verdict": _plain(dataclasses.asdict(evidence.verdict)),
        "controls": [_control_json(control) for control in evidence.controls],
        "bisect": _plain(evidence.bisect),
    }


def from_json(data: dict[str, Any]) -> Evidence:
    """Return the evidence that `to_json` wrote: `to_json(from_json(data)) == data`.

    Raises `ConfigError` where the object is of another schema.
    """
    if data.get("schema") != SCHEMA:
        raise ConfigError(f"schema: this version reads {SCHEMA}, the file says {data.get('schema', 'nothing')}")
    return Evidence(
        inquest=data["inquest"],
        environment=data["environment"],
        trials=tuple(_trial(item) for item in data["trials"]),
        hypotheses=tuple(_finding(item) for item in data["hypotheses"]),
        verdict=_verdict(data["verdict"]),
        controls=tuple(Control(**{**item, "seen": tuple(item.get("seen", ()))}) for item in data["controls"]),
        bisect=data.get("bisect", {}),
    )


def write(folder: Path, evidence: Evidence) -> Path:
    """Write evidence.json into the inquest's folder and return its path."""
    path = folder / EVIDENCE
    write_json(path, to_json(evidence))
    return path


def schema() -> dict[str, Any]:
    """Return the JSON Schema of evidence.json, which is part of the product."""
    text = resources.files("harness.report").joinpath("evidence.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _trial_json(trial: Trial) -> dict[str, Any]:
    fields = {key: value for key, value in dataclasses.asdict(trial).items() if key != "cell"}
    return dict(_plain({"id": trial.id, "factors": trial.factors, **fields}))


def _control_json(control: Control) -> dict[str, Any]:
    """What a control has not seen is left out, as in reports from before it was asked."""
    fields = dataclasses.asdict(control)
    return dict(_plain({key: value for key, value in fields.items() if key != "seen" or value}))


def _plain(value: Any) -> Any:
    """Spell a value as JSON gives it back: lists for tuples, strings for enumerations."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value


def _trial(item: dict[str, Any]) -> Trial:
    ending = item["exit"]
    return Trial(
        id=item["id"],
        cell=Cell(tuple(item["factors"].items())),
        interventions=tuple(item["interventions"]),
        outcome=Outcome(item["outcome"]),
        exit=Exit(**{**ending, "ended_by": EndedBy(ending["ended_by"])}),
        last_event=LastEvent(**item["last_event"]) if item["last_event"] else None,
        peak_rss_bytes=item["peak_rss_bytes"],
        forwards=tuple(ForwardTiming(**timing) for timing in item["forwards"]),
        signature=Signature(**item["signature"]) if item["signature"] else None,
        facts=tuple(Fact(fact["name"], fact["value"], _sources(fact["sources"])) for fact in item["facts"]),
        gaps=_gaps(item["gaps"]),
    )


def _finding(item: dict[str, Any]) -> Finding:
    reasons = tuple(
        Reason(it["text"], _sources(it["evidence"]), Speaks(it["speaks"]) if it.get("speaks") else None)
        for it in item["reasons"]
    )
    return Finding(item["id"], Status(item["status"]), reasons, _gaps(item["gaps"]))


def _verdict(item: dict[str, Any]) -> Verdict:
    experiments = tuple(Experiment(**experiment) for experiment in item["next_experiments"])
    return Verdict(VerdictStatus(item["status"]), item["cause"], item["statement"], experiments)


def _sources(items: list[dict[str, Any]]) -> tuple[Source, ...]:
    return tuple(Source(**item) for item in items)


def _gaps(items: list[dict[str, Any]]) -> tuple[Gap, ...]:
    return tuple(Gap(**item) for item in items)
