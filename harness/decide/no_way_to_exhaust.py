"""Whether exhausted memory had any way at all to bring about a death; where it had none, no ladder is needed. Pure.

On Linux it acts in two ways alone. The system *refuses*: a system call is answered with ENOMEM, or with EAGAIN where it
locks memory. Or it *kills*: the OOM killer, which the kernel counts. (A page that cannot be had at a fault is a kill, a
stack that may not grow is under the same limits; a group without its OOM killer has its processes wait.) Where each
call of the whole tree was followed and none was refused, no kill was counted anywhere, nobody spoke of memory, and a
clear share of each limit was never used, none of them can have happened.

Stricter than it need be: a refusal long ago keeps the ladder, since what it left, a null pointer, may be used much
later; so does a limit whose highest use is not known, a signal that may come from who watches memory, and a machine
that was short of memory for whatever reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from harness.decide import judged, refusals, wants
from harness.facts.refused import wording
from harness.model import Control, Reason, Trial
from harness.units import size

UNUSED = 1 / 3  # of every limit: watchers end programs with 10 % left, memory.high lies at 80 % to 90 % as a rule
REFUSED, COUNTED = "memory refused", "OOM kill counted"  # what a control has shown its probes to see
ERRORS = ("ENOMEM", "EAGAIN", "ENOBUFS")
FAULTS = ("SIGSEGV", "SIGABRT", "SIGFPE", "SIGILL", "SIGTRAP")  # which memory's watchers never send
SHELLS = (137, 143)  # a shell's exit code for a child of it that SIGKILL or SIGTERM ended
MANY = 1000  # refusals in a trial: in a flood of them one may have gone unread
MOST_KINDS = 200  # the probe tells 256 kinds apart
NO_POINTER = (1 << 64) - (1 << 16)  # from here: -1 as an address, as sbrk(2) and mmap(2) answer what they refuse
STILL = ("deadlock", "spinning", "native loop holding the GIL")  # standstills that no wait for memory can be
WAITS = 0.01  # of the trial: so long may something on the machine have waited for memory
OUTSIDERS = ("oom-killer", judged.STRANGER, judged.DETACHED)
Way = Callable[[Trial], Iterator[str]]


def reasons(failures: Sequence[Trial], controls: Sequence[Control]) -> tuple[Reason, ...]:
    """Return why exhaustion had no way to act in any of the failures; () where that is not shown of each.

    A probe that has not been seen to fire here shows nothing by its silence: a refusal of memory and an OOM kill must
    each have been seen in a control.
    """
    shown = {what: control.id for control in controls if control.proven for what in control.seen}
    if not failures or not {REFUSED, COUNTED} <= shown.keys() or any(ways(trial) for trial in failures):
        return ()
    proof = f"that it would have been seen is shown by the controls {shown[REFUSED]} and {shown[COUNTED]}"
    return _calls(failures, proof), _room(failures)


def ways(trial: Trial) -> tuple[str, ...]:
    """Return each way in which exhaustion may have acted in a failure for all that is known; () where there is none."""
    return tuple(way for find in WAYS for way in find(trial))


def tells(trial: Trial) -> bool:
    """Whether the records of a trial themselves tell of memory: a refusal, a kill, or words."""
    refused = (fact.value["error"] for fact in trial.facts if fact.name == "refusal")
    killed = trial.value("oom_kill_in_group") or trial.fact("kernel_oom_line")
    return "ENOMEM" in refused or bool(killed) or next(_by_words(trial), None) is not None


def _by_refusal(trial: Trial) -> Iterator[str]:
    """A refusal at any time, and whatever may have hidden one."""
    if not wants.is_watched(trial) or any(gap.probe == "refusals" for gap in trial.gaps):
        yield "refusals were not watched, or not all of them"
    found = [fact.value for fact in trial.facts if fact.name == "refusal"]
    if len(found) >= MOST_KINDS or sum(value.get("count", 1) for value in found) >= MANY:
        yield "there were so many refusals that one may be missing"
    for value in found:
        is_shared = refusals.resource_of(value, trial) == wording.SHARED
        if value["error"] in ERRORS or is_shared or (value["error"] == "ENOSPC" and not value.get("about")):
            yield f"{value['call']} was answered with {value['error']}"


def _by_kill(trial: Trial) -> Iterator[str]:
    """The OOM killer's marks, on whichever process; and a kill whose sender may have watched memory."""
    counted = trial.value("oom_kill_on_host")
    if counted is None or counted > (trial.value("oom_kills_elsewhere") or 0):
        yield "OOM kills on the machine were not counted, or there were some"
    if trial.value("oom_kill_in_group") or trial.fact("kernel_oom_line"):
        yield "the kernel tells of an OOM kill"
    if any(fact.name == "signal_delivered" and fact.value["by"] in OUTSIDERS for fact in trial.facts):
        yield "a process of the tree was sent a signal from outside"


