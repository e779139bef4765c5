"""What a refusal was about, read while it can still be seen: the file and its file system, or limits and use.

The kernel's row tells the call and the error, not the descriptor; so `path` is that of the one file that fits, and
`how` says by what it fits.
"""

from __future__ import annotations

from typing import Any

from probes.outside.system import calls, files, limits

NO_SPACE = ("ENOSPC", "EDQUOT")
STORAGE = ("EIO", "ESTALE", "EROFS")


def of(call: str, error: str, pid: int) -> dict[str, Any]:
    """Return `path`, `how`, `free_bytes`, `free_inodes`, `limits`, as far as they can be told; sizes in bytes."""
    if error in calls.DESCRIPTORS:
        return _limited([*limits.of_descriptors(pid), *(limits.of_watches(pid) if "inotify" in call else [])])
    if calls.is_about_processes(call):
        return _limited(limits.of_threads(pid) + (limits.of_memory(pid) if error == "ENOMEM" else []))
    if call == "inotify_add_watch":
        return _limited(limits.of_watches(pid))
    if error == "ENOMEM" or (error == "EAGAIN" and call in calls.MAPPING):
        return _limited(limits.of_memory(pid))
    if error == "EFBIG":
        return _too_long(pid)
    if error in NO_SPACE:
        return _no_space(pid)
    return _only_file(pid) if error in STORAGE and call in calls.WRITING else {}


def _limited(found: list[limits.Limit]) -> dict[str, Any]:
    return {"limits": found} if found else {}


def _no_space(pid: int) -> dict[str, Any]:
    """Return the one open file whose file system is full; else all that are full: which was meant is not known."""
    full = {file.path: file for file in files.open_for_writing(pid) if file.is_full}
    if len(full) == 1:
        (file,) = full.values()
        return {**files.described(file.path, file.space), "how": "the open file on a full file system"}
    systems = files.full_file_systems(pid)
    return {"full_file_systems": [files.described(*system) for system in systems]} if systems else {}


def _too_long(pid: int) -> dict[str, Any]:
    """Return the one open file that has reached the limit, and the limit."""
    found = limits.of_file_size(pid)
    most = min((limit["limit"] for limit in found), default=None)
    reached = [file for file in files.open_for_writing(pid) if most is not None and file.position >= most]
    if len(reached) != 1:
        return _limited(found)
    used = [{**limit, "used": reached[0].position} for limit in found]
    return {**files.described(reached[0].path, reached[0].space), "how": "the open file of that size", "limits": used}


def _only_file(pid: int) -> dict[str, Any]:
    found = {file.path: file for file in files.open_for_writing(pid)}
    if len(found) != 1:
        return {}
    (file,) = found.values()
    return {**files.described(file.path, file.space), "how": "the only file open for writing"}
