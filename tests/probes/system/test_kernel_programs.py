"""Programs for the kernel's machine, the description of its types, and the ring, in parts."""

from __future__ import annotations

import errno
import os
import struct
import sys
from contextlib import ExitStack

import pytest

from probes.outside.system import assembly, bpf, btf, counter, counting, ring
from probes.outside.system.refusals import RefusalsProbe

WHY_NOT = RefusalsProbe.missing() or counter.missing()


@pytest.mark.skipif(bool(WHY_NOT), reason=f"no program may be run in the kernel here: {WHY_NOT}")
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_program_of_either_machine_is_accepted(machine: str) -> None:
    """By the kernel's verifier: it reads nothing that it must not, and comes to an end."""
    with ExitStack() as stack:
        made = [bpf.create_map(*shape) for shape in counter.SHAPES]
        made.append(bpf.load(counting.at_return(counting.Maps(*made), machine), "test"))
        for descriptor in made:
            stack.callback(os.close, descriptor)
        assert min(made) >= 0


class TestParts:
    """Pure: instructions, the kernel's types; and the ring's errors."""

    def test_instructions(self) -> None:
        """Eight bytes each; a jump counts from the next one."""
        code = assembly.Assembly()
        code.jump("end", 6, assembly.IS_NOT, -28)
        code.move(1, assembly.STACK, -8)
        code.label("end")
        code.end()
        assert code.code == bytes.fromhex("5506 0200 e4ffffff bfa1 0000 00000000 0701 0000 f8ffffff") + bytes.fromhex(
            "b700 0000 00000000 9500 0000 00000000"
        )

    @pytest.mark.parametrize("flag", [0, 1])
    def test_place_of_a_field(self, flag: int) -> None:
        """Among other words and types of the same name; with and without bit fields."""
        words = b"\0task\0pid\0other\0"
        pointer = struct.pack("=III", 1, 2 << 24, 1)
        members = struct.pack("=6I", 10, 1, 32, 6, 1, 64)
        task = struct.pack("=III", 1, flag << 31 | 4 << 24 | 2, 16) + members
        text = kernel_types(pointer + task, words)
        assert btf.byte_of(text, "task", "pid") == 8
        assert [btf.byte_of(text, *names) for names in (("task", "none"), ("none", "pid"), ("other", "pid"))] == [
            None
        ] * 3

    def test_field_that_is_told_twice(self) -> None:
        """Two structs of that name that differ: neither is believed."""
        twice = b"".join(struct.pack("=6I", 1, 4 << 24 | 1, 16, 6, 1, bits) for bits in (64, 96))
        assert btf.byte_of(kernel_types(twice, b"\0task\0pid\0"), "task", "pid") is None

    @pytest.mark.parametrize(
        "text", [b"", b"\x9f\xeb", bytes(64), b"no types at all, but long enough to hold a header"]
    )
    def test_other_texts_tell_nothing(self, text: bytes) -> None:
        """No error."""
        assert btf.byte_of(text, "task_struct", "pid") is None

    @pytest.mark.skipif(sys.platform != "linux", reason="shares memory by mmap(2)")
    def test_ring_that_cannot_be_shared(self) -> None:
        """It says why, and has nothing."""
        with ExitStack() as stack:
            read, write = os.pipe()
            stack.callback(os.close, read)
            stack.callback(os.close, write)
            made = ring.Ring(read, 4096)
        assert made.error == errno.ENODEV
        assert list(made.read()) == []
        made.close()


def kernel_types(types: bytes, words: bytes) -> bytes:
    """Return a description of types as the kernel writes it."""
    return struct.pack("=HBBIIIII", btf.MAGIC, 1, 0, 24, 0, len(types), len(types), len(words)) + types + words
