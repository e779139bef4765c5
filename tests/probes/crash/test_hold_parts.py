"""The pure parts: pages, registers, stacks, stderr, arenas."""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from probes.outside.crash import fault_record, heap_lock, held_process, torch_stacks
from probes.outside.crash.fault_page import FIRST_SLOT, HELD, SIZE, FaultPage, is_whole, read_slot
from probes.outside.machine.stack_tools import ptrace_scope, ptrace_setting
from probes.outside.snapshot import Snapshot
from probes.records import read_lines

MAPS = """\
7f0000000000-7f0000001000 ---p 00000000 00:00 0
7f0000001000-7f0000801000 rw-p 00000000 00:00 0
7f1000000000-7f1000200000 rw-p 001f0000 fe:00 77                         /usr/lib/x86_64-linux-gnu/libc.so.6
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
"""
ONE = b"SIGSEGV(11), PID: 7, Thread 7: \n frame #0: f() + 0x8f (0x7f in /lib/a.so)\nframe #1: <x> + 0x1 (0x7 in /b)\n\n"
TWO = b"SIGSEGV(11), PID: 7, Thread 9: \n frame #0: g() + 0x8f (0x7f in /lib/a.so)\n<omitting python frames>\n\n"
OTHER = b"SIGABRT(6), PID: 8, Thread 8: \n frame #0: h() + 0x8f (0x7f in /lib/a.so)\n\n"


class TestTorchStacks:
    """stderr is split into the program's own bytes and torch's."""

    @pytest.mark.parametrize(
        ("raw", "own", "stacks"),
        [
            (b"", b"", {}),
            (b"plain\n\n", b"plain\n\n", {}),
            (b"before\n" + ONE + TWO, b"before\n", {7: ONE + TWO}),
            (b"no newline" + ONE + b"after\n", b"no newlineafter\n", {7: ONE}),
            (ONE + b"between\n" + OTHER, b"between\n", {7: ONE, 8: OTHER}),
            (
                ONE + b"signal lost waiting for stacktrace 7:9\n",
                b"",
                {7: ONE + b"signal lost waiting for stacktrace 7:9\n"},
            ),
            (b"what(): boom\nframe #0: x + 0x1 (0x1 in /a)\n", b"what(): boom\nframe #0: x + 0x1 (0x1 in /a)\n", {}),
        ],
    )
    def test_split(self, raw: bytes, own: bytes, stacks: dict[int, bytes]) -> None:
        """Not one byte is lost or doubled."""
        assert torch_stacks.split(raw) == (own, stacks)

    def test_separate_keeps_the_raw_file(self, tmp_path: Path) -> None:
        """The raw bytes stay under another name; a descendant's stacks go to its own folder."""
        raw = b"words\n" + ONE + OTHER
        (tmp_path / "stderr.log").write_bytes(raw)
        torch_stacks.separate(tmp_path, 7)
        assert (tmp_path / "stderr.raw").read_bytes() == raw
        assert (tmp_path / "stderr.log").read_bytes() == b"words\n"
        assert (tmp_path / "native" / "main" / "torch_stacks.txt").read_bytes() == ONE
        assert (tmp_path / "native" / "8" / "torch_stacks.txt").read_bytes() == OTHER

    def test_separate_leaves_others_alone(self, tmp_path: Path) -> None:
        """Nothing to split: nothing is renamed."""
        (tmp_path / "stderr.log").write_bytes(b"words\n")
        torch_stacks.separate(tmp_path, 7)
        assert [path.name for path in tmp_path.iterdir()] == ["stderr.log"]


