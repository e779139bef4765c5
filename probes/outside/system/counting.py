"""What the kernel runs for us at the end of each system call, and at each birth and end of a thread; pure.

A call that is not refused costs one comparison. A refusal of the tree is counted where it happens, in the map of kinds,
and the first of each kind is put into the ring: a flood of them loses nothing, and costs nobody a look.
The tree is a map, thread -> the process that it descends from: the kernel's own births carry it on. A thread whose
entry is 0 is the launcher: each process that it starts is the root of a tree of its own.
Sources: bpf-helpers(7); the tracepoints' arguments, include/trace/events/syscalls.h, task.h, sched.h.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import NamedTuple

from probes.outside.system import assembly, calls
from probes.outside.system.assembly import STACK, WORD, Assembly

LOOK_UP, UPDATE, DELETE, CLOCK, THREAD, NAME, READ, PUT = 1, 2, 3, 5, 14, 16, 113, 130  # bpf-helpers(7), by number
THREAD_KEY = struct.Struct("=I")
KIND = struct.Struct("=IIII")  # root, process, number of the call, error
COUNT = struct.Struct("=QQQIxxxx16s")  # how often, nanoseconds of the first and the last, thread of the last, its name
RECORD_BYTES = KIND.size + COUNT.size
RECORD_AT = -RECORD_BYTES - 16
COUNT_AT = RECORD_AT + KIND.size
KEY_AT, VALUE_AT = -8, -16
FIRST_AT, LAST_AT, THREAD_AT, NAME_AT = 8, 16, 24, 32  # within COUNT
NAME_BYTES = 16
NEW_ONLY = 1  # BPF_NOEXIST
LAUNCHER = 0
CALL_AT = {"x86_64": 120, "aarch64": 280}  # struct pt_regs: `orig_ax`, `syscallno`; arch/*/include/asm/ptrace.h


class Maps(NamedTuple):
    """Descriptors: thread -> root; kind -> count; the ring of first ones; one number, how much was lost."""

    tree: int
    kinds: int
    ring: int
    lost: int


def at_return(maps: Maps, machine: str = "") -> bytes:
    """Return the program for raw_syscalls:sys_exit (its context: registers, result)."""
    code = Assembly()
    code.load(6, 1, 8)
    code.jump("out", 6, assembly.AT_LEAST, 0)
    code.load(9, 1, 0)
    _choose(code, machine)
    _find_root(code, maps, "out")
    code.load(8, 0, 0, WORD)
    code.jump("out", 8, assembly.IS, LAUNCHER)
    _make_key(code)
    _find_kind(code, maps)
    code.jump("known", 0, assembly.IS_NOT, 0)
    _begin_kind(code, maps)
    _find_kind(code, maps)  # another thread was quicker by a hair; or the map is full
    code.jump("known", 0, assembly.IS_NOT, 0)
    _count_lost(code, maps)
    code.label("known")
    code.count(0, 0)
    code.store(0, LAST_AT, 8)
    code.store(0, THREAD_AT, 7, WORD)
    code.label("out")
    code.end()
    return code.code


def at_birth(maps: Maps, number_at: int) -> bytes:
    """Return the program for task:task_newtask (its context: the new thread); `number_at`: where its number lies."""
    code = Assembly()
    code.load(6, 1, 0)
    _read(code, VALUE_AT, 6, number_at)
    code.load(6, STACK, VALUE_AT, WORD)
    _find_root(code, maps, "stranger")
    code.load(8, 0, 0, WORD)
    code.jump("inherited", 8, assembly.IS_NOT, LAUNCHER)
    code.move(8, 6)
    code.label("inherited")
    code.store(STACK, KEY_AT, 6, WORD)
    code.store(STACK, VALUE_AT, 8, WORD)
    _with_key(code, maps.tree, KEY_AT)
    code.move(3, STACK, VALUE_AT)
    code.number(4, 0)
    code.call(UPDATE)
    code.jump("out", 0, assembly.IS, 0)
    _count_lost(code, maps)
    code.label("stranger")  # whose number may be that of a dead thread of the tree
    code.store(STACK, KEY_AT, 6, WORD)
    _with_key(code, maps.tree, KEY_AT)
    code.call(DELETE)
    code.label("out")
    code.end()
    return code.code


def at_end(maps: Maps) -> bytes:
    """Return the program for sched:sched_process_exit, in the thread that ends."""
    code = Assembly()
    code.call(THREAD)
    code.store(STACK, KEY_AT, 0, WORD)
    _with_key(code, maps.tree, KEY_AT)
    code.call(DELETE)
    code.end()
    return code.code


def _choose(code: Assembly, machine: str) -> None:
    """Leave the call's number in r9, whose registers are at r9; out where the error (r6) is none of want."""
    for number in calls.errors():
        code.jump("refused", 6, assembly.IS, -number)
    code.jump("out", 6, assembly.IS_NOT, -errno.EAGAIN)
    code.label("refused")
    _read(code, VALUE_AT, 9, CALL_AT[machine or os.uname().machine])
    code.load(9, STACK, VALUE_AT, WORD)
    code.jump("chosen", 6, assembly.IS_NOT, -errno.EAGAIN)
    for number in calls.of_more(machine):
        code.jump("chosen", 9, assembly.IS, number)
    code.jump("out")
    code.label("chosen")


