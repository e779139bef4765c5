"""What a trial was refused: by the kernel's answers, by its signals, by error numbers, by the program's words; pure.

A want is a resource and how it is known. `refusal`: the system was seen to answer a system call with an error;
`signal`: the kernel sent SIGXCPU or SIGXFSZ, or a bus error in /dev/shm; `number`: an uncaught exception carries the
error number; `words`: the program says so. Only what lies near the death counts: what a program was refused long
before, it has survived.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from harness.facts.refused import wording
from harness.model import Fact, Source, Trial

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
SPACES = ("mmap", "brk", "mremap", "mprotect", "madvise", "munmap")
RESOURCE_LIMITS = (
    wording.THREADS, wording.FILES, wording.FILE_SIZE, wording.CPU_TIME, wording.LOCKED, wording.SHARED,
    wording.INOTIFY, wording.QUOTA, wording.MAPPINGS, wording.ADDRESSES,
)  # fmt: skip
IO = (wording.DISK, wording.STORAGE)
EASY = ("EROFS", "EIO", "ESTALE", "EPIPE")  # every program meets these and lives: only its own words make them its end
BY_ITSELF = (wording.FILES, wording.FILE_SIZE, wording.QUOTA, wording.INOTIFY)  # the error has no other meaning
LIMIT_OF = {
    "RLIMIT_NPROC": wording.THREADS, "pids.max": wording.THREADS, "threads-max": wording.THREADS,
    "pid_max": wording.THREADS, "RLIMIT_NOFILE": wording.FILES, "max_map_count": wording.MAPPINGS,
    "RLIMIT_MEMLOCK": wording.LOCKED, "RLIMIT_AS": wording.ADDRESSES,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Want:
    """One resource that was refused near the death; `is_full`: whether its limit was reached (None: not known)."""

    resource: str
    by: str
    is_full: bool | None
    text: str
    sources: tuple[Source, ...]

    @property
    def is_observed(self) -> bool:
        """Whether the system itself was seen to refuse, at a limit that was reached."""
        return self.by in ("refusal", "signal") and self.is_full is True


def of(trial: Trial) -> tuple[Want, ...]:
    """Return everything that a failed trial was refused near its death; () for every other trial."""
    if not trial.outcome.is_failure or trial.exit.ended_by == "harness":
        return ()
    seen = (*_refusals(trial), *_signals(trial), *_mapped_file(trial))
    said = (*_words(trial), *_allocation(trial))
    return (*seen, *_borne_out(said, seen)) if is_watched(trial) else (*seen, *said)


def _borne_out(said: tuple[Want, ...], seen: tuple[Want, ...]) -> Iterator[Want]:
    """Words that the record of refusals does not bear out establish nothing: anybody can raise an error number.

    Where something else was seen to be refused, that is what they meant: several wants share their words.
    """
    for want in said:
        if any(other.resource == want.resource for other in seen):
            yield want
        elif not any(other.is_observed for other in seen):
            yield dataclasses.replace(want, is_full=False)


def is_watched(trial: Trial) -> bool:
    """Whether the refusals of a trial were recorded, so that their absence means something."""
    return bool(trial.value("refusals_watched"))


def near_seconds(trial: Trial) -> float:
    """Return how long before a death still counts as right before it: some seconds, or the length of a step."""
    steps, seconds = trial.value("steps_done") or 0, trial.value("duration_seconds") or 0.0
    return max(NEAR_SECONDS, min(LONGEST_STEP_SECONDS, seconds / steps) if steps > 2 else 0.0)


def near_refusals(trial: Trial) -> list[Fact]:
    """Return the refusals within the last step or seconds before the death, and those that the last words name."""
    found = [fact for fact in trial.facts if fact.name == "refusal"]
    most = near_seconds(trial)
    said = _named_resources(trial)
    times = [(fact, fact.value["before_death_seconds"]) for fact in found]
    return [
        fact
        for fact, before in times
        if before is not None and before >= -LATE_SECONDS and (before <= most or resource_of(fact.value, trial) in said)
    ]


def _refusals(trial: Trial) -> Iterator[Want]:
    for fact in near_refusals(trial):
        value = fact.value
        resource = resource_of(value, trial)
        if resource is not None and not (value["error"] in EASY and not _is_named(trial, value["error"], resource)):
            full = _is_full(value, resource)
            said = resource == wording.MEMORY and _asks_for_what_can_be(trial)
            named = said or (full is None and _is_named(trial, value["error"], resource))
            yield Want(resource, "refusal", True if named else full, _word(value), fact.sources)


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
        shared = str(path).startswith("/dev/shm") if path else wording.SHARED in _named_resources(trial)
        return wording.SHARED if shared else wording.DISK
    fixed = {"EMFILE": wording.FILES, "ENFILE": wording.FILES, "EFBIG": wording.FILE_SIZE, "EDQUOT": wording.QUOTA}
    return fixed.get(error) or (wording.STORAGE if error in ("EIO", "ESTALE", "EROFS") else None)


def _of_memory(about: dict[str, Any], trial: Trial) -> str:
    """ENOMEM of mmap has several limits behind it: mappings, and address space where no allocation was meant."""
    rows = about.get("limits") or ()
    full = {_named(limit["name"]) for limit in rows if _at(limit)}
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


def _is_full(refusal: dict[str, Any], resource: str) -> bool | None:
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
    if any(_at(limit) for limit in own):
        return True
    return True if resource in BY_ITSELF else False if own else None


def _named(name: str) -> str | None:
    return next((resource for part, resource in LIMIT_OF.items() if part in name), None)


def _at(limit: dict[str, Any]) -> bool:
    total, used = limit.get("limit"), limit.get("used")
    return total is not None and used is not None and (used >= FULL * total or used >= total - SLACK)


def _word(refusal: dict[str, Any]) -> str:
    """Say e.g. "the system answered write with ENOSPC, 3 times, the last 0.02 s before the death: /data has 0 B"."""
    about = refusal.get("about") or {}
    path = f" of {about['path']}" if about.get("path") else ""
    free = f"; its file system had {about['free_bytes']} bytes free" if about.get("free_bytes") is not None else ""
    limits = "".join(f"; {it['name']}: {it['used']} of {it['limit']} in use" for it in about.get("limits") or ())
    times = f" {refusal['count']} times, the last" if refusal.get("count", 1) > 1 else ""
    ago = f"{times} {refusal['before_death_seconds']:.2f} s before the death"
    return f"the system answered {refusal['call']}{path} with {refusal['error']},{ago}{free}{limits}"


def _is_named(trial: Trial, error: str, resource: str) -> bool:
    """Whether the program's own last words name what it was refused, or it ended by an exception of C++."""
    said = resource == wording.MEMORY and trial.fact("allocation_failure") is not None
    terminated = error not in ("EPIPE", "ENOMEM") and trial.fact("terminate_exception") is not None
    return said or terminated or resource in _named_resources(trial)


