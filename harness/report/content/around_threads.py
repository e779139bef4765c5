"""What the threads of a trial were, did and had been told, for the report; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from harness import units
from harness.model import Fact, Reason, Trial
from harness.report.content.facts_of import every, sources_of, values_of

MOST_FRAMES = 5
MOST_THREADS = 5
MOST_VARIABLES = 12
FAULTS = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGABRT")
STACKS = (
    ("stack_bytes_main", "the main thread's"), ("stack_bytes_threads", "a thread's that asks for none"),
    ("stack_bytes_python_threads", "Python's threads'"), ("openmp_stacksize", "OpenMP's workers'"),
)  # fmt: skip


def lines(trial: Trial) -> Iterator[Reason]:
    """Yield the sentences: who worked, who stood still, what torch and the variables said, forks, stacks."""
    for fact in every(trial, "crash_stack"):
        if fact.value:
            yield Reason(f"it faulted in {' < '.join(fact.value[:MOST_FRAMES])}", fact.sources)
    for fact in every(trial, "openmp_runtimes"):
        if fact.value:
            yield Reason(f"OpenMP runtimes loaded: {', '.join(map(_file, fact.value))}", fact.sources)
    yield from _busiest(trial)
    yield from _still(trial)
    yield from _torch(trial)
    yield from _variables(trial)
    for fact in every(trial, "fork_after_threads"):
        if fact.value:
            text = f"{units.count(fact.value, 'fork')} came when native threads of a pool were there already"
            yield Reason(f"{text}: the child has their locks, and not the threads", fact.sources)
    for name in ("blas_copies", "tbb_copies"):
        yield from (reason for fact in every(trial, name) for reason in _copies(fact))
    yield from _stacks(trial)


def _file(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _busiest(trial: Trial) -> Iterator[Reason]:
    for fact in every(trial, "thread_cpu_seconds"):
        worked = [row for row in fact.value if row["seconds"] > 0.0][:MOST_THREADS]
        named = ", ".join(f"{row['name'] or row['id']} {units.duration(row['seconds'])}" for row in worked)
        busy = next(
            (f"; {units.count(one.value, 'thread')} busy all along" for one in every(trial, "busy_threads")), ""
        )
        if worked:
            yield Reason(f"the threads that used most processor time: {named}{busy}", fact.sources[:MOST_THREADS])


def _still(trial: Trial) -> Iterator[Reason]:
    """Count the threads that stood still by what they did."""
    for fact in every(trial, "hang_threads"):
        kinds = Counter(f"{row['waits']}{_call(row)}" for row in fact.value)
        told = ", ".join(f"{number} x {kind}" for kind, number in kinds.most_common(MOST_THREADS))
        if kinds:
            text = f"{units.count(len(fact.value), 'thread')} stood still or worked without progress: {told}"
            yield Reason(text, fact.sources[:MOST_THREADS])


def _call(row: dict[str, Any]) -> str:
    return f" ({row['call']})" if row.get("call") else ""


def _torch(trial: Trial) -> Iterator[Reason]:
    """Say which torch it was that the target itself imported, and with how many threads."""
    names = ("torch_version", "torch_threads", "torch_interop_threads")
    found = values_of(trial, *names)
    if "torch_version" in found:
        inside = f", with {units.count(found['torch_threads'], 'thread')}" if "torch_threads" in found else ""
        between = found.get("torch_interop_threads")
        more = f" and {between} between operators" if between else ""
        yield Reason(f"it ran torch {found['torch_version']}{inside}{more}", sources_of(trial, *names))


def _variables(trial: Trial) -> Iterator[Reason]:
    for fact in every(trial, "thread_variables"):
        told = ", ".join(f"{name}={value}" for name, value in list(fact.value.items())[:MOST_VARIABLES])
        if told:
            yield Reason(f"variables that steer threads and allocators: {told}", fact.sources)
    for fact in every(trial, "thread_variables_changed"):
        told = "; ".join(_change(name, value) for name, value in list(fact.value.items())[:MOST_VARIABLES])
        if told:
            yield Reason(f"the program or its imports changed them: {told}", fact.sources)


def _change(name: str, value: dict[str, Any]) -> str:
    before, after = (value[key] if value[key] is not None else "not set" for key in ("before", "after"))
    return f"{name} from {before} to {after} ({value['at']})"


def _copies(fact: Fact) -> Iterator[Reason]:
    for family, paths in fact.value.items():
        if len(paths) > 1:
            yield Reason(f"{len(paths)} copies of {family} were loaded: {', '.join(paths)}", fact.sources)


def _stacks(trial: Trial) -> Iterator[Reason]:
    """Say how large the stacks are where a fault, or an abort, ended it."""
    if trial.exit.signal not in FAULTS:
        return
    found = values_of(trial, *(name for name, _ in STACKS))
    told = ", ".join(f"{whose} {_size(found[name])}" for name, whose in STACKS if name in found)
    if told:
        yield Reason(f"stacks: {told}", sources_of(trial, *found))


def _size(amount: int) -> str:
    return "has no limit" if amount < 0 else units.size(amount)
