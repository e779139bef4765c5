"""The child's whole environment: the caller's, the target's own, the threads, the factors, an intervention's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.launch.command import Values
from harness.plan.target_section import Target

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def environment(target: Target, values: Values, more: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """Return the child's whole environment: the caller's, the target's own, the threads, the factors, then `more`."""
    threads = values.factors.get("threads")
    variables: dict[str, Any] = {**os.environ, **activated(target)}
    variables |= {name: text if text is None else values.filled(text) for name, text in target.env}
    variables |= {name: str(threads) for name in THREAD_VARIABLES} if threads else {}
    variables |= dict(values.of_kind(target, "env")) | dict(more)
    return {name: _spelt(value) for name, value in variables.items() if value is not None}


def activated(target: Target) -> dict[str, str | None]:
    """Return what activating the target's environment sets, where it is another than ours: what it starts by name
    comes from there."""
    if target.python is None or target.python == sys.executable:
        return {}
    place = Path(target.python).parent
    is_venv = (place.parent / "pyvenv.cfg").is_file()
    path = os.pathsep.join([str(place), *os.environ.get("PATH", os.defpath).split(os.pathsep)])
    return {"PATH": path, "VIRTUAL_ENV": str(place.parent) if is_venv else None}


def _spelt(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
