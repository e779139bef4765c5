"""Which resource a refused system call wanted, whether its limit was reached, and whether it lies near the death; pure.

A refusal is a call, an error, and what it was about as far as it could still be seen: limits with their use, the room
of a file system. Long before the death, it was survived.
"""

from __future__ import annotations

from typing import Any

from harness.facts.refused import wording
from harness.model import Fact, Trial

NEAR_SECONDS = 3.0
LONGEST_STEP_SECONDS = 60.0
LATE_SECONDS = 0.25  # by two clocks; what was refused after the first death did not bring it about
FULL = 0.95  # of a limit
FREE_BYTES = 8 << 20  # a file system with less has no room for a checkpoint
MANY = 0.5  # of all mappings that there may be; 65 530 as a rule
ABSURD = 4  # times the tightest limit
SLACK = 2  # threads, descriptors: those that ended between the refusal and the look
CLONES = ("clone", "clone3", "fork", "vfork")
LOCKS = ("mlock", "mlock2", "mlockall", "shmctl")
EASY = ("EROFS", "EIO", "ESTALE", "EPIPE")  # every program meets these and lives: only its own words make them its end
BY_ITSELF = (wording.FILES, wording.FILE_SIZE, wording.QUOTA, wording.INOTIFY)  # the error has no other meaning
LIMIT_OF = {
    "RLIMIT_NPROC": wording.THREADS, "pids.max": wording.THREADS, "threads-max": wording.THREADS,
    "pid_max": wording.THREADS, "RLIMIT_NOFILE": wording.FILES, "max_map_count": wording.MAPPINGS,
    "RLIMIT_MEMLOCK": wording.LOCKED, "RLIMIT_AS": wording.ADDRESSES,
}  # fmt: skip


def near_seconds(trial: Trial) -> float:
    """Return how long before a death still counts as right before it: some seconds, or the length of a step."""
    steps, seconds = trial.value("steps_done") or 0, trial.value("duration_seconds") or 0.0
    return max(NEAR_SECONDS, min(LONGEST_STEP_SECONDS, seconds / steps) if steps > 2 else 0.0)


def near_refusals(trial: Trial) -> list[Fact]:
    """Return the refusals within the last step or seconds before the death, and those that the last words name."""
    found = [fact for fact in trial.facts if fact.name == "refusal"]
    most = near_seconds(trial)
    said = named_resources(trial)
    times = [(fact, fact.value["before_death_seconds"]) for fact in found]
    return [
        fact
        for fact, before in times
        if before is not None and before >= -LATE_SECONDS and (before <= most or resource_of(fact.value, trial) in said)
    ]


def resource_of(refusal: dict[str, Any], trial: Trial) -> str | None:
    """Return what a refused system call wanted; None where its error tells of no want (a peer that went away)."""
    call, error, about = refusal["call"], refusal["error"], refusal.get("about") or {}
    if "inotify" in call:
        return wording.INOTIFY
    if error == "EAGAIN":
        return wording.THREADS if call in CLONES else wording.LOCKED if call in (*LOCKS, "mmap") else None
    if error == "ENOMEM":
        return wording.LOCKED if call in LOCKS else _of_memory(about, trial)
    if error == "ENOSPC":
        path = about.get("path")
        shared = str(path).startswith("/dev/shm") if path else wording.SHARED in named_resources(trial)
        return wording.SHARED if shared else wording.DISK
    fixed = {"EMFILE": wording.FILES, "ENFILE": wording.FILES, "EFBIG": wording.FILE_SIZE, "EDQUOT": wording.QUOTA}
    return fixed.get(error) or (wording.STORAGE if error in ("EIO", "ESTALE", "EROFS") else None)


def _of_memory(about: dict[str, Any], trial: Trial) -> str:
    """ENOMEM of mmap has several limits behind it: mappings, and address space where no allocation was meant."""
    rows = about.get("limits") or ()
    full = {_named(limit["name"]) for limit in rows if at(limit)}
    mappings = next((limit for limit in rows if _named(limit["name"]) == wording.MAPPINGS), None)
    if wording.MAPPINGS in full or (not full and _has_many(mappings)):
        return wording.MAPPINGS
    limit = next((row["limit"] for row in about.get("limits") or () if row["name"] == "RLIMIT_AS"), 0)
    small = (trial.value("rss_at_end_bytes") or limit) < limit / 2
    reserved = wording.ADDRESSES in full and small and trial.fact("allocation_failure") is None
    return wording.ADDRESSES if reserved else wording.MEMORY


def _has_many(mappings: dict[str, Any] | None) -> bool:
    """Whether a process had more mappings than any that does not leak them: they are counted while it ends."""
    return mappings is not None and mappings["used"] >= MANY * mappings["limit"]


def is_full(refusal: dict[str, Any], resource: str) -> bool | None:
    """Return whether the limit of what was refused was reached; None where that is not known."""
    about = refusal.get("about") or {}
    if resource in (wording.DISK, wording.SHARED):
        free, inodes = about.get("free_bytes"), about.get("free_inodes")
        return None if free is None else free < FREE_BYTES or inodes == 0
    if resource == wording.STORAGE:
        return True  # an error of the device, not of an amount
    limits = about.get("limits") or ()
    if resource == wording.MAPPINGS:
        return True  # it was found by its use
    own = [limit for limit in limits if resource == wording.MEMORY or _named(limit["name"]) in (resource, None)]
    if any(at(limit) for limit in own):
        return True
    return True if resource in BY_ITSELF else None  # it may have been read when others had already ended


def _named(name: str) -> str | None:
    return next((resource for part, resource in LIMIT_OF.items() if part in name), None)


def at(limit: dict[str, Any]) -> bool:
    """Return whether a limit is reached, for all that can be told after the fact."""
    total, used = limit.get("limit"), limit.get("used")
    return total is not None and used is not None and (used >= FULL * total or used >= total - SLACK)


def word(refusal: dict[str, Any]) -> str:
    """Say e.g. "the system answered write with ENOSPC, 3 times, the last 0.02 s before the death: /data has 0 B"."""
    about = refusal.get("about") or {}
    path = f" of {about['path']}" if about.get("path") else ""
    free = f"; its file system had {about['free_bytes']} bytes free" if about.get("free_bytes") is not None else ""
    limits = "".join(f"; {it['name']}: {it['used']} of {it['limit']} in use" for it in about.get("limits") or ())
    times = f" {refusal['count']} times, the last" if refusal.get("count", 1) > 1 else ""
    ago = f"{times} {refusal['before_death_seconds']:.2f} s before the death"
    return f"the system answered {refusal['call']}{path} with {refusal['error']},{ago}{free}{limits}"


def is_named(trial: Trial, error: str, resource: str) -> bool:
    """Whether the program's own last words name what it was refused, or it ended by an exception of C++."""
    said = resource == wording.MEMORY and trial.fact("allocation_failure") is not None
    terminated = error not in ("EPIPE", "ENOMEM") and trial.fact("terminate_exception") is not None
    return said or terminated or resource in named_resources(trial)


def asks_for_what_can_be(trial: Trial) -> bool:
    """Whether the program says that an allocation failed, and of a size that is no mistake in itself.

    Then what was in use says nothing of the limit: what was asked for counts, too.
    """
    failed = trial.value("allocation_failure")
    limit = trial.value("memory_limit_bytes")
    return failed is not None and (limit is None or (failed.get("wanted_bytes") or 0) <= ABSURD * limit)


def named_resources(trial: Trial) -> set[str]:
    """Return the resources that the program's own last words name."""
    return {fact.value["resource"] for fact in trial.facts if fact.name == "named_want"}
