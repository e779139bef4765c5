"""Which threads belong to the target's tree: told by the kernel at each birth, so that the dead are known as well.

Sources: the tracepoint task:task_newtask, in the context of the thread that calls clone(2); CLONE_THREAD, clone(2);
proc_pid_status(5), proc_pid_task(5) for what was there before the tracing began.
"""

from __future__ import annotations

import re
from collections import OrderedDict

from probes.outside.system import quiet, rows
from probes.outside.system.rows import Row

CLONE_THREAD = 0x10000
MOST_STRANGERS = 4096  # births elsewhere on the machine, the youngest: a `kill` that has gone is known by its parent
STATUS = re.compile(r"^(?P<key>Tgid|PPid):\s*(?P<number>\d+)$", re.MULTILINE)


class Tree:
    """Thread -> process, for all that belongs to the target; and the parents of the machine's youngest processes."""

    def __init__(self, pid: int) -> None:
        """Take what there is of the tree already."""
        self._root = pid
        self._process: dict[int, int] = {}
        self._parents: OrderedDict[int, int] = OrderedDict()
        for member in _descendants(pid):
            self._process |= dict.fromkeys([member, *_threads(member)], member)

    @property
    def threads(self) -> list[int]:
        """All threads that were ever known."""
        return list(self._process)

    def take(self, row: Row) -> None:
        """Learn from one birth."""
        match = rows.BIRTH.match(row.text) if row.event == "task_newtask" else None
        if match is None:
            return
        born, parent, flags = int(match["pid"]), self._process.get(row.thread), int(match["flags"], 16)
        if parent is not None:
            self._process[born] = parent if flags & CLONE_THREAD else born
        elif born != self._root:
            self._process.pop(born, None)  # the number of a dead thread of ours is a stranger's now
        if not flags & CLONE_THREAD:
            self._parents[born] = parent if parent is not None else process_of(row.thread) or row.thread
            self._parents.popitem(last=False) if len(self._parents) > MOST_STRANGERS else None

    def process_of(self, thread: int) -> int | None:
        """Return the process of one of the tree's threads; None for a stranger."""
        return self._process.get(thread)

    def parent_of(self, pid: int) -> int | None:
        """Return the parent of a process, which may have gone."""
        found = STATUS.findall(quiet.read_text(f"/proc/{pid}/status"))
        alive = next((int(number) for key, number in found if key == "PPid"), None)
        return alive or self._parents.get(pid)

    def ancestors(self, pid: int) -> list[int]:
        """Return the processes of the tree that a process descends from by birth, its parent first."""
        found: list[int] = []
        parent = self._parents.get(pid)
        while parent is not None and parent not in found and parent in self._process:
            found.append(parent)
            parent = self._parents.get(parent)
        return found


def process_of(thread: int) -> int | None:
    """Return the process of any thread that lives; None where it has gone."""
    found = STATUS.findall(quiet.read_text(f"/proc/{thread}/status"))
    return next((int(number) for key, number in found if key == "Tgid"), None)


def _threads(pid: int) -> list[int]:
    return [int(name) for name in quiet.names_in(f"/proc/{pid}/task") if name.isdigit()]


def _descendants(pid: int) -> list[int]:
    """Return the process and what it has started so far (proc_pid_task(5), `children`)."""
    found, frontier = [], [pid]
    while frontier:
        member = frontier.pop()
        found.append(member)
        for thread in _threads(member):
            frontier += [int(word) for word in quiet.read_text(f"/proc/{member}/task/{thread}/children").split()]
    return found
