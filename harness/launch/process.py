"""What a child process is to the supervisor, on every system; `system` is the module with this system's five verbs.

The verbs: `start`, `has_ended`, `end`, `sweep`, `reap`. None of them raises because a process has gone.
"""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Launch:
    """What to start: the command, its whole environment, its working directory, where its output goes.

    `stack_bytes`: the size of the main thread's stack, and of native threads that ask for none; None: as it is.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    stdout: Path
    stderr: Path
    stack_bytes: int | None = None


@dataclasses.dataclass
class Child:
    """A started process. `popen` holds the handle; `extra` is what this system's verbs keep for themselves."""

    pid: int
    popen: subprocess.Popen[bytes]
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Reaped:
    """What the operating system says of a process that has ended.

    `code` is the exit code (None where a signal ended it), `signal` the signal's number, `ntstatus` a Windows status
    (an exit code of 0x40000000 or more), `core` whether a core was dumped (None: not known), `max_rss_bytes` the
    kernel's own peak, times in seconds.
    """

    code: int | None
    signal: int | None
    ntstatus: int | None
    core: bool | None
    max_rss_bytes: int | None
    user_seconds: float | None
    system_seconds: float | None
