"""Whether two deaths in native code are one fault, whatever Python called it; pure.

A replay calls the same operator through other Python code and another part of the dispatcher. So only the kernel's part
of the stack is compared: the frames from the fault outwards up to the operator's own entry (`at::_ops::mul_Tensor`),
the first frame of torch's Python binding, or the first Python frame; and no further than a parallel loop of OpenMP,
since it is chance whether the calling thread or a worker gets to the bad share of it first. The first five frames,
equal neighbours folded, as in a loose signature.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from harness.facts.crash import faulting_stack, frame_names, noise
from harness.facts.crash.frames import Frame
from harness.facts.crash.signature import LOOSE_FRAMES
from harness.facts.folder import TrialFolder
from harness.model import Trial
from probes import records

ENTRY = re.compile(r"at::_ops::\w+(?=::(?:call|redispatch)\b)")
BINDING = "libtorch_python"
OPENMP = re.compile(r"^(?:lib(?:gomp|i?omp5?)|vcomp)")
DISPATCHER = 2  # frames between a kernel and the first that both ways into it have in common


class Likeness(enum.StrEnum):
    """How much of two deaths agrees.

    `same`: the signal and the places in the libraries. `alike`: the signal and the functions' names; the places differ
    (another build, or another kernel of one family). `signal`: the signal, with no native frames to compare on one
    side. `different`: another signal or other functions.
    """

    SAME = "same"
    ALIKE = "alike"
    SIGNAL = "signal"
    DIFFERENT = "different"

    @property
    def follows(self) -> bool:
        """Whether the other death counts as the failure that is followed."""
        return self is not Likeness.DIFFERENT


@dataclasses.dataclass(frozen=True)
class Death:
    """How a process died: the signal (or NTSTATUS, or "exit 3"), the faulting thread's frames, the fault's address.

    `frames` is None where no stack was taken at all.
    """

    how: str
    frames: tuple[Frame, ...] | None
    address: int | None = None

    @property
    def kernel(self) -> tuple[Frame, ...]:
        """The frames from the fault outwards that do not depend on who called the operator."""
        return kernel_part(self.frames or ())

    def __str__(self) -> str:
        """Return e.g. "SIGFPE: ? (libtorch_cpu.so) < at::native::div_kernel < at::_ops::div_Tensor_mode"."""
        rows = _rows(self.kernel)
        return f"{self.how}: {' < '.join(rows)}" if rows else self.how


def of(folder: TrialFolder, trial: Trial) -> Death | None:
    """Return how a trial died; None where it did not die."""
    if not trial.outcome.is_failure:
        return None
    exit_ = trial.exit
    how = exit_.signal or exit_.ntstatus
    found = faulting_stack.read(folder) if how else None
    fault = records.read_json(folder.path / records.NATIVE / faulting_stack.MAIN / records.FAULT) or {}
    address = int(fault["address"], 16) if fault.get("address") else None
    return Death(how or f"exit {exit_.code}", found.frames if found else None, address)


def as_json(death: Death) -> dict[str, Any]:
    """Return what another machine needs to compare a death with this one; paths are left out."""
    rows = [{"function": frame.function, "module": frame.library, "offset": frame.offset} for frame in death.kernel]
    return {"how": death.how, "described": str(death), "kernel": None if death.frames is None else rows}


def from_json(told: Mapping[str, Any]) -> Death:
    """Return the death that `as_json` told of."""
    rows = told["kernel"]
    return Death(told["how"], None if rows is None else tuple(Frame(**row) for row in rows))


def compare(one: Death | None, other: Death | None) -> Likeness:
    """Return how alike two deaths are; a process that did not die is like none."""
    if one is None or other is None or one.how != other.how:
        return Likeness.DIFFERENT
    if one.frames is None or other.frames is None or not (one.kernel or other.kernel):
        return Likeness.SIGNAL
    ours, theirs = _comparable(one.kernel, other.kernel)
    if _rows(ours, frame_names.exact) == _rows(theirs, frame_names.exact):
        return Likeness.SAME
    is_told = any(frame.function for frame in ours)  # libraries without names are alike in any two kernels
    return Likeness.ALIKE if is_told and _rows(ours) == _rows(theirs) else Likeness.DIFFERENT


def kernel_part(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Return the meaningful native frames from the fault up to the operator's entry, that entry included."""
    part: list[Frame] = []
    for frame in frames:
        library = frame.library or ""
        if not frame.native or library.startswith(BINDING) or (part and OPENMP.match(library)):
            break
        if not noise.is_noise(frame):
            part.append(frame)
        if ENTRY.search(frame.function):
            break
    return tuple(part)


def _comparable(one: Sequence[Frame], other: Sequence[Frame]) -> tuple[Sequence[Frame], Sequence[Frame]]:
    """Return both whole, or where only one reaches the operator's entry (a captured call is led through Python before
    it), what lies inside of the dispatcher's own frames; the innermost frame always counts.
    """
    if _has_entry(one) == _has_entry(other):
        return one, other
    common = max(min(len(one), len(other)) - DISPATCHER, 1)
    return one[:common], other[:common]


def _has_entry(part: Sequence[Frame]) -> bool:
    return bool(part) and bool(ENTRY.search(part[-1].function))


def _rows(part: Sequence[Frame], spell: Callable[[Frame], str] = frame_names.loose) -> list[str]:
    entries = (ENTRY.search(frame.function) for frame in part)
    spelt = (found[0] if found else spell(frame) for found, frame in zip(entries, part, strict=True))
    return [row for row, _ in groupby(spelt)][:LOOSE_FRAMES]