class TestPage:
    """What the handlers write is read back, for both architectures."""

    def page(self, path: Path, context: bytes) -> Path:
        """Write a page with one held fault."""
        content = bytearray(SIZE)
        content[:8] = b"INQFAULT"
        struct.pack_into("<II", content, 8, 1, 0)
        struct.pack_into("<II", content, 0xC8, 1, 62)
        struct.pack_into("<4I", content, FIRST_SLOT, HELD, 11, 10, 11)
        struct.pack_into("<iii4xQ", content, FIRST_SLOT + 0x10, 11, 0, 1, 0x1230)
        struct.pack_into("<qq", content, FIRST_SLOT + 0x50, 5, 500_000_000)
        content[FIRST_SLOT + 0x60 : FIRST_SLOT + 0x60 + len(context)] = context
        path.write_bytes(content)
        return path

    def test_x86_64(self, tmp_path: Path) -> None:
        """gregs begin 40 bytes into the ucontext; rip is the 17th, rsp the 16th, cr2 the last."""
        path = self.page(tmp_path / "page", bytes(40) + struct.pack("<23Q", *range(100, 123)))
        slot = read_slot(path.read_bytes(), 0, "x86_64")
        assert (slot.state, slot.tid, slot.pid, slot.signal, slot.address, slot.t) == (HELD, 11, 10, 11, 0x1230, 5.5)
        assert (slot.registers.sp, slot.registers.pc, slot.registers.fault_address) == (115, 116, 122)

    def test_aarch64(self, tmp_path: Path) -> None:
        """sigcontext begins 176 bytes into the ucontext, with the fault address."""
        path = self.page(tmp_path / "page", bytes(176) + struct.pack("<35Q", *range(100, 135)))
        slot = read_slot(path.read_bytes(), 0, "aarch64")
        assert (slot.registers.fault_address, slot.registers.sp, slot.registers.pc) == (100, 132, 133)
        assert slot.registers.all["x30"] == 131

    def test_mapped(self, tmp_path: Path) -> None:
        """The supervisor's permission reaches the file."""
        path = self.page(tmp_path / "page", bytes(480))
        page = FaultPage(path)
        assert is_whole(path) and (page.faults, page.threads, page.mode, page.release_signal) == (1, [11], 1, 62)
        page.let_die(was_sent=True)
        assert [struct.unpack_from("<I", path.read_bytes(), at) for at in (12, 0xC4)] == [(1,), (1,)]

    def test_not_yet_whole(self, tmp_path: Path) -> None:
        """A page that is missing or still growing is not opened."""
        (tmp_path / "page").write_bytes(b"")
        assert (is_whole(tmp_path / "page"), is_whole(tmp_path / "none")) == (False, False)


class TestStack:
    """The faulting thread's stack among the mappings."""

    @pytest.mark.parametrize(
        ("sp", "name", "holds"),
        [
            (0x7F0000002000, "[anonymous]", True),
            (0x7F0000000800, "[anonymous]", False),  # in the guard page
            (0x7FFC00010000, "[stack]", True),
            (0x7FFBFFFFF000, "[stack]", False),
        ],
    )
    def test_stack_of(self, sp: int, name: str, holds: bool) -> None:
        """The mapping that holds sp, or the one that it has left downwards."""
        found = fault_record.stack_of(MAPS, sp)
        assert found is not None and (found["name"], found["holds_sp"]) == (name, holds)

    def test_no_maps(self) -> None:
        """Without maps nothing is claimed."""
        assert fault_record.stack_of("", 1) is None


class TestHeapLock:
    """Only the locks of malloc's arenas are ever opened."""

    @pytest.mark.parametrize(
        ("word", "arena"),
        [(0x7F1000001C60, True), (0x7F4A40000030, True), (0x7F0000002000, False), (0x55C1FEB81458, False)],
    )
    def test_is_arena(self, word: int, arena: bool) -> None:
        """libc's data, or the start of a heap of 64 MiB."""
        assert heap_lock.is_arena(word, MAPS) is arena


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
class TestOtherProcess:
    """A look at a process that is there, and at one that is gone."""

    def test_gone(self, tmp_path: Path) -> None:
        """Every tool fails with a Gap; nothing raises."""
        process = subprocess.Popen(["true"])
        process.wait()
        assert held_process.read_memory(process.pid, 4096, 8) == b""
        assert not held_process.signal_thread(process.pid, process.pid, 0)
        snapshot = Snapshot(process.pid, tmp_path / "taken", tmp_path / "gaps.jsonl", 5.0)
        snapshot.proc()
        snapshot.python()
        probes = {row.value["probe"] for row in read_lines(tmp_path / "gaps.jsonl").rows}
        assert {"proc maps", "proc status", "proc threads", "python stacks"} <= probes

    def test_own_memory(self) -> None:
        """What is read is what is there."""
        buffer = ctypes.create_string_buffer(b"sixteen bytes !!")
        assert held_process.read_memory(os.getpid(), ctypes.addressof(buffer), 16) == b"sixteen bytes !!"
        assert held_process.write_memory(os.getpid(), ctypes.addressof(buffer), b"SIX")
        assert buffer.value == b"SIXteen bytes !!"

    def test_no_time_left(self, tmp_path: Path) -> None:
        """A tool for which no time is left is a Gap."""
        Snapshot(os.getpid(), tmp_path / "taken", tmp_path / "gaps.jsonl", 0.0).python()
        assert [row.value["reason"] for row in read_lines(tmp_path / "gaps.jsonl").rows] == [
            f"process {os.getpid()}: no time was left for it"
        ]

    def test_ptrace_setting(self, tmp_path: Path) -> None:
        """Yama's setting in words; a kernel without Yama allows it."""
        setting = tmp_path / "ptrace_scope"
        assert (ptrace_scope(setting), ptrace_setting(setting)) == ("", "allowed (this kernel has no Yama)")
        setting.write_text("2\n")
        assert ptrace_setting(setting) == "kernel.yama.ptrace_scope=2 forbids it to all but root"
