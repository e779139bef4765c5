"""The threads of a program that stood still, put together from the looks that were taken at it. Pure."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.hang import stacks as hang_stacks
from harness.facts.hang.stacks import Frame, Sample, StackThread
from harness.facts.hang.waits_for import Wait, Waits, wait_of
from harness.model import Source
from probes import records
from probes.outside.threads import thread_states
from probes.outside.threads.thread_states import KernelThread

IDLE_TICKS = 2  # a second, below which a thread has done nothing
GIL_WAITS = ("take_gil", "pthread_cond_timedwait")
WORK_QUEUES = ("queues.py", "synchronize.py", "connection.py")  # of multiprocessing
HELPERS = ("resource_tracker.py", "forkserver.py")
BUSY_CORES = 0.1  # a looping thread takes a whole core, less on a machine that is shared


@dataclasses.dataclass(frozen=True)
class StillThread:
    """One thread over the looks: its CPU time in cores (the least and the most of the pauses between), how it waits.

    `python` and `native` are the stacks of each look in which there was one, `profile` samples of it where it was busy.
    """

    process: int
    id: int
    name: str
    is_main: bool
    least_cores: float
    most_cores: float
    idle: bool
    wait: Wait
    descriptor: str
    state: str
    wchan: str
    python: tuple[StackThread, ...]
    native: tuple[StackThread, ...]
    profile: tuple[Sample, ...]
    sources: tuple[Source, ...]

    @property
    def is_busy(self) -> bool:
        """Whether it used the processor all the time."""
        return self.least_cores >= BUSY_CORES

    @property
    def holds_gil(self) -> bool:
        """Whether it held the GIL at every look."""
        return bool(self.python) and all(stack.owns_gil for stack in self.python)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The Python frames of the first look, innermost first."""
        return self.python[0].python if self.python else ()

    @property
    def is_joining(self) -> bool:
        """Whether it only waits for another thread to end."""
        names = [frame.name.rpartition(".")[2] for frame in self.frames[:3] if frame.base == "threading.py"]
        return self.wait.how is Waits.LOCK and any(name in ("join", "_wait_for_tstate_lock") for name in names)

    @property
    def is_at_gil(self) -> bool:
        """Whether it waits for the GIL, which the interpreter does with a condition variable and for nothing else."""
        top = self.native[0].native_top if self.native else ()
        return any(frame.name in GIL_WAITS for frame in top) and all(frame.is_plumbing for frame in top)

    @property
    def starves(self) -> bool:
        """Whether every look found it waiting for the GIL, and it got nowhere: code of Python would have given it."""
        tops = [stack.native_top for stack in self.native]
        waits = all(any(frame.name in GIL_WAITS for frame in top) for top in tops)
        return len(tops) > 1 and waits and self.is_at_gil and not self.is_busy and self.idle

    @property
    def is_idle_worker(self) -> bool:
        """Whether it is a worker of multiprocessing that waits for work: in a pool they do so in turns, at a lock."""
        return any(frame.base in WORK_QUEUES for frame in self.frames[:3])

    @property
    def is_helper(self) -> bool:
        """Whether it is in a process of multiprocessing's own, which serves the others and does none of their work."""
        return any(frame.base in HELPERS for frame in self.frames)

    @property
    def is_queue_feeder(self) -> bool:
        """Whether it empties a multiprocessing queue: such a thread waits at a condition nearly all the time."""
        return any(frame.name.rpartition(".")[2] == "_feed" and frame.base == "queues.py" for frame in self.frames[:3])

    @property
    def stays_native(self) -> bool:
        """Whether every sample, or else every look, found it in native code called from one Python line."""
        if self.profile:
            return all(sample.is_native for sample in self.profile) and len(set(map(_place, self.profile))) == 1
        tops = {(stack.python[:1], bool(stack.native_top)) for stack in self.native}
        return len(tops) == 1 and all(is_native for _, is_native in tops)


def _place(sample: Sample) -> str:
    return sample.python_top


def looks(folder: TrialFolder) -> list[dict[str, Any]]:
    """Return the looks of the last time that the trial stood still, oldest first."""
    rows = folder.lines(records.HANG).rows
    ends = [row.value for row in rows if row.value["event"] == "looked"]
    first = ends[-1]["first"] if ends else 1
    return [row.value for row in rows if row.value["event"] == "look" and row.value["number"] >= first]


