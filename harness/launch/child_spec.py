"""A request, resolved once: the command, the environment, the folder, and all that the child is told in spec.json.

Whatever a trial needs is worked out here and nowhere later: starting, watching and closing read it and ask nothing.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.launch import (
    child_environment,
    command,
    environment_record,
    interpreter,
)
from harness.launch.command import ConfigCopy, Values
from harness.launch.process import Launch
from harness.launch.request import Request
from probes import records

BOOT = Path(__file__).resolve().parents[2] / "probes" / "inside" / "boot.py"
SCHEMA = "inquest/spec/1"


@dataclasses.dataclass(frozen=True)
class Description:
    """What is started, and what is written down before it is.

    `spec`: what the probes inside read (spec.json); `environment`: what it starts with (environment.json); `config`:
    the copy of the target's configuration, None where it has none.
    """

    launch: Launch
    spec: Mapping[str, Any]
    environment: Mapping[str, Any]
    config: ConfigCopy | None


def describe(request: Request, confine: Mapping[str, Any] | None = None) -> Description:
    """Resolve a request; `confine` is what the child does to come under its memory limit, None for nothing.

    Asks the target's interpreter (once a target) and starts nothing else; writes nothing.
    """
    target, folder = request.plan.target, request.folder.resolve()
    values = Values(folder, request.plan.settings, request.effective.as_dict())
    config = command.config_copy(target, values)
    words = command.command(target, values, config.path if config else None)
    variables = child_environment.environment(target, values, request.change.variables)
    options, rest = command.split_options(words)
    launch = Launch(
        (target.interpreter, *options, str(BOOT), str(folder / records.SPEC), "--", *rest), variables,
        target.directory, folder / records.STDOUT, folder / records.STDERR, request.change.stack_bytes,
    )  # fmt: skip
    surrounding = environment_record.of_child(variables, interpreter.ask(target))
    return Description(launch, _spec(request, words, confine), surrounding, config)


def write(described: Description) -> None:
    """Write the configuration's copy, spec.json and environment.json into the trial's folder."""
    folder = described.launch.stdout.parent
    if described.config is not None:
        described.config.write()
    records.write_json(folder / records.SPEC, described.spec)
    records.write_json(folder / records.ENVIRONMENT, described.environment)


def _spec(request: Request, words: list[str], confine: Mapping[str, Any] | None) -> dict[str, Any]:
    plan, target, changed = request.plan, request.plan.target, request.change
    return {
        "schema": SCHEMA, "trial": request.id, "folder": str(request.folder.resolve()), "command": words,
        "factors": request.cell.as_dict(), "interventions": [changed.id] if request.intervention else [],
        "python": target.interpreter, "directory": str(target.directory), "supervisor": os.getpid(),
        "threads": request.told_threads, "interop_threads": request.effective.as_dict().get("interop_threads"),
        "loader_workers": request.loader_workers,
        "inside_probes": plan.inside_probes and changed.inside_probes,
        "onednn": changed.onednn, "own_signals": changed.own_signals, "stack_bytes": changed.stack_bytes,
        "lift_limits": changed.lift_limits, "one_core": changed.one_core, "switch_seconds": changed.switch_seconds,
        "expect_steps": plan.expect_steps, "survive": str(plan.survive) if plan.survive else None,
        "plant": dataclasses.asdict(plan.plant) if plan.plant else None, "limits": dataclasses.asdict(plan.limits),
        "interval_seconds": plan.interval_seconds, "started_monotonic": time.perf_counter(),
        "confine": confine, "capture": request.capture,
    }  # fmt: skip
