"""signals.jsonl, kernel.jsonl -> a thread that had no stack left for a signal's frame, so that no handler ran; pure.

A thread of a native pool has no alternate stack: where its stack is full, the kernel cannot write the handler's frame,
and ends the process by a second SIGSEGV of its own (SI_KERNEL), within some microseconds of the first. Where there is
no handler, its log says where the address and the stack pointer were: beside each other, as no access to a stack that
has room ever faults. Sources: setup_rt_frame and force_sigsegv in the kernel's arch/x86/kernel/signal.c and
kernel/signal.c; show_signal_msg in arch/x86/mm/fault.c; sigaltstack(2).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

from harness.facts.crash.fault_place import BELOW_POINTER_BYTES
from harness.facts.ended import exit_calls
from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from harness.model import EndedBy, Fact, Source
from probes import records
from probes.outside.crash.fault_page import MACHINE_CODE
from probes.records import Row

SEGFAULT = re.compile(r"\[(?P<tid>\d+)\]: segfault at (?P<address>[0-9a-f]+) ip \S+ sp (?P<sp>[0-9a-f]+) error")
FAULTS = ("SIGSEGV", "SIGBUS")
FAULT_CODES, SI_KERNEL = (1, 2), 128
HEADER_BYTES, FAULTS_AT, MODE_AT = 0xCC, 0x08, 0xC8  # probes/inside/page.py tells the page's layout
TOGETHER_SECONDS = 0.005
ABOVE_POINTER_BYTES = 4096
MAIN_STACKS = 0x7FFFFFFFF000 - (16 << 30) - (8 << 20)  # x86-64: above it nothing is mapped but main threads' stacks
Found = tuple[dict[str, Any], tuple[Source, ...]]


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `no_stack_left`: {pid, tid, told_by, is_certain, ...} of the process that died first, or of the observed.

    `is_certain`: the place shows that it was a stack's end. Else the stack pointer may have been destroyed, which a
    larger stack tells apart.
    """
    died = _who_died(folder)
    told = (*_undelivered(folder), *_lines(folder), *_unheard(folder))
    found = (one for one in told if one[0]["pid"] in died)
    return [Fact("no_stack_left", value, sources) for value, sources in found][:1]


def _who_died(folder: TrialFolder) -> set[int]:
    first = first_death.deaths(folder).first
    return {pid for pid in (folder.exit.get("pid"), first.pid if first else None) if pid is not None}


def _undelivered(folder: TrialFolder) -> Iterator[Found]:
    """Yield the pairs of signals of which the second says that the first could not be delivered."""
    last: dict[int, Row] = {}
    for row in folder.lines(records.SIGNALS).rows:
        tid = row.value.get("target_thread")
        if row.value.get("event") != "sent" or tid is None:
            continue
        before = last.get(tid)
        if before is not None and _is_pair(before.value, row.value) and not _was_handled(folder, row.value["target"]):
            yield _pair(folder, before, row)
        last[tid] = row


def _was_handled(folder: TrialFolder, pid: int) -> bool:
    label = "main" if pid == folder.exit.get("pid") else str(pid)
    return (folder.path / records.NATIVE / label / records.FAULT).exists()


def _is_pair(first: dict[str, Any], second: dict[str, Any]) -> bool:
    numbers = first.get("signal") in FAULTS and second.get("signal") == "SIGSEGV"
    codes = first.get("code") in FAULT_CODES and second.get("code") == SI_KERNEL
    return numbers and codes and 0 <= float(second["t"]) - float(first["t"]) <= TOGETHER_SECONDS


def _pair(folder: TrialFolder, first: Row, second: Row) -> Found:
    value = {
        "pid": first.value["target"], "tid": first.value["target_thread"], "told_by": "signals",
        "apart_seconds": round(second.value["t"] - first.value["t"], 6),
        "is_certain": first.value["code"] == 2,  # a page that is mapped and forbidden: a guard
    }  # fmt: skip
    return value, tuple(folder.source(records.SIGNALS, row.line) for row in (first, second))


def _unheard(folder: TrialFolder) -> Iterator[Found]:
    """Yield a fault that no handler saw though all were armed, where nobody watched the signals themselves."""
    page = folder.path / records.FAULT_PAGE
    header = page.read_bytes()[:HEADER_BYTES] if page.exists() else b""
    is_armed = len(header) == HEADER_BYTES and struct.unpack_from("<I", header, MODE_AT)[0] == MACHINE_CODE
    is_silent = is_armed and struct.unpack_from("<I", header, FAULTS_AT)[0] == 0 and not folder.text(records.FAULT_LOG)
    itself = folder.exit.get("ended_by") == EndedBy.ITSELF and exit_calls.own_signal(folder) is None
    watched = any(row.value.get("event") == "watching" for row in folder.lines(records.SIGNALS).rows)
    if is_silent and itself and not watched and folder.exit.get("signal") in FAULTS:
        value = {"pid": folder.exit["pid"], "tid": None, "told_by": "silence", "is_certain": False}
        yield value, (folder.key_source(records.EXIT, "signal"), folder.source(records.FAULT_PAGE, 1))


def _lines(folder: TrialFolder) -> Iterator[Found]:
    """Yield the kernel's lines of faults at the stack pointer; a line's number is the thread's."""
    threads = {thread["id"] for row in folder.lines(records.THREADS).rows for thread in row.value.get("threads", ())}
    for row in folder.lines(records.KERNEL).rows:
        match = SEGFAULT.search(row.value["text"])
        if match is None:
            continue
        tid, address, sp = int(match["tid"]), int(match["address"], 16), int(match["sp"], 16)
        if -BELOW_POINTER_BYTES <= address - sp <= ABOVE_POINTER_BYTES:
            pid = folder.exit.get("pid") if tid in threads else tid
            value = {"pid": pid, "tid": tid, "told_by": "kernel", "address": hex(address), "sp": hex(sp)}
            is_main = sp >= MAIN_STACKS and tid == pid
            yield {**value, "is_certain": is_main}, (folder.source(records.KERNEL, row.line),)
