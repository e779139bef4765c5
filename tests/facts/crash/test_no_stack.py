"""What the records say of a stack that ran out: geometry, and signals that could not be delivered. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from record_folders import Records

from harness.facts.crash.fault_place import overflow_of
from probes import records
from probes.outside.crash.own_stack import within

LOW, HIGH = 0x7F0000010000, 0x7F0000018000
MAIN_SP = 0x7FFFFFFDE000
MAPS = (
    f"{LOW - 0x9000:x}-{LOW - 0x1000:x} rw-p 00000000 00:00 0 \n{LOW - 0x1000:x}-{LOW:x} ---p 00000000 00:00 0 \n"
    f"{LOW:x}-{HIGH:x} rw-p 00000000 00:00 0 \n{MAIN_SP:x}-7ffffffff000 rw-p 00000000 00:00 0          [stack]\n"
)


def fault(address: int, sp: int, own: bool = True) -> dict[str, Any]:
    """Return a record of a fault of the thread whose stack is LOW to HIGH."""
    stack = {"name": "[anonymous]", "low": hex(LOW), "high": hex(HIGH)}
    holds = {**stack, "holds_sp": LOW <= sp < HIGH}
    return {"address": hex(address), "sp": hex(sp), "stack": holds, "own_stack": stack if own else None}


class TestGeometry:
    """The pointer has come past the stack's end, and the fault lies there."""

    @pytest.mark.parametrize(
        ("address", "sp"),
        [
            (LOW - 8, LOW),  # a push
            (LOW - 64, LOW - 4096),  # on the guard, the pointer at its other end
            (LOW - 64, LOW - 40_000),  # the pointer in the next stack
            (LOW - 200_000, LOW - 200_000),  # one large frame, far below
        ],
    )
    def test_an_overflow(self, address: int, sp: int) -> None:
        """Whatever is mapped at the stack pointer."""
        assert overflow_of(fault(address, sp)) is not None

    @pytest.mark.parametrize(
        ("address", "sp"),
        [
            (LOW - 64, HIGH - 9000),  # its own guard, from afar
            (HIGH + 64, HIGH - 64),  # upwards, past the stack's beginning, onto the neighbour's guard
            (LOW - 0x9000 - 64, HIGH - 64),  # another's guard
            (0x1230, 0x1000),  # a pointer that points nowhere
        ],
    )
    def test_none(self, address: int, sp: int) -> None:
        """A wild access, or a destroyed stack pointer."""
        assert overflow_of(fault(address, sp)) is None

    def test_without_the_own_stack_as_before(self) -> None:
        """Older reports know the mapping at the stack pointer alone."""
        assert overflow_of(fault(LOW - 8, LOW, own=False)) is not None
        assert overflow_of(fault(LOW - 8, HIGH + (1 << 20), own=False)) is None


class TestOwnStack:
    """Which mapping it is."""

    def test_is_the_one_that_holds_the_descriptor(self) -> None:
        """With its guard."""
        found = {"name": "[anonymous]", "low": hex(LOW), "high": hex(HIGH), "guard_bytes": 4096}
        assert within(MAPS, HIGH - 1280, is_main=False) == found

    def test_of_the_main_thread(self) -> None:
        """By its name."""
        assert (within(MAPS, None, is_main=True) or {})["name"] == "[stack]"

    def test_is_not_known_without_a_descriptor(self) -> None:
        """Then nothing is claimed."""
        assert within(MAPS, None, is_main=False) is None


def sent(t: float, code: int, thread: int = 80, target: int = 77, name: str = "SIGSEGV") -> dict[str, Any]:
    """Return a row of signals.jsonl."""
    who = {"target": target, "target_thread": thread, "by": "kernel", "sender": None}
    what = {"signal": name, "number": 11, "code": code, "to_process": False, "result": 0}
    return {"t": t, "event": "sent", **what, **who}


def told(tmp_path: Path, *rows: dict[str, Any], kernel: str = "") -> Any:
    """Return the value of the fact for a process 77 that died of SIGSEGV."""
    made = Records(tmp_path).exit(signal="SIGSEGV", code=None).lines(records.SIGNALS, rows)
    return made.lines(records.KERNEL, [{"t": 11.0, "level": 6, "text": kernel}]).read().value("no_stack_left")


class TestUndelivered:
    """Two signals in a row."""

    @pytest.mark.parametrize(("code", "certain"), [(1, False), (2, True)])
    def test_a_fault_and_the_kernel_s_own(self, tmp_path: Path, code: int, certain: bool) -> None:
        """On a guard page it is certain; elsewhere the stack pointer may have been destroyed."""
        value = told(tmp_path, sent(11.0, code), sent(11.000019, 128))
        assert (value["pid"], value["tid"], value["apart_seconds"]) == (77, 80, 1.9e-05)
        assert (value["told_by"], value["is_certain"]) == ("signals", certain)

    @pytest.mark.parametrize(
        "rows",
        [
            [sent(11.0, 2)],
            [sent(11.0, 128)],  # a non-canonical address
            [sent(11.0, 2), sent(11.5, 128)],  # a handler ran
            [sent(11.0, 2), sent(11.00001, 128, thread=81)],
            [sent(11.0, 0), sent(11.00001, 128)],  # somebody sent the first
            [sent(11.0, 2, target=99), sent(11.00001, 128, target=99)],  # another process
        ],
    )
    def test_nothing_else(self, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
        """Each alone, late, of another thread or process."""
        assert told(tmp_path, *rows) is None


class TestKernelLine:
    """Address and stack pointer beside each other."""

    LINE = "python[77]: segfault at {:x} ip 00007f0000000000 sp {:016x} error 6 in libc.so.6[7f00+1000]"

    def test_of_the_main_thread(self, tmp_path: Path) -> None:
        """Its stack lies where nothing else is mapped."""
        value = told(tmp_path, kernel=self.LINE.format(MAIN_SP - 8, MAIN_SP))
        assert (value["told_by"], value["is_certain"], value["sp"]) == ("kernel", True, hex(MAIN_SP))

    def test_elsewhere_it_only_supports(self, tmp_path: Path) -> None:
        """The pointer may point nowhere."""
        assert told(tmp_path, kernel=self.LINE.format(LOW - 8, LOW))["is_certain"] is False

    @pytest.mark.parametrize(
        "line", [LINE.format(0x1230, MAIN_SP), LINE.format(MAIN_SP, MAIN_SP).replace("[77]", "[78]"), ""]
    )
    def test_of_others(self, tmp_path: Path, line: str) -> None:
        """A wild access, another process, no line."""
        assert told(tmp_path, kernel=line) is None
