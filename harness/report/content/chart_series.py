"""What the charts draw, read from a trial's records; a missing or torn file gives fewer points, never an error."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.model import Evidence, Trial
from probes.records import FORWARDS, MEMORY, SPEC, read_json, read_lines

MOST_POINTS = 400
Sample = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Memory:
    """Resident memory of one trial: (seconds since its start, bytes), at most `MOST_POINTS`."""

    trial: Trial
    points: tuple[Sample, ...]


@dataclasses.dataclass(frozen=True)
class Forwards:
    """Wall times in seconds of every finished forward of one module and call, of one trial."""

    module: str
    call: int
    seconds: tuple[float, ...]


def measure(evidence: Evidence, folder: Path) -> str:
    """Return the memory to draw: the whole process tree's where every sample has it, else the process' own."""
    rows = [row for trial in evidence.trials for row in _rows(folder, trial, MEMORY)]
    has_tree = bool(rows) and all(_is_number(row.get("tree_rss_bytes")) for row in rows)
    return "tree_rss_bytes" if has_tree else "rss_bytes"


def memory(folder: Path, trial: Trial, key: str) -> Memory:
    """Return the trial's memory over time."""
    samples = [(row["t"], row[key]) for row in _rows(folder, trial, MEMORY) if _is_number(row.get(key))]
    spec = read_json(_folder(folder, trial) / SPEC) or {}
    start = spec.get("started_monotonic", samples[0][0] if samples else 0.0)
    return Memory(trial, tuple(thin([(time - start, amount) for time, amount in samples])))


def thin(samples: list[Sample], most: int = MOST_POINTS) -> list[Sample]:
    """Return at most `most` samples: the first, the last, and of each stretch between its lowest and its highest."""
    if len(samples) <= most:
        return samples
    inner, parts = samples[1:-1], (most - 2) // 2
    stretches = (inner[part * len(inner) // parts : (part + 1) * len(inner) // parts] for part in range(parts))
    kept = [sample for stretch in stretches for sample in _extremes(stretch)]
    return [samples[0], *kept, samples[-1]]


def forwards(folder: Path, trial: Trial) -> list[Forwards]:
    """Return the finished forwards by module and call: each `end` with the last `begin` of the same call."""
    began: dict[tuple[Any, ...], float] = {}
    found: dict[tuple[str, int], list[float]] = {}
    for row in _rows(folder, trial, FORWARDS):
        key = tuple(row.get(name) for name in ("thread", "epoch", "step", "module", "call"))
        if row.get("event") == "begin":
            began[key] = row["t"]
        elif key in began:
            found.setdefault((str(row.get("module")), int(row.get("call") or 0)), []).append(row["t"] - began.pop(key))
    return [Forwards(module, call, tuple(seconds)) for (module, call), seconds in found.items()]


def _rows(folder: Path, trial: Trial, name: str) -> Iterable[dict[str, Any]]:
    found = (row.value for row in read_lines(_folder(folder, trial) / name).rows)
    return (value for value in found if isinstance(value, dict) and _is_number(value.get("t")))


def _folder(folder: Path, trial: Trial) -> Path:
    return folder / "trials" / trial.id


def _extremes(stretch: list[Sample]) -> list[Sample]:
    lowest, highest = (pick(stretch, key=lambda sample: sample[1]) for pick in (min, max))
    return sorted({lowest, highest})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
