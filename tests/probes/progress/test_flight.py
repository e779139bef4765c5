"""The flight ring, written by a real process that is killed, read by another."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from probes.outside.progress.flight import HEADER_BYTES, LiveRing, read_layout, read_ring

ROOT = Path(__file__).resolve().parents[3]
WRITER = """
import os, signal, sys
sys.path.insert(0, {root!r})
from probes.inside.flight import KIND, Ring
ring = Ring("flight.ring", "flight.names")
model = ring.number_of("model.layer")
for number in range(1, {count} + 1):
    ring.done = number // 10
    ring.write(KIND["enter"], 1, model, number, 2, 3, 4)
    if {wait} and number == {count} // 2:
        print("half", flush=True)
        sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""
HERE = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not there")


def write(folder: Path, count: int) -> None:
    """Let a process write so many records and die of SIGKILL."""
    script = WRITER.format(root=str(ROOT), count=count, wait=False)
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, timeout=30)
    assert done.returncode == -signal.SIGKILL


def read(folder: Path) -> list[int]:
    """Return the sequence numbers that the ring holds."""
    return [record.sequence for record in read_ring(folder / "flight.ring", folder / "flight.names")]


def capacity(folder: Path) -> int:
    """Return how many records the ring holds at most, as its header says."""
    layout = read_layout((folder / "flight.ring").read_bytes()[:HEADER_BYTES])
    assert layout is not None
    return layout.capacity


@HERE
class TestAfterDeath:
    """What the ring holds when its writer was killed."""

    def test_every_record_up_to_the_kill(self, tmp_path: Path) -> None:
        """None is missing, none is added, every field is as it was written."""
        before = time.perf_counter()
        write(tmp_path, 500)
        found = read_ring(tmp_path / "flight.ring", tmp_path / "flight.names")
        assert [record.sequence for record in found] == list(range(1, 501))
        last = found[-1]
        assert (last.kind, last.depth, last.name, last.step, last.call) == ("enter", 1, "model.layer", 500, 2)
        assert (last.epoch, last.thread, last.done) == (3, 4, 50)
        times = [record.t for record in found]
        assert before < times[0] and times == sorted(times) and times[-1] < time.perf_counter()

    def test_last_lap_alone_is_kept(self, tmp_path: Path) -> None:
        """A ring that was filled more than twice holds the newest records, in order."""
        write(tmp_path, 20000)
        assert read(tmp_path) == list(range(20001 - capacity(tmp_path), 20001))

    def test_torn_slot_is_left_out(self, tmp_path: Path) -> None:
        """A slot whose number is not that of its place was being written: its neighbours are read."""
        write(tmp_path, 20)
        layout = read_layout((tmp_path / "flight.ring").read_bytes()[:HEADER_BYTES])
        assert layout is not None
        for sequence, torn in ((20, 0), (10, 123456789)):
            with open(tmp_path / "flight.ring", "r+b") as stream:
                stream.seek(layout.header_bytes + sequence % layout.capacity * layout.record.size)
                values = dict(zip(layout.fields, layout.record.unpack(stream.read(layout.record.size)), strict=True))
                stream.seek(-layout.record.size, 1)
                stream.write(layout.record.pack(*{**values, "sequence": torn}.values()))
        assert read(tmp_path) == [*range(1, 10), *range(11, 20)]

    def test_names_that_were_lost_are_empty(self, tmp_path: Path) -> None:
        """Without the names' file the records are still read."""
        write(tmp_path, 3)
        (tmp_path / "flight.names").unlink()
        assert [record.name for record in read_ring(tmp_path / "flight.ring", tmp_path / "flight.names")] == [""] * 3


class TestNothing:
    """Rings that were never begun."""

    @pytest.mark.parametrize("content", [None, b"", b"\0" * 4096, b"{", b'{"magic": "inquest'])
    def test_hold_no_record(self, tmp_path: Path, content: bytes | None) -> None:
        """A missing, an empty, and a half-made file are no error, for either reader."""
        if content is not None:
            (tmp_path / "flight.ring").write_bytes(content)
        assert read(tmp_path) == []
        assert LiveRing(tmp_path / "flight.ring").newest() is None


@HERE
class TestLive:
    """Following a ring while it is written."""

    @pytest.mark.parametrize("count", [10, 3000, 40000])
    def test_newest_is_found_again_and_again(self, tmp_path: Path, count: int) -> None:
        """Before the file is there, in the middle, after the writer has lapped the reader, and after its death."""
        live = LiveRing(tmp_path / "flight.ring")
        assert live.newest() is None
        script = WRITER.format(root=str(ROOT), count=count, wait=True)
        with ExitStack() as stack:
            writer = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", script],
                    cwd=tmp_path,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(writer.kill)
            assert writer.stdout is not None
            assert writer.stdout.readline() == "half\n"
            half = live.newest() or {}
            assert (half["sequence"], half["step"], half["kind"]) == (count // 2, count // 2, "enter")
            assert live.newest() == half
            writer.communicate("go on\n", timeout=30)
        last = live.newest() or {}
        assert (last["sequence"], last["done"]) == (count, count // 10)
        assert live.newest() == last


def test_header_that_is_being_copied_is_none_yet(tmp_path: Path) -> None:
    """Whatever part of it is there: its begin, its end, its begin and end, up to a brace of an inner object."""
    run = WRITER.format(root=str(ROOT), count=4, wait=False)
    subprocess.run([sys.executable, "-c", run], cwd=tmp_path, timeout=30)
    head = (tmp_path / "flight.ring").read_bytes()[:HEADER_BYTES]
    whole = len(head.rstrip(b"\n\0"))
    assert read_layout(head) is not None
    for at in range(whole):
        rest = head[whole:]
        assert read_layout(head[:at] + bytes(whole - at) + rest) is None, at
        assert at == 0 or read_layout(bytes(at) + head[at:whole] + rest) is None, at
        gap = min(40, whole - at - 1)
        assert gap == 0 or read_layout(head[:at] + bytes(gap) + head[at + gap : whole] + rest) is None, at
