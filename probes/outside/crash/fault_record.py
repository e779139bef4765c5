"""fault.json: what a fault page and the snapshot beside it say of one fault."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from probes.outside.crash import held_process, mapped_file, own_stack
from probes.outside.crash.fault_page import FaultSlot
from probes.outside.system import quiet

NAMES = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV"}
CODES = {
    4: {1: "ILL_ILLOPC", 2: "ILL_ILLOPN", 3: "ILL_ILLADR", 4: "ILL_ILLTRP", 5: "ILL_PRVOPC", 6: "ILL_PRVREG"},
    7: {1: "BUS_ADRALN", 2: "BUS_ADRERR", 3: "BUS_OBJERR", 4: "BUS_MCEERR_AR", 5: "BUS_MCEERR_AO"},
    8: {1: "FPE_INTDIV", 2: "FPE_INTOVF", 3: "FPE_FLTDIV", 4: "FPE_FLTOVF", 5: "FPE_FLTUND", 7: "FPE_FLTINV"},
    11: {1: "SEGV_MAPERR", 2: "SEGV_ACCERR", 3: "SEGV_BNDERR", 4: "SEGV_PKUERR"},
}
SENT = {0: "SI_USER", -1: "SI_QUEUE", -6: "SI_TKILL", 0x80: "SI_KERNEL"}
INSTRUCTION_BYTES = 16
MOST_LETTERS = 400  # of a sender's command line
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$", re.MULTILINE)


def of_held(slot: FaultSlot, folder: Path, log: Path, noticed: float) -> dict[str, Any]:
    """Return the record of a process that is held: its memory can still be read."""
    instruction = held_process.read_memory(slot.pid, slot.registers.pc, INSTRUCTION_BYTES)
    return {
        **of_dead(slot, folder, log), "own_stack": own_stack.find(_text(folder / "maps.txt"), slot.pid, slot.tid),
        "instruction_bytes": instruction.hex() or None, "held": True,
        "noticed_after_seconds": round(noticed - slot.t, 4),
        "collected_after_seconds": round(time.perf_counter() - slot.t, 4),
    }  # fmt: skip


def of_dead(slot: FaultSlot, folder: Path, log: Path) -> dict[str, Any]:
    """Return the record of a process that ended before anybody looked: the page alone speaks."""
    code = CODES.get(slot.signal, {}).get(slot.code) or SENT.get(slot.code)
    known = slot.registers if slot.registers.all else None  # a process held by pause(2) tells none
    return {
        "signal": NAMES.get(slot.signal, f"signal {slot.signal}"), "pid": slot.pid, "t": slot.t,
        "code": code or str(slot.code), **_sender(slot), "address": _hex(slot.address),
        "pc": _hex(known.pc if known else None),
        "sp": _hex(known.sp if known else None),
        "cpu_fault_address": _hex(known.fault_address if known else None),
        "registers": {name: hex(value) for name, value in slot.registers.all.items()},
        "stack": stack_of(_text(folder / "maps.txt"), known.sp) if known else None,
        "mapped_file": mapped_file.under(_text(folder / "maps.txt"), slot.address, mapped_file.root_of(slot.pid)),
        "thread": _thread(slot, folder, log), "own_stack": None,
        "held": False, "instruction_bytes": None, "noticed_after_seconds": None, "collected_after_seconds": None,
    }  # fmt: skip


def stack_of(maps: str, sp: int) -> dict[str, Any] | None:
    """Return the mapping of the stack: the one that holds `sp`, or, where sp has left it, the next that is writable.

    A thread's stack ends in a guard page without access; the main thread's ends where it may grow no further.
    """
    rows = [(int(low, 16), int(high, 16), access, name) for low, high, access, name in MAPPING.findall(maps)]
    found = next((row for row in rows if sp < row[1] and "w" in row[2]), None)
    if found is None:
        return None
    low, high, _, name = found
    return {"name": name or "[anonymous]", "low": hex(low), "high": hex(high), "holds_sp": low <= sp}


def _sender(slot: FaultSlot) -> dict[str, Any]:
    """Return the siginfo's own numbers, and the command of a sender that still lives; none under pause(2)."""
    pid = slot.sender_pid if slot.registers.all else None
    command = quiet.read_text(f"/proc/{pid}/cmdline").replace("\0", " ").strip() if pid else ""
    return {
        "si_code": slot.code if slot.registers.all else None, "si_pid": pid,
        "si_uid": None if pid is None else slot.sender_uid, "sender_command": command[:MOST_LETTERS] or None,
    }  # fmt: skip


def _thread(slot: FaultSlot, folder: Path, log: Path) -> dict[str, Any]:
    known = known_to_python(slot, _text(log), _text(folder / "python_stacks.json"))
    return {
        "tid": slot.tid, "name": _native_name(slot, _text(folder / "threads.txt")), "is_main": slot.tid == slot.pid,
        "known_to_python": known, "python_name": _python_name(slot, _text(folder / "python_stacks.json")),
    }  # fmt: skip


def known_to_python(slot: FaultSlot, log: str, stacks: str) -> bool | None:
    """Whether Python knows the thread: faulthandler marks it, or py-spy lists it; None where neither speaks."""
    if "Fatal Python error" in log:
        return "Current thread 0x" in log
    rows = _stacks(stacks)
    return None if rows is None else any(row.get("os_thread_id") == slot.tid for row in rows)


def _python_name(slot: FaultSlot, stacks: str) -> str | None:
    rows = _stacks(stacks) or []
    return next((row.get("thread_name") for row in rows if row.get("os_thread_id") == slot.tid), None)


def _stacks(text: str) -> list[dict[str, Any]] | None:
    """Return py-spy's threads; None where its output is missing or was cut off."""
    rows: list[dict[str, Any]] | None = json.loads(text) if text.rstrip().endswith("]") else None
    return rows


def _native_name(slot: FaultSlot, threads: str) -> str | None:
    head = f"/proc/{slot.pid}/task/{slot.tid}/comm:"
    return next((line[len(head) :] for line in threads.splitlines() if line.startswith(head)), None)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _hex(value: int | None) -> str | None:
    return None if value is None else hex(value)
