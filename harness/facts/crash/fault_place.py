"""native/*/fault.json -> facts of a crash: which thread faulted, where, and how near to the end of its stack; pure.

An overflowing stack faults at or above the stack pointer, below the thread's own stack: on the guard page, or beyond it
where one frame is larger than that page; the pointer itself may then lie in the next thread's stack. Code touches its
stack at the pointer and above, or a few bytes below it, so a fault on a guard page while the pointer is elsewhere is a
wild access, and no overflow.
"""

from __future__ import annotations

from typing import Any

from harness.facts.folder import TrialFolder
from harness.model import Fact, Source
from probes import records

NEAR_BYTES = 64 << 10
BELOW_POINTER_BYTES = 4096  # code may touch so far below it: a push, the red zone, a probe of a page
MOST_FRAME_BYTES = 64 << 20  # a pointer farther below its stack than any frame is large points nowhere
STACK_FILES = ("torch_stacks.txt", "native_stacks.json", "gdb.txt")


def facts(folder: TrialFolder) -> list[Fact]:
    """Return the facts of every process of the trial that faulted, those of the observed one first."""
    processes = folder.path / records.NATIVE
    names = [path.parent.name for path in processes.glob(f"*/{records.FAULT}")]
    ordered = sorted(names, key=lambda name: (name != "main", name))
    return [fact for name in ordered for fact in _of_process(folder, f"{records.NATIVE}/{name}")]


def _of_process(folder: TrialFolder, place: str) -> list[Fact]:
    record = records.read_json(folder.path / place / records.FAULT) or {}

    def fact(called: str, value: Any, key: str) -> Fact:
        return Fact(called, value, (folder.key_source(f"{place}/{records.FAULT}", key),))

    thread = {"pid": record.get("pid"), **record.get("thread", {})}
    found = [fact("fault_thread", thread, "thread")]
    if record.get("address"):
        found.append(fact("fault_address", record["address"], "address"))
    overflow = overflow_of(record)
    if overflow:
        found.append(fact("stack_overflow", overflow, "stack"))
    if _is_past_the_file(record):
        found.append(fact("file_fault", record["mapped_file"], "mapped_file"))
    return [*found, *_stacks(folder, place)]


def _stacks(folder: TrialFolder, place: str) -> list[Fact]:
    taken = [f"{place}/{name}" for name in STACK_FILES if (folder.path / place / name).exists()]
    sources: tuple[Source, ...] = tuple(folder.source(name, 1) for name in taken)
    return [Fact("native_stacks", taken, sources)] if taken else []


def _is_past_the_file(record: dict[str, Any]) -> bool:
    """Whether a bus error lies behind the end of a mapped file, or on a full file system's (BUS_ADRERR, mmap(2))."""
    file = record.get("mapped_file") or {}
    size = file.get("size_bytes")
    is_past = size is not None and file["offset_bytes"] >= size
    return record.get("code") == "BUS_ADRERR" and (is_past or file.get("free_bytes") == 0)


def overflow_of(record: dict[str, Any]) -> dict[str, Any] | None:
    """Return the distances that make a fault a stack overflow, or None where it is none or cannot be told."""
    own, stack = record.get("own_stack"), record.get("own_stack") or record.get("stack")
    address, sp = _number(record.get("address")), _number(record.get("sp"))
    if stack is None or address is None or sp is None:
        return None
    low = _number(stack["low"]) or 0
    is_overflow = _is_below_own(low, address, sp) if own else _is_near(low, address, sp, stack["holds_sp"])
    distances = {"below_stack_bytes": low - address, "from_stack_pointer_bytes": abs(sp - address)}
    size = {"stack_bytes": (_number(stack["high"]) or 0) - low} if "high" in stack else {}
    return {"address": record["address"], "stack": stack["name"], **distances, **size} if is_overflow else None


def _is_below_own(low: int, address: int, sp: int) -> bool:
    """Whether a thread whose own stack ends at `low` has come past that end, and faulted there."""
    return address < low and sp <= address + BELOW_POINTER_BYTES and low - sp < MOST_FRAME_BYTES


def _is_near(low: int, address: int, sp: int, holds_sp: bool) -> bool:
    """The same where only the mapping at the stack pointer is known, which may be another thread's."""
    near_end = 0 < low - address <= NEAR_BYTES and sp - address <= NEAR_BYTES
    return near_end or (not holds_sp and abs(sp - address) < NEAR_BYTES)


def _number(text: str | None) -> int | None:
    return None if text is None else int(text, 16)