def read(folder: TrialFolder, taken: list[dict[str, Any]]) -> list[StillThread]:
    """Return every thread of the program and of its children that all looks show."""
    if not taken:
        return []
    children = [child for child in taken[0]["children"] if all(child in look["children"] for look in taken)]
    parts = [(taken[0]["pid"], ""), *((child, f"/child-{child}") for child in children)]
    return [thread for pid, part in parts for thread in _process(folder, taken, pid, part)]


def _process(folder: TrialFolder, taken: list[dict[str, Any]], pid: int, part: str) -> list[StillThread]:
    names = [f"{look['folder']}{part}" for look in taken]
    kernel = [thread_states.read(folder.path / name / "threads.txt") for name in names]
    python = [hang_stacks.read(folder.path / name / "python_stacks.json") for name in names]
    native = [hang_stacks.read(folder.path / name / "native_stacks.json") for name in names]
    seen = [thread for thread in kernel[0] if all(thread in rows for rows in kernel)]
    return [
        _thread(
            folder, taken, names, pid, [rows[thread] for rows in kernel],
            [rows[thread] for rows in python if thread in rows], [rows[thread] for rows in native if thread in rows],
        )
        for thread in seen
    ]  # fmt: skip


def _thread(
    folder: TrialFolder, taken: list[dict[str, Any]], names: list[str], pid: int,
    kernel: list[KernelThread], python: list[StackThread], native: list[StackThread],
) -> StillThread:  # fmt: skip
    first = kernel[0]
    wait = wait_of(first, taken[0]["machine"])
    cores = _cores(taken, kernel)
    profiles = [hang_stacks.read_profile(folder.path / name / "profile.txt", first.id) for name in names]
    target, shown = _descriptor(folder, names[0], wait)
    return StillThread(
        process=pid, id=first.id, name=next((stack.name for stack in python if stack.name), first.name),
        is_main=first.id == pid, least_cores=min(cores, default=0.0), most_cores=max(cores, default=0.0),
        idle=_is_idle(taken, kernel), wait=wait, descriptor=target, state="".join(row.state for row in kernel),
        wchan=first.wchan, python=tuple(python), native=tuple(native), profile=tuple(itertools.chain(*profiles)),
        sources=(*_sources(folder, names, kernel, python), *shown),
    )  # fmt: skip


def _cores(taken: list[dict[str, Any]], kernel: list[KernelThread]) -> list[float]:
    """Return how many cores the thread used between each two looks."""
    pairs = itertools.pairwise(zip(taken, kernel, strict=True))
    return [
        (later.ticks - earlier.ticks) / after["ticks_per_second"] / (after["t"] - before["t"])
        for (before, earlier), (after, later) in pairs
    ]


def _is_idle(taken: list[dict[str, Any]], kernel: list[KernelThread]) -> bool:
    return bool(kernel[-1].ticks - kernel[0].ticks < IDLE_TICKS * max(1.0, taken[-1]["t"] - taken[0]["t"]))


def _descriptor(folder: TrialFolder, name: str, wait: Wait) -> tuple[str, tuple[Source, ...]]:
    """Return what the descriptor that the thread waits for leads to, and the line that says so."""
    listed = folder.text(f"{name}/descriptors.txt").split("\n")
    mark = f" {wait.descriptor} -> "
    found = [(number, line) for number, line in enumerate(listed, 1) if wait.descriptor is not None and mark in line]
    return (
        (found[0][1].rpartition(" -> ")[2], (folder.source(f"{name}/descriptors.txt", found[0][0]),))
        if found
        else ("", ())
    )


def _sources(
    folder: TrialFolder, names: list[str], kernel: list[KernelThread], python: list[StackThread]
) -> tuple[Source, ...]:
    """The thread's CPU time at the first and the last look, its system call, and its Python stack."""
    lines = [
        (f"{names[0]}/threads.txt", kernel[0].lines.get("stat")),
        (f"{names[-1]}/threads.txt", kernel[-1].lines.get("stat")),
    ]
    lines += [(f"{names[0]}/threads.txt", kernel[0].lines.get("syscall"))]
    lines += [(f"{names[0]}/python_stacks.json", stack.line) for stack in python[:1]]
    return tuple(folder.source(file, line) for file, line in lines if line)
