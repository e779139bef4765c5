"""io-fault: a disk that is full, a file that cannot be read, a worker without shared memory."""

from __future__ import annotations

from harness.hypotheses.case import Case, exit_source, no_sign_of, nothing_to_judge
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "io-fault"
ERRORS = ("OSError", "FileNotFoundError", "PermissionError", "UnidentifiedImageError", "IsADirectoryError")
TEXTS = (
    "No space left on device",
    "Disk quota exceeded",
    "unexpected pos",
    "image file is truncated",
    "DataLoader worker",
)


def predicts(trial: Trial) -> bool:
    """A bus error, a file size limit, or an exception of the file system."""
    return trial.exit.signal in ("SIGBUS", "SIGXFSZ") or (trial.value("python_error") or {}).get("type") in ERRORS


def judge(case: Case) -> Finding:
    """Supported by the signal, the exception or the words in stderr."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    words = [(trial, *found) for trial in case.failures for found in case.stderr_lines(trial, TEXTS)]
    if not matching and not words:
        return no_sign_of(case, ID, "no sign of a file that could not be read or written")
    reasons = [Reason(f"{trial.id}: {trial.exit.meaning}", (exit_source(trial),)) for trial in matching]
    reasons += [Reason(f"{trial.id}: {line}", (source,)) for trial, line, source in words]
    return Finding(ID, Status.SUPPORTED, tuple(reasons), (Gap("file", "which file it was is not recorded"),))
