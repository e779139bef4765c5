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

from harness.decide import judged, refusals
from harness.facts.refused import wording
from harness.model import Fact, Source, Trial

IO = (wording.DISK, wording.STORAGE)


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


def _refusals(trial: Trial) -> Iterator[Want]:
    for fact in refusals.near_refusals(trial):
        value = fact.value
        resource = refusals.resource_of(value, trial)
        if resource is not None and not (
            value["error"] in refusals.EASY and not refusals.is_named(trial, value["error"], resource)
        ):
            full = refusals.is_full(value, resource)
            said = resource == wording.MEMORY and refusals.asks_for_what_can_be(trial)
            named = said or (full is None and refusals.is_named(trial, value["error"], resource))
            yield Want(resource, "refusal", True if named else full, refusals.word(value), fact.sources)


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
    yield from _killed_at_a_limit(trial)
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
    full = used.value >= refusals.FULL * raised or _is_sent_by_kernel(trial, "SIGXCPU")
    return Want(wording.CPU_TIME, "signal", full, text, (*limit.sources, *used.sources, *_exit_source(trial)))


def _killed_at_a_limit(trial: Trial) -> Iterator[Want]:
    """The kernel kills what has used its hard limit of processor time."""
    sent = judged.delivery(trial)
    if sent is None or sent.value["by"] != judged.KERNEL:
        return
    for limit in sent.value.get("limits") or ():
        if limit["used"] >= refusals.FULL * limit["limit"]:
            text = f"the kernel killed it when {limit['used']:.2f} s of processor time were used"
            whole = f"{text}; the hard limit is {limit['limit']} s ({limit['name']})"
            yield Want(wording.CPU_TIME, "signal", True, whole, sent.sources)


def _is_sent_by_kernel(trial: Trial, signal: str) -> bool:
    sent = [fact.value for fact in trial.facts if fact.name == "signal_delivered"]
    return any(it["by"] == "kernel" and it["signal"] == signal and it.get("ends") for it in sent)


def _mapped_file(trial: Trial) -> Iterator[Want]:
    """A bus error in a mapping of /dev/shm: its pages are made when first touched, and there were none left."""
    fault = trial.fact("file_fault")
    if fault is not None and str(fault.value["path"]).startswith("/dev/shm"):
        free = fault.value.get("free_bytes")
        full = None if free is None else free < refusals.FREE_BYTES
        if full is not False:
            text = f"the fault lies in {fault.value['path']}, and /dev/shm had {free} bytes free"
            yield Want(wording.SHARED, "signal", full, text, fault.sources)


def _words(trial: Trial) -> Iterator[Want]:
    for fact in trial.facts:
        if fact.name == "named_want":
            by = "number" if fact.value.get("errno") is not None else "words"
            resource = fact.value["resource"]
            full = [limit for limit in _limit_uses(trial, resource) if refusals.at(limit.value)]
            refused = trial.value("thread_creations_refused") if resource == wording.THREADS else None
            told = "".join(f"; {it.value['name']}: {it.value['used']} of {it.value['limit']} in use" for it in full)
            told += f"; the control groups refused {refused}" if refused else ""
            file = trial.fact("full_file") if resource == wording.DISK else None
            sources = (*fact.sources, *(source for it in (*full, file) if it for source in it.sources))
            told += f"; {_roomless(file.value)}" if file else ""
            by_itself = by == "number" and resource in refusals.BY_ITSELF
            is_full = True if full or refused or file or by_itself else None
            yield Want(resource, by, is_full, f"it says: {fact.value['text']}{told}", sources)


def _roomless(file: dict[str, Any]) -> str:
    return f"{file['path']}, open for writing then, had {file.get('free_bytes')} bytes of room"


def _allocation(trial: Trial) -> Iterator[Want]:
    """Yield what an allocation that failed wanted: memory, or one more mapping where those were at their limit."""
    failed = trial.fact("allocation_failure")
    if failed is None:
        return
    mappings = [fact for fact in _limit_uses(trial, wording.MAPPINGS) if refusals.at(fact.value)]
    if mappings:
        value = mappings[0].value
        count = f"{value['used']} of {value['limit']} mappings were in use"
        text = f"an allocation failed ({failed.value['text']}); {count}"
        yield Want(wording.MAPPINGS, "words", True, text, (*failed.sources, *mappings[0].sources))
        return
    left, limit = trial.value("headroom_bytes"), trial.value("memory_limit_bytes")
    wanted = failed.value.get("wanted_bytes")
    full = (
        left is not None
        and limit is not None
        and (left < wanted <= refusals.ABSURD * limit if wanted else left < (1 - refusals.FULL) * limit)
    )
    asked = f"; {wanted} bytes were asked for" if wanted else ""
    rest = f", {left} of {limit} were left ({trial.value('memory_limit_name')})" if left is not None else ""
    sources = (*failed.sources, *(fact.sources if (fact := trial.fact("headroom_bytes")) else ()))
    text = f"an allocation failed: {failed.value['text']}{asked}{rest}"
    yield Want(wording.MEMORY, "words", full or None, text, sources)


def _limit_uses(trial: Trial, resource: str) -> list[Fact]:
    return [fact for fact in trial.facts if fact.name == "limit_use" and fact.value["resource"] == resource]


def _exit_source(trial: Trial) -> tuple[Source, ...]:
    return (Source(f"trials/{trial.id}/exit.json", 1),)
