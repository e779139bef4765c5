"""native/*/fault.json -> facts of a crash: which thread faulted, where, and how near to the end of its stack; pure.

An overflowing stack faults next to the stack pointer, below the thread's stack: on the guard page, or beyond it where
one frame is larger than that page.
"""

from __future__ import annotations

from typing import Any

from harness.facts.folder import TrialFolder
from harness.model import Fact, Source
from probes import records

NEAR_BYTES = 64 << 10
STACK_FILES = ("torch_stacks.txt", "native_stacks.json", "gdb.txt")


def facts(folder: TrialFolder) -> list[Fact]:
    """Return the facts of every process of the trial that faulted, those of the observed one first."""
    processes = folder.path / records.NATIVE
    names = [path.parent.name for path in processes.glob(f"*/{records.FAULT}")]
    ordered = sorted(names, key=lambda name: (name != "main", name))
    return [fact for name in ordered for fact in _of_process(folder, f"{records.NATIVE}/{name}")]


def _of_process(folder: TrialFolder, place: str) -> list[Fact]:
    record = records.read_json(folder.path / place / records.FAULT) or {}

    def fact(name: str, value: Any, key: str) -> Fact:
        return Fact(name, value, (folder.key_source(f"{place}/{records.FAULT}", key),))

    thread = {"pid": record.get("pid"), **record.get("thread", {})}
    found = [fact("fault_thread", thread, "thread")]
    found += [fact(f"fault_{key}", record[key], key) for key in ("pc", "address") if record.get(key)]
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
    stack, address, sp = record.get("stack"), _number(record.get("address")), _number(record.get("sp"))
    if stack is None or address is None or sp is None:
        return None
    below, apart = (_number(stack["low"]) or 0) - address, abs(sp - address)
    is_overflow = 0 < below <= NEAR_BYTES or (not stack["holds_sp"] and apart < NEAR_BYTES)
    distances = {"below_stack_bytes": below, "from_stack_pointer_bytes": apart}
    return {"address": record["address"], "stack": stack["name"], **distances} if is_overflow else None


def _number(text: str | None) -> int | None:
    return None if text is None else int(text, 16)
