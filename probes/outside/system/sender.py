"""Who sent a signal: the kernel, the process itself, another of its tree, this supervisor, or a stranger.

A process that the target started and that went its own way (a session of its own, like a watchdog's or a daemon's), and
did not start the one it signals, is *detached*: it acts on its own, though it belongs to the tree by birth.

Sources: the tracepoint signal:signal_generate, in the context of the thread that sends; `si_code` in sigaction(2).
Where kernel code sends without a siginfo of its own (SIGPIPE, SIGXFSZ), the row says SI_USER and, unlike that of
kill(2), names no group: __send_signal_locked() and TP_STORE_SIGINFO in include/trace/events/signal.h.
"""

from __future__ import annotations

import os
import re
from typing import Any

from probes.outside.system import quiet, rows, tree
from probes.outside.system.rows import Row
from probes.outside.system.tree import Tree

SI_USER, SI_QUEUE, SI_TKILL = 0, -1, -6
SENT_BY_CALL = (SI_USER, SI_QUEUE, SI_TKILL)  # kill(2), sigqueue(3), tgkill(2)
USER = re.compile(r"^Uid:\s+(\d+)", re.MULTILINE)
MOST_LETTERS = 400
KERNEL, ITSELF, TREE, HARNESS, STRANGER = "kernel", "itself", "tree", "harness", "stranger"
DETACHED = "detached"
SESSION = 3  # of the fields behind the command's name in /proc/PID/stat


def of(row: Row, target: int, code: int, group: int, kin: Tree) -> dict[str, Any]:
    """Return `by`, and of a process that sent it: `sender`, its name, command and user, and the same of its parent."""
    if code not in SENT_BY_CALL or (code == SI_USER and not group):
        return {"by": KERNEL, "sender": None}
    pid = kin.process_of(row.thread) or tree.process_of(row.thread) or row.thread
    name = row.comm if row.comm != rows.UNKNOWN else quiet.read_text(f"/proc/{row.thread}/comm").strip() or None
    found = {"by": _relation(pid, target, kin), "sender": pid, "sender_name": name, **_described(pid, "sender_")}
    parent = kin.parent_of(pid) if found["by"] == STRANGER else None
    return {**found, **({"parent": parent, **_described(parent, "parent_")} if parent else {})}


def _relation(pid: int, target: int, kin: Tree) -> str:
    if pid == target:
        return ITSELF
    if pid == os.getpid():
        return HARNESS
    if kin.process_of(pid) is None:
        return STRANGER
    return DETACHED if _is_detached(pid, target, kin) else TREE


def _is_detached(pid: int, target: int, kin: Tree) -> bool:
    """Whether it lives in another session than its target, and is none of the target's ancestors."""
    line = (session_of(one) for one in (pid, *kin.ancestors(pid)))  # a `kill` that has gone has its parent's
    own, other = next((one for one in line if one is not None), None), session_of(target)
    return own is not None and other is not None and own != other and pid not in kin.ancestors(target)


def session_of(pid: int) -> int | None:
    """Return the session of a process, also of one that has ended and is not yet reaped; None where it has gone.

    Source: proc_pid_stat(5), field 6; the name before it may hold anything, brackets too.
    """
    fields = quiet.read_text(f"/proc/{pid}/stat").rpartition(") ")[2].split()
    session = int(fields[SESSION]) if len(fields) > SESSION else 0
    return session or None


def _described(pid: int, prefix: str) -> dict[str, str]:
    """Return the command line and the user of a process that still lives; nothing of one that has gone."""
    words = quiet.read_text(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
    user = USER.search(quiet.read_text(f"/proc/{pid}/status"))
    command = {f"{prefix}command": words[:MOST_LETTERS]} if words else {}
    return {**command, **({f"{prefix}user": _user_name(int(user.group(1)))} if user else {})}


def _user_name(number: int) -> str:
    import pwd  # not on Windows, where this file is imported as well

    return next((entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == number), str(number))