def _asks_for_what_can_be(trial: Trial) -> bool:
    """Whether the program says that an allocation failed, and of a size that is no mistake in itself.

    Then what was in use says nothing of the limit: what was asked for counts, too.
    """
    failed = trial.value("allocation_failure")
    limit = trial.value("memory_limit_bytes")
    return failed is not None and (limit is None or (failed.get("wanted_bytes") or 0) <= ABSURD * limit)


def _named_resources(trial: Trial) -> set[str]:
    return {fact.value["resource"] for fact in trial.facts if fact.name == "named_want"}


def _signals(trial: Trial) -> Iterator[Want]:
    """The kernel's own signals at a limit; not where somebody else was seen to send it."""
    signal = (trial.value("worker_death") or {}).get("signal") or trial.exit.signal
    stranger = any(
        fact.value["by"] not in ("kernel", "harness") and fact.value["signal"] == signal and fact.value.get("ends")
        for fact in trial.facts
        if fact.name == "signal_delivered"
    )
    if signal == "SIGXCPU" and not stranger:
        yield _processor_time(trial)
    if signal == "SIGXFSZ" and not stranger:
        limits = [fact for fact in _limit_uses(trial, wording.FILE_SIZE)]
        known = f" (RLIMIT_FSIZE is {limits[0].value['limit']} bytes)" if limits else ""
        sources = tuple(source for fact in limits for source in fact.sources) or _exit_source(trial)
        yield Want(
            wording.FILE_SIZE, "signal", True if limits else None,
            f"a file outgrew the largest that may be written{known}", sources,
        )  # fmt: skip


