"""Where a trial ended: in the model, as the flight ring says, unless what ended it was elsewhere; pure.

An exception ends at its own last frame of the target's code, not in the finalization that follows from it; a program
that has ended, and does not go, waits in the interpreter's `threading._shutdown`, not after its last step.
"""

from __future__ import annotations

import dataclasses
import re

from harness.facts.folder import TrialFolder
from harness.facts.hang import stacks, still_threads, story
from harness.facts.last_event import last_event
from harness.model import LastEvent, Outcome
from probes import records
from probes.outside.progress.flight import FlightRecord

FRAME = re.compile(r'^ *File "(.*)", line (\d+), in (.*)$', re.MULTILINE)
FINAL = "finalization"
AT_EXIT = "threading._shutdown, after the main program"


def of(folder: TrialFolder, place: str, flight: list[FlightRecord], outcome: Outcome) -> LastEvent | None:
    """Return the point of death of the process whose records lie in `place`."""
    last = last_event(flight)
    if outcome is Outcome.HUNG and not place and _waits_at_exit(folder):
        return LastEvent(None, None, AT_EXIT, None, None)
    raised = _raised_at(folder, place) if outcome is Outcome.DIED and last and last.phase == FINAL else None
    return dataclasses.replace(last, phase=raised) if last and raised else last


def _raised_at(folder: TrialFolder, place: str) -> str | None:
    """Return the last frame of the target's own code of the exception that ended the main program."""
    rows = [row.value for row in folder.lines(place + records.PYTHON_ERROR).rows if row.value.get("is_main")]
    found = FRAME.findall("\n".join(rows[-1].get("traceback") or ())) if rows else []
    frames = [stacks.Frame(name, file, int(line), True) for file, line, name in found]
    own = [frame for frame in frames if frame.is_own] or frames
    return f"{own[-1].name} ({own[-1].base}:{own[-1].line})" if own else None


def _waits_at_exit(folder: TrialFolder) -> bool:
    ended = any(row.value["call"] in story.MAIN_ENDS for row in folder.own_lines(records.EXITS))
    return ended and story.has_finished(still_threads.read(folder, still_threads.looks(folder)))
