"""io-fault: a disk that is full, a device that fails, a file that cannot be read or is cut short.

The operating system says so itself: it is seen to refuse, or by an error number, or by a bus error behind the end of a
mapped file. Where only the program tells of it, it is the cause once memory and threading are ruled out, which can end
in the same errors. The type OSError says nothing: a library that cannot be loaded raises it as well.
"""

from __future__ import annotations

import errno

from harness.decide import observed, wants
from harness.decide.hypotheses import memory_exhaustion, threading_fault
from harness.decide.hypotheses.calls import ending_signal
from harness.decide.hypotheses.case import Case, exit_source, no_sign_of, nothing_to_judge
from harness.decide.wants import Want
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "io-fault"
STORAGE = ("OSError", "FileNotFoundError", "PermissionError", "UnidentifiedImageError", "IsADirectoryError")
NUMBERS = {
    errno.ENOENT: "ENOENT", errno.EACCES: "EACCES", errno.EIO: "EIO", errno.ENOSPC: "ENOSPC", errno.EROFS: "EROFS",
    errno.EISDIR: "EISDIR", errno.ENOTDIR: "ENOTDIR", errno.ENODEV: "ENODEV", errno.ENAMETOOLONG: "ENAMETOOLONG",
    116: "ESTALE",
}  # fmt: skip
# Not among them: ENOMEM, EAGAIN, EMFILE, EFBIG and EDQUOT, where memory, threads or another limit ran out.
IMAGES = ("image file is truncated", "cannot identify image file", "Truncated File Read", "unrecognized data stream")
UNNAMED = Gap("file", "which file it was is not recorded")
UNDECIDED = Gap("memory and threading", "the same errors can come of them, and they are not ruled out")
SYMPTOM = Gap("error number", "neither an error number nor the fault's address says that a file was at fault")


def predicts(trial: Trial) -> bool:
    """A bus error, a refusal of the file system, or an exception that says what of it failed."""
    if _is_of_a_limit(trial):
        return False
    return ending_signal(trial) == "SIGBUS" or bool(own_wants(trial)) or is_told(trial)


def own_wants(trial: Trial) -> list[Want]:
    """Return what a death was refused, or says that it was, of disks and devices."""
    return [want for want in wants.of(trial) if observed.family_of(want.resource) == ID]


def judge(case: Case) -> Finding:
    """Established where the system was seen to refuse, or says so of every failure while memory and threading are
    ruled out; else supported.
    """
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign_of(case, ID, "no sign of a file that could not be read or written")
    told = [reason for trial in case.failures for reason in (*_observed(trial), *_told(trial))]
    seen = [Reason(f"{trial.id}: {trial.exit.meaning}", (exit_source(trial),)) for trial in matching]
    seen += [Reason(f"{trial.id}: {want.text}", want.sources) for trial in matching for want in own_wants(trial)[:1]]
    if all(ID in observed.families(trial) for trial in case.failures) or observed.agreed(case.failures) == ID:
        return Finding(ID, Status.ESTABLISHED, (*told, *seen))
    if all(is_told(trial) for trial in case.failures):
        if _others_are_ruled_out(case):
            return Finding(ID, Status.ESTABLISHED, (*told, *seen))
        return Finding(ID, Status.SUPPORTED, (*told, *seen), (UNDECIDED,))
    return Finding(ID, Status.SUPPORTED, (*told, *seen), (SYMPTOM, UNNAMED))


def is_told(trial: Trial) -> bool:
    """Whether the system itself says of this failure that a file was at fault."""
    return bool(_told(trial)) and not _is_of_a_limit(trial)


def _is_of_a_limit(trial: Trial) -> bool:
    """Whether the same words stand for a limit: /dev/shm, a quota, inotify, the largest file."""
    families = {observed.family_of(want.resource) for want in wants.of(trial) if want.is_full is not False}
    return observed.LIMIT in families and ID not in observed.families(trial)


def _observed(trial: Trial) -> list[Reason]:
    return [Reason(f"{trial.id}: {seen.text}", seen.sources) for seen in observed.of(trial) if seen.family == ID][:2]


def _told(trial: Trial) -> list[Reason]:
    fault, error = trial.fact("file_fault"), trial.fact("python_error")
    if fault is not None and ending_signal(trial) == "SIGBUS":
        return [Reason(f"{trial.id}: {_of_mapping(fault.value)}", fault.sources)]
    if error is None or not _says_what_failed(error.value) or _is_refuted(trial):
        return []
    number, name = error.value.get("errno"), error.value.get("filename")
    what = f" ({NUMBERS[number]})" if number in NUMBERS else ""
    file = f", file {name}" if name else ""
    return [Reason(f"{trial.id}: {error.value['type']}: {error.value['message']}{what}{file}", error.sources)]


def _is_refuted(trial: Trial) -> bool:
    """Whether the record of refusals has none of what the exception's error number names."""
    own = own_wants(trial)
    return bool(own) and wants.is_watched(trial) and all(want.is_full is False for want in own)


def _of_mapping(file: dict[str, int | str | None]) -> str:
    place = f"byte {file['offset_bytes']} of the mapped file {file['path']}, which has {file['size_bytes']}"
    return f"the fault lies at {place}" + ("; its file system is full" if file["free_bytes"] == 0 else "")


def _says_what_failed(error: dict[str, object]) -> bool:
    """Whether an exception is the file system's own: by its number, or by an image that ends too early."""
    message = str(error.get("message"))
    return _is_of_storage(error) and (error.get("errno") in NUMBERS or any(text in message for text in IMAGES))


def _is_of_storage(error: dict[str, object]) -> bool:
    bases = error.get("bases") or [error.get("type")]
    return isinstance(bases, list) and any(name in STORAGE for name in bases)


def _others_are_ruled_out(case: Case) -> bool:
    others = (memory_exhaustion.judge(case), threading_fault.judge(case))
    return all(finding.status is Status.RULED_OUT for finding in others)