def _processor_time(trial: Trial) -> Want:
    limit, used = trial.fact("cpu_limit_seconds"), trial.fact("cpu_seconds")
    if limit is None or used is None:
        text = "SIGXCPU is the kernel's own, at a limit of processor time; that limit is not recorded"
        return Want(wording.CPU_TIME, "signal", None, text, _exit_source(trial))
    text = f"it had used {used.value:.2f} s of processor time, its limit is {limit.value} s (RLIMIT_CPU)"
    raised = max(1, limit.value - 1)  # the kernel puts the limit a second higher with each signal, and may be seen to
    full = used.value >= FULL * raised or _is_sent_by_kernel(trial, "SIGXCPU")
    return Want(wording.CPU_TIME, "signal", full, text, (*limit.sources, *used.sources, *_exit_source(trial)))


def _is_sent_by_kernel(trial: Trial, signal: str) -> bool:
    sent = [fact.value for fact in trial.facts if fact.name == "signal_delivered"]
    return any(it["by"] == "kernel" and it["signal"] == signal and it.get("ends") for it in sent)


def _mapped_file(trial: Trial) -> Iterator[Want]:
    """A bus error in a mapping of /dev/shm: its pages are made when first touched, and there were none left."""
    fault = trial.fact("file_fault")
    if fault is not None and str(fault.value["path"]).startswith("/dev/shm"):
        free = fault.value.get("free_bytes")
        full = None if free is None else free < FREE_BYTES
        if full is not False:
            text = f"the fault lies in {fault.value['path']}, and /dev/shm had {free} bytes free"
            yield Want(wording.SHARED, "signal", full, text, fault.sources)


def _words(trial: Trial) -> Iterator[Want]:
    for fact in trial.facts:
        if fact.name == "named_want":
            by = "number" if fact.value.get("errno") is not None else "words"
            resource = fact.value["resource"]
            full = [limit for limit in _limit_uses(trial, resource) if _at(limit.value)]
            refused = trial.value("thread_creations_refused") if resource == wording.THREADS else None
            told = "".join(f"; {it.value['name']}: {it.value['used']} of {it.value['limit']} in use" for it in full)
            told += f"; the control groups refused {refused}" if refused else ""
            sources = (*fact.sources, *(source for it in full for source in it.sources))
            is_full = bool(full or refused) or (None if resource not in BY_ITSELF or by == "words" else True)
            yield Want(resource, by, is_full, f"it says: {fact.value['text']}{told}", sources)


def _allocation(trial: Trial) -> Iterator[Want]:
    """Yield what an allocation that failed wanted: memory, or one more mapping where those were at their limit."""
    failed = trial.fact("allocation_failure")
    if failed is None:
        return
    mappings = [fact for fact in _limit_uses(trial, wording.MAPPINGS) if _at(fact.value)]
    if mappings:
        value = mappings[0].value
        count = f"{value['used']} of {value['limit']} mappings were in use"
        text = f"an allocation failed ({failed.value['text']}); {count}"
        yield Want(wording.MAPPINGS, "words", True, text, (*failed.sources, *mappings[0].sources))
        return
    left, limit = trial.value("headroom_bytes"), trial.value("memory_limit_bytes")
    wanted = failed.value.get("wanted_bytes")
    full = left is not None and limit is not None and (left < wanted <= limit if wanted else left < (1 - FULL) * limit)
    asked = f"; {wanted} bytes were asked for" if wanted else ""
    rest = f", {left} of {limit} were left ({trial.value('memory_limit_name')})" if left is not None else ""
    sources = (*failed.sources, *(fact.sources if (fact := trial.fact("headroom_bytes")) else ()))
    text = f"an allocation failed: {failed.value['text']}{asked}{rest}"
    yield Want(wording.MEMORY, "words", full or None, text, sources)


def _limit_uses(trial: Trial, resource: str) -> list[Fact]:
    return [fact for fact in trial.facts if fact.name == "limit_use" and fact.value["resource"] == resource]


def _exit_source(trial: Trial) -> tuple[Source, ...]:
    return (Source(f"trials/{trial.id}/exit.json", 1),)
