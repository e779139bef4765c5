"""Counts the refusals of a tree in the kernel itself, by programs of our own at its tracepoints; never raises.

That costs the tree less than half of what a trace of the same tracepoint does, and a flood of refusals loses nothing.
All of it lives by its descriptors: whatever becomes of this process, nothing is left behind. Before it is used it is
tried: a thread of our own asks for too much memory, and that refusal must have been seen.
"""

from __future__ import annotations

import dataclasses
import errno
import functools
import os
import threading
import time

from probes.outside.system import bpf, btf, calls, counting, quiet
from probes.outside.system.counting import COUNT, KIND, LAUNCHER, THREAD_KEY, Maps
from probes.outside.system.ring import Ring

MOST_THREADS = 1 << 15  # that live at the same time
MOST_KINDS = 1 << 13
RING_BYTES = 1 << 18
SHAPES = (
    (bpf.HASH, THREAD_KEY.size, THREAD_KEY.size, MOST_THREADS), (bpf.HASH, KIND.size, COUNT.size, MOST_KINDS),
    (bpf.RING, 0, 0, RING_BYTES), (bpf.ARRAY, 4, 8, 1),
)  # fmt: skip
TOO_MUCH = 1 << 60  # bytes


@dataclasses.dataclass(frozen=True)
class Refused:
    """One kind of refusal: its tree, process, call and error, by their numbers; how often, when first and last."""

    root: int
    pid: int
    call: int
    error: int
    count: int
    first: float
    last: float
    thread: int
    name: str

    @property
    def key(self) -> bytes:
        """Under what the kernel counts it."""
        return KIND.pack(self.root, self.pid, self.call, self.error)


class Counter:
    """Counts from its making on, for what this thread starts; `read` the first of each kind, `again` for its count.

    `pipe`: the descriptor that becomes readable when a first one has come. `error`: what stands in the way, in words,
    or None; then there is nothing to read. `since`: when it began. Times are on time.perf_counter()'s clock.
    """

    def __init__(self) -> None:
        """Make the maps, have the programs run, and try them."""
        self.pipe, self.since = -1, 0.0
        self._held: list[int] = []
        self._maps = Maps(-1, -1, -1, -1)
        self._ring: Ring | None = None
        self.error = self._make()

    def follow(self, threads: list[int], root: int = LAUNCHER) -> None:
        """Count for these threads as well, and for whatever they start, as members of that tree."""
        for thread in threads if self._maps.tree >= 0 else ():
            bpf.update(self._maps.tree, THREAD_KEY.pack(thread), THREAD_KEY.pack(root))

    @property
    def lost(self) -> int:
        """How many refusals or births could not be noted."""
        found = None if self.error else bpf.look_up(self._maps.lost, THREAD_KEY.pack(0), 8)
        return int.from_bytes(found or b"", "little")

    def read(self, _: float = 0.0) -> list[Refused]:
        """Return the first of each kind that has come since the last time; never waits."""
        return [_refused(record) for record in self._ring.read()] if self._ring else []

    def drain(self) -> list[Refused]:
        """Return what is left."""
        return self.read()

    def again(self, kind: Refused) -> Refused:
        """Return the same kind with its count as it is now."""
        found = None if self.error else bpf.look_up(self._maps.kinds, kind.key, COUNT.size)
        return _refused(kind.key + found) if found else kind

    def close(self) -> None:
        """End the programs and give everything back."""
        self.error = self.error or "closed"
        if self._ring:
            self._ring.close()
        for descriptor in reversed(self._held):
            os.close(descriptor)
        self._held.clear()

    def _make(self) -> str | None:
        number_at = _number_at()
        if number_at is None:
            return "the kernel does not describe its types"
        made = [self._hold(bpf.create_map(*shape)) for shape in SHAPES]
        if min(made) < 0:
            return f"maps: {os.strerror(-min(made))}"
        self._maps = Maps(*made)
        self._ring = Ring(self._maps.ring, RING_BYTES)
        if self._ring.error:
            return f"ring: {os.strerror(self._ring.error)}"
        self.follow([threading.get_native_id()])
        return self._run(number_at) or (None if self._is_proven() else "a refusal that was provoked was not seen")

    def _run(self, number_at: int) -> str | None:
        programs = {
            "task_newtask": counting.at_birth(self._maps, number_at),
            "sched_process_exit": counting.at_end(self._maps),
            "sys_exit": counting.at_return(self._maps),
        }
        for tracepoint, code in programs.items():
            program = self._hold(bpf.load(code, name_of(os.getpid())))
            link = self._hold(bpf.attach(program, tracepoint)) if program >= 0 else program
            if link < 0:
                return f"{tracepoint}: {os.strerror(-link)}"
        self.pipe, self.since = self._maps.ring, time.perf_counter()
        return None

    def _hold(self, descriptor: int) -> int:
        if descriptor >= 0:
            self._held.append(descriptor)
        return descriptor

    def _is_proven(self) -> bool:
        thread = threading.Thread(target=quiet.ask_for_memory, args=(TOO_MUCH,), name="refused")
        thread.start()
        thread.join()
        found = [(calls.names().get(row.call), row.error, row.root, row.pid, row.count) for row in self.read()]
        return found == [("mmap", errno.ENOMEM, thread.native_id, os.getpid(), 1)]


def name_of(pid: int) -> str:
    """Return by what name the kernel lists the programs of a supervisor."""
    return f"inquest_{pid}"


def missing() -> str | None:
    """Return what stands in the way of a counter here, or None."""
    made = Counter()
    error = made.error
    made.close()
    return error


def _refused(record: bytes) -> Refused:
    root, pid, call, error = KIND.unpack_from(record)
    count, first, last, thread, name = COUNT.unpack_from(record, KIND.size)
    text = name.partition(b"\0")[0].decode(errors="replace")
    return Refused(root, pid, call, error, count, first / 1e9, last / 1e9, thread, text)


@functools.cache
def _number_at() -> int | None:
    return btf.byte_of(quiet.read_bytes(btf.PLACE, btf.MOST_BYTES), "task_struct", "pid")
