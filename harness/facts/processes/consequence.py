"""Whether the observed process can have ended because another one of its tree had died before; pure.

By time, and by what it did in between: a program that went on with its work for long has survived that death. The exit
code of a helper alone is no news to a program that asked for it (`grep` finds nothing, an import is tried out): that
counts where the program's own end follows at once, or reports it.
"""

from __future__ import annotations

import re

from harness.facts.folder import TrialFolder
from harness.facts.processes.ends import End
from probes import records

FAULTS = (
    "SIGSEGV",
    "SIGBUS",
    "SIGFPE",
    "SIGILL",
    "SIGTRAP",
    "SIGSYS",
)  # no other death makes an instruction fault
AT_ONCE_SECONDS = 0.5
SOON_SECONDS = 30.0  # a loader looks after its workers every 5 s, a launcher after its ranks
ASKED = ("subprocess", "tool")  # started by a program that reads the exit code
REPORTS = re.compile(
    r"CalledProcessError|ChildFailedError|BrokenProcessPool|TerminatedWorkerError|ProcessExitedException|"
    r"ProcessRaisedException|WorkerDiedError|non-zero exit status|died with|exited unexpectedly|exit ?code|returncode|"
    r"exit status|terminated abruptly"
)


def follows(folder: TrialFolder, death: End, main: End) -> bool:
    """Whether the main process' end may be a consequence of another one's."""
    if main.signal in FAULTS:
        return False
    after = main.began - death.began
    if _is_reported(folder, death):
        return True
    if death.signal is None and death.how in ASKED and main.error is not None:
        return after <= AT_ONCE_SECONDS
    return after <= SOON_SECONDS or not _worked(folder, death.began + SOON_SECONDS, main.began)


def _is_reported(folder: TrialFolder, death: End) -> bool:
    """Whether the exception that ended the main process speaks of the death: by its process id, or as reporters do."""
    rows = [row for row in folder.own_lines(records.PYTHON_ERROR) if row.value.get("is_main")]
    text = "\n".join("".join(row.value.get("traceback") or ()) + str(row.value.get("message")) for row in rows)
    if re.search(rf"\b{death.pid}\b", text):
        return True
    named = death.command.split()[0].rpartition("/")[2] if death.command else ""
    told = death.signal is not None or death.error is not None or not named or named in text
    return bool(REPORTS.search(text)) and told and _has_status(death, text)


def _has_status(death: End, text: str) -> bool:
    """Whether the number of the exit code is in the text, where there is one; a signal is worded in many ways."""
    return death.signal is not None or re.search(rf"\b{death.code}\b", text) is not None or death.how not in ASKED


def _worked(folder: TrialFolder, since: float, until: float) -> bool:
    """Whether steps were done in between, by the observed process."""
    return any(row.kind == "step" and since < row.t < until for row in folder.flight())