def _by_words(trial: Trial) -> Iterator[str]:
    """An allocator of the program's own, with a limit of its own, can only be known by what it says."""
    named = any(fact.value["resource"] == wording.MEMORY for fact in trial.facts if fact.name == "named_want")
    if named or trial.fact("allocation_failure") or trial.fact("speaks_of_memory"):
        yield "the program speaks of memory"


def _by_ending(trial: Trial) -> Iterator[str]:
    """An end that exhaustion can have without a refusal or a kill that is counted."""
    if trial.outcome == "hung":
        yield from _by_waiting(trial)
        return
    death = judged.of(trial)
    if trial.outcome != "died" or trial.exit.ended_by != "itself" or trial.exit.ntstatus or death.is_orderly:
        yield "it was ended from outside, or its end is not understood"
    elif death.signal == "SIGBUS":
        yield from _by_bus_error(trial)
    elif death.signal is not None:
        yield from _by_fault(trial, death.signal)
    elif death.code in SHELLS:
        yield "its exit code is that of a shell whose child was killed"


def _by_bus_error(trial: Trial) -> Iterator[str]:
    """Huge pages and /dev/shm answer with it when there are none left; a file that is cut short is known by itself."""
    fault = trial.value("file_fault")
    is_cut = fault is not None and fault.get("size_bytes") is not None and fault["offset_bytes"] >= fault["size_bytes"]
    if not is_cut or str(fault["path"]).startswith("/dev/shm"):
        yield "a bus error, and not behind the end of a file"


def _by_fault(trial: Trial, signal: str) -> Iterator[str]:
    """A pointer that an allocator gave instead of memory; a fault that nothing was recorded of."""
    if signal not in FAULTS:
        yield f"{signal} may have been sent for want of memory"
    full = trial.fact("stack_overflow") or trial.fact("no_stack_left")
    if signal == "SIGSEGV" and not full and trial.fact("fault_thread") is None:
        yield "the fault was not recorded"
    if any(int(str(fact.value), 16) >= NO_POINTER for fact in trial.facts if fact.name == "fault_address"):
        yield "the address is what sbrk and mmap answer where they refuse"


def _by_waiting(trial: Trial) -> Iterator[str]:
    """A standstill can be a wait for memory: for pages that are swapped, reclaimed, or granted slowly."""
    if trial.value("hang_kind") not in STILL:
        yield "the standstill may be a wait of the system's"
    waits, seconds = trial.value("memory_waits_seconds"), trial.value("duration_seconds")
    if waits is None or not seconds or waits > WAITS * seconds:
        yield "something on the machine waited for memory, or that is not known"


def _by_limit(trial: Trial) -> Iterator[str]:
    """Little left under any limit, or not known how much; a commit limit that holds for all programs together."""
    if trial.value("commit_limit_holds") is not False:
        yield "the commit limit holds, or that is not known"
    if trial.fact("under_oom") or trial.fact("headroom_snapshot") or trial.value("swap_peak_bytes"):
        yield "memory was scarce"
    used = [fact.value for fact in trial.facts if fact.name == "memory_limit_used"]
    if not used:
        yield "no limit of memory is known"
    for limit in used:
        if limit["most_bytes"] is None or limit["most_bytes"] > (1 - UNUSED) * limit["limit_bytes"]:
            yield f"{limit['name']}: little was left, or it is not known how much"
    locked = [fact.value for fact in trial.facts if fact.name == "limit_use"]
    if any(it["resource"] == wording.LOCKED and (it["used"] or 0) > (1 - UNUSED) * it["limit"] for it in locked):
        yield "locked memory: little was left"


WAYS: tuple[Way, ...] = (_by_refusal, _by_kill, _by_words, _by_ending, _by_limit)


def _calls(failures: Sequence[Trial], proof: str) -> Reason:
    others = any(trial.value("oom_kills_elsewhere") for trial in failures)
    kills = "no OOM kill but those of strangers under limits of their own" if others else "no OOM kill"
    text = (
        f"exhausted memory had no way to act in {_which(failures)}: every system call of all processes was followed, "
        f"none was refused memory, the kernel counted {kills} on the whole machine, nobody spoke of memory; {proof}"
    )
    names = ("refusals_watched", "oom_kill_on_host", "oom_kills_elsewhere")
    cited = [trial.fact(name) for trial in failures for name in names]
    return Reason(text, tuple(source for fact in cited if fact for source in fact.sources))


def _room(failures: Sequence[Trial]) -> Reason:
    """Say how much of the limit that was used most was used."""
    facts = [fact for trial in failures for fact in trial.facts if fact.name == "memory_limit_used"]
    most = max(facts, key=lambda fact: fact.value["most_bytes"] / fact.value["limit_bytes"])
    value = most.value
    text = f"no more than {size(value['most_bytes'])} of {size(value['limit_bytes'])} ({value['name']}) was ever used"
    return Reason(f"a third or more of every limit was left in {_which(failures)}: {text}", most.sources)


def _which(failures: Sequence[Trial]) -> str:
    more = f" and {len(failures) - 1} other failures of its cell" if len(failures) > 1 else ""
    return f"{failures[0].id}{more}"
