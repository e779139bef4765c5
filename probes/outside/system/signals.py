"""Who sent the target a deadly signal: signal:signal_generate and oom:mark_victim, into signals.jsonl.

Deadly is a signal whose default action ends a process (signal(7)). The whole machine's are let through by the kernel's
filter, since a stranger's is what is looked for; only those that reach the target's tree are kept. A row tells that a
signal was sent, not that it ended anybody: a handler may have taken it.
"""

from __future__ import annotations

import signal
import time
from typing import Any

from probes import records
from probes.outside.probe import Probe, Watched
from probes.outside.system import rows, sender, tracefs, tree
from probes.outside.system.instance import Instance
from probes.outside.system.rows import Row

SENT, VICTIM, BIRTH = "signal/signal_generate", "oom/mark_victim", "task/task_newtask"
HARMLESS = ("SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH")
IGNORED = 1  # `result`: no one will ever see it; include/trace/events/signal.h
MOST_OF_A_KIND = 8  # timers send without end; the last of them is written at the close
Kind = tuple[int, int, str, Any]


class SignalsProbe(Probe):
    """Watches the signals that are sent to the tree, and asks at once who the sender is."""

    name = "signals"

    def __init__(self, watched: Watched) -> None:
        """Begin with all that the child has become by now."""
        super().__init__(watched)
        self.interval_seconds = 0.0  # with every round: a sender is soon gone
        self._counts: dict[Kind, int] = {}
        self._held: dict[Kind, dict[str, Any]] = {}
        self._trace = Instance("signals")
        self._trace.enable(BIRTH)
        self._trace.enable(VICTIM)
        self._trace.enable(SENT, condition())
        self._tree = tree.Tree(watched.pid)
        self._trace.shrink()
        self._file = records.Appender(watched.folder / records.SIGNALS)
        self._begin()

    @classmethod
    def missing(cls) -> str | None:
        """Return why senders cannot be seen here, and what would permit it."""
        return tracefs.missing(SENT, VICTIM, BIRTH)

    def sample(self, now: float) -> None:
        """Take what has come."""
        for row in self._trace.read(now):
            self._take(row)

    def before_end(self, reason: str) -> bool:
        """Take what has come before the harness' own kill."""
        self.sample(time.perf_counter())
        return False

    def close(self) -> None:
        """Take the rest, write the last of each kind that came too often, and remove the trace."""
        for row in self._trace.drain():
            self._take(row)
        for kind, record in self._held.items():
            self._file.write({**record, "count": self._counts[kind]})
        if self._trace.lost:
            self._file.write({"t": time.perf_counter(), "event": "lost", "count": self._trace.lost})
        self._file.close()
        self._trace.close()

    def _begin(self) -> None:
        now = time.perf_counter()
        if self._trace.error:
            reason = f"the kernel refused a trace of our own: {self._trace.error}"
            records.append(self.watched.folder / records.GAPS, {"probe": self.name, "reason": reason})
            return
        self._file.write({"t": now, "event": "watching", "since_launch_seconds": round(now - self.watched.started, 4)})

    def _take(self, row: Row) -> None:
        self._tree.take(row)
        match = rows.SENT.match(row.text) if row.event == "signal_generate" else None
        victim = rows.VICTIM.match(row.text) if row.event == "mark_victim" else None
        target = self._tree.process_of(int((match or victim)["pid"])) if match or victim else None  # type: ignore[index]
        if target is not None and match:
            self._note_sent(row, target, {key: int(match[key]) for key in ("sig", "code", "group", "result", "pid")})
        elif target is not None:
            self._file.write({"t": row.t, "event": "oom victim", "target": target, "text": row.text})

    def _note_sent(self, row: Row, target: int, told: dict[str, int]) -> None:
        record = {
            "t": row.t, "event": "sent", "signal": name_of(told["sig"]), "number": told["sig"], "code": told["code"],
            "to_process": bool(told["group"]), "result": told["result"], "target": target,
            "target_thread": told["pid"], **sender.of(row, target, told["code"], told["group"], self._tree),
        }  # fmt: skip
        kind = (told["sig"], target, record["by"], record["sender"])
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if self._counts[kind] <= MOST_OF_A_KIND:
            self._file.write(record)
        else:
            self._held[kind] = record


def condition() -> str:
    """Return the filter that lets the deadly signals through, as far as anybody will see them."""
    harmless = " && ".join(f"sig != {int(getattr(signal, name))}" for name in HARMLESS if hasattr(signal, name))
    return f"sig != 0 && {harmless} && result != {IGNORED}"


def name_of(number: int) -> str:
    """Return "SIGKILL" for 9; "signal 34" for a real-time signal without a name of its own."""
    known = {member.value: member.name for member in signal.Signals}
    return known.get(number, f"signal {number}")
