"""processes/, ends.jsonl, children.jsonl, exits.jsonl -> which process died first, and which merely followed; pure.

Of several processes that work together one dies, and the others are ended, or end themselves, because of it: torchrun
sends SIGTERM to the ranks that are left, a rank gets a connection error, the main process raises the DataLoader's
exception. The cause is to be looked for in the first.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.processes import consequence
from harness.facts.processes import ends as process_ends
from harness.facts.processes.ends import End
from harness.model import Fact, Gap
from probes import records

MOST_NAMED = 16
LATE_SECONDS = 0.25  # by which the supervisor may notice an end later than the processes that follow from it


@dataclasses.dataclass(frozen=True)
class Deaths:
    """The ends of a trial's processes that were not well, in the order in which they began."""

    first: End | None
    followers: tuple[End, ...]


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `processes` (how many, of which kind) and `first_death`; nothing where the target started none."""
    ends = process_ends.read(folder)
    if len(ends) < 2:
        return []
    kinds = [end.how for end in ends if end.folder and end.how != process_ends.TOOL]
    count = {"observed": len(kinds), **{kind: kinds.count(kind) for kind in sorted(set(kinds))}}
    place = folder.source(ends[1].folder + records.PROCESS, 1)
    found = [Fact("processes", count, (place,))] if kinds else []
    first = deaths(folder).first
    return found + ([_first_death(folder, first, deaths(folder).followers)] if first else [])


def gaps(folder: TrialFolder) -> list[Gap]:
    """Return how many processes' ends could not be seen, and which dead ones were not observed from inside."""
    dark = [end for end in (deaths(folder).first,) if end is not None and end.how == process_ends.TOOL]
    return _unseen(folder) + [
        Gap("inside probes", f"process {end.pid} ({end.command or 'command not known'}) was not observed from inside")
        for end in dark
    ]


def _unseen(folder: TrialFolder) -> list[Gap]:
    unseen = [end.pid for end in process_ends.read(folder) if end.folder and not end.is_known and not end.is_ours]
    if not unseen:
        return []
    named = ", ".join(map(str, unseen[:MOST_NAMED]))
    why = "reaped before its status could be read, by a parent that did not record it"
    return [Gap("process ends", f"how {len(unseen)} of the target's processes ended was not seen ({named}): {why}")]


def deaths(folder: TrialFolder) -> Deaths:
    """Order the deaths. One that a forebear asked for by a signal is a follower, unless nothing else died before it."""
    ends = [end for end in _judged(folder) if end.is_death and not end.is_ours]
    ordered = sorted(ends, key=_order)
    unasked = [end for end in ordered if end.sent_by is None or end.sent_by == end.pid]
    asked_alone = ordered if any(not end.folder for end in ordered) else []  # then the main process did not end well
    first = next(iter(unasked or asked_alone), None)
    since = first.began - LATE_SECONDS if first is not None else float("inf")
    return Deaths(first, tuple(end for end in ordered if end is not first and end.began >= since))


def _judged(folder: TrialFolder) -> list[End]:
    """Return the ends that may have to do with the trial's: where the main process died, what that may follow from."""
    main, *others = process_ends.read(folder)
    if not main.is_death or main.is_ours:
        return [main, *(end for end in others if end.how != process_ends.TOOL or main.is_ours)]
    return [main, *(end for end in others if not end.is_death or consequence.follows(folder, end, main))]


def _order(end: End) -> float:
    """Return when a death began. One by a signal that was not held is seen from outside alone, and so a little late: no
    exception of another process can have brought it about, but it can have brought about theirs.
    """
    return end.began - LATE_SECONDS if end.is_seen_late and end.sent_by is None else end.began


def _first_death(folder: TrialFolder, first: End, followers: tuple[End, ...]) -> Fact:
    started = folder.exit.get("started_monotonic", 0.0)
    followed = [
        {
            "pid": end.pid,
            "how": end.words,
            "after_seconds": max(0.0, round(end.began - first.began, 3)),
            "sent_by": end.sent_by,
        }
        for end in followers[:MOST_NAMED]
    ]
    value: dict[str, Any] = {
        "pid": first.pid, "parent": first.parent, "started_by": first.how, "how": first.words,
        "when_seconds": round(first.began - started, 3), "rank": first.rank, "sent_by": first.sent_by,
        "last_event": process_ends.last_words(folder, first), "followed_by": followed,
        "signal": first.signal, "code": first.code, "error": first.error, "command": first.command,
    }  # fmt: skip
    return Fact("first_death", value, first.sources)