def _read(code: Assembly, to: int, base: int, offset: int) -> None:
    """Put four bytes of the kernel's memory on the stack."""
    code.move(1, STACK, to)
    code.number(2, 4)
    code.move(3, base, offset)
    code.call(READ)


def _find_root(code: Assembly, maps: Maps, otherwise: str) -> None:
    """Leave where the running thread's root stands in r0, process and thread in r7; go elsewhere for a stranger."""
    code.call(THREAD)
    code.move(7, 0)
    code.store(STACK, KEY_AT, 7, WORD)
    _with_key(code, maps.tree, KEY_AT)
    code.call(LOOK_UP)
    code.jump(otherwise, 0, assembly.IS, 0)


def _make_key(code: Assembly) -> None:
    """Write root (r8), process (r7), call (r9) and error (r6) as a kind's key; leave the time in r8."""
    code.store(STACK, RECORD_AT, 8, WORD)
    code.move(1, 7)
    code.upper_half(1)
    code.store(STACK, RECORD_AT + 4, 1, WORD)
    code.store(STACK, RECORD_AT + 8, 9, WORD)
    code.negate(6)
    code.store(STACK, RECORD_AT + 12, 6, WORD)
    code.call(CLOCK)
    code.move(8, 0)


def _find_kind(code: Assembly, maps: Maps) -> None:
    _with_key(code, maps.kinds, RECORD_AT)
    code.call(LOOK_UP)


def _begin_kind(code: Assembly, maps: Maps) -> None:
    """Count the first of a kind and tell of it: then out; go on where it is there already, or cannot be had."""
    code.store_number(STACK, COUNT_AT, 1)
    for place in (FIRST_AT, LAST_AT):
        code.store(STACK, COUNT_AT + place, 8)
    code.store(STACK, COUNT_AT + THREAD_AT, 7, WORD)
    code.store_number(STACK, COUNT_AT + THREAD_AT + 4, 0, WORD)
    code.move(1, STACK, COUNT_AT + NAME_AT)
    code.number(2, NAME_BYTES)
    code.call(NAME)
    _with_key(code, maps.kinds, RECORD_AT)
    code.move(3, STACK, COUNT_AT)
    code.number(4, NEW_ONLY)
    code.call(UPDATE)
    code.jump("not new", 0, assembly.IS_NOT, 0)
    code.map(1, maps.ring)
    code.move(2, STACK, RECORD_AT)
    code.number(3, RECORD_BYTES)
    code.number(4, 0)
    code.call(PUT)
    code.jump("out", 0, assembly.IS, 0)
    code.jump("lost")
    code.label("not new")


def _count_lost(code: Assembly, maps: Maps) -> None:
    code.label("lost")
    code.store_number(STACK, KEY_AT, 0, WORD)
    _with_key(code, maps.lost, KEY_AT)
    code.call(LOOK_UP)
    code.jump("out", 0, assembly.IS, 0)
    code.count(0, 0)
    code.jump("out")


def _with_key(code: Assembly, map_: int, place: int) -> None:
    code.map(1, map_)
    code.move(2, STACK, place)
