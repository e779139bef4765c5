"""Who sent the target a deadly signal: signal:signal_generate and oom:mark_victim, into signals.jsonl.

Deadly is a signal whose default action ends a process (signal(7)). The whole machine's are let through by the kernel's
filter, since a stranger's is what is looked for; only those that reach the target's tree are kept. A row tells that a
signal was sent, not that it ended anybody: a handler may have taken it.
"""

from __future__ import annotations

import signal
from typing import Any

from probes import records
from probes.outside.probe import Watched
from probes.outside.system import limits, rows, sender, tracefs
from probes.outside.system.instance import Instance
from probes.outside.system.rows import Row
from probes.outside.system.trace_probe import TraceProbe

SENT, VICTIM, BIRTH = "signal/signal_generate", "oom/mark_victim", "task/task_newtask"
HARMLESS = ("SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH")
IGNORED = 1  # `result`: no one will ever see it; include/trace/events/signal.h
MOST_OF_A_KIND = 8  # timers send without end; the last of them is written at the close
Kind = tuple[int, int, str, Any]


class SignalsProbe(TraceProbe):
    """Watches the signals that are sent to the tree, and asks at once who the sender is."""

    name = "signals"

    def __init__(self, watched: Watched) -> None:
        """Begin with all that the child has become by now."""
        self._counts: dict[Kind, int] = {}
        self._held: dict[Kind, dict[str, Any]] = {}
        self._is_over = False
        super().__init__(watched, records.SIGNALS)

    @classmethod
    def missing(cls) -> str | None:
        """Return why senders cannot be seen here, and what would permit it."""
        return tracefs.missing(SENT, VICTIM, BIRTH)

    @classmethod
    def open(cls) -> Instance:
        """Trace the whole machine's deadly signals, and its births: a sender is known by its parent, too."""
        trace = Instance(cls.name)
        trace.enable(BIRTH)
        trace.enable(VICTIM)
        trace.enable(SENT, condition())
        trace.shrink()
        return trace

    def take(self, row: Row) -> None:
        """Write what was sent to the tree."""
        self.tree.take(row)
        match = rows.SENT.match(row.text) if row.event == "signal_generate" else None
        victim = rows.VICTIM.match(row.text) if row.event == "mark_victim" else None
        target = self.tree.process_of(int((match or victim)["pid"])) if match or victim else None  # type: ignore[index]
        if target is not None and match:
            self._note_sent(row, target, {key: int(match[key]) for key in ("sig", "code", "group", "result", "pid")})
        elif target is not None:
            self.file.write({"t": row.t, "event": "oom victim", "target": target, "text": row.text})

    def close(self) -> None:
        """Write the last of each kind that came too often."""
        self._is_over = True
        super().close()

    def tell(self) -> None:
        """Write, at the end, the last of each kind that came too often."""
        if self._is_over:
            for kind, record in self._held.items():
                self.file.write({**record, "count": self._counts[kind]})
            self._held.clear()

    def _note_sent(self, row: Row, target: int, told: dict[str, int]) -> None:
        record = {
            "t": row.t, "event": "sent", "signal": name_of(told["sig"]), "number": told["sig"], "code": told["code"],
            "to_process": bool(told["group"]), "result": told["result"], "target": target,
            "target_thread": told["pid"], **sender.of(row, target, told["code"], told["group"], self.tree),
        }  # fmt: skip
        if told["sig"] == signal.SIGKILL and record["by"] == sender.KERNEL:  # it kills for memory, and at this limit
            record["limits"] = limits.of_processor_time(target)
        kind = (told["sig"], target, record["by"], record["sender"])
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if self._counts[kind] <= MOST_OF_A_KIND:
            self.file.write(record)
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
